"""Rules about Python files: each takes a parsed file and returns its complaints."""

import ast
import re
from collections.abc import Iterator

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70

_WRITES_ALWAYS = {
    "save",
    "asave",
    "delete",
    "adelete",
    "bulk_create",
    "abulk_create",
    "bulk_update",
    "abulk_update",
    "get_or_create",
    "aget_or_create",
    "update_or_create",
    "aupdate_or_create",
}
_WRITES_ON_QUERYSETS = {"create", "acreate", "update", "aupdate"}
_QUERYSET_STEPS = {"objects", "filter", "exclude", "all", "select_for_update", "using", "order_by"}
_SQL_WRITE = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|TRUNCATE|DROP)\b", re.IGNORECASE)
_CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("timezone", "now"),
    ("timezone", "localdate"),
    ("time", "time"),
}
_GETTEXT = {
    "_",
    "N_",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
    "npgettext",
}


def long_file(source: str) -> int:
    """Return the number of lines, 0 when within bounds."""
    lines = len(source.splitlines())
    return lines if lines > MAX_FILE_LINES else 0


def long_functions(tree: ast.Module) -> dict[str, int]:
    """Return the functions that are too long, by name, with their lines."""
    found = {}
    for scope, node in _functions(tree, ""):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > MAX_FUNCTION_LINES:
            found[scope] = lines
    return found


def _functions(
    node: ast.AST, scope: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{scope}.{child.name}".lstrip(".")
            if not isinstance(child, ast.ClassDef):
                yield name, child
            yield from _functions(child, name)
        else:
            yield from _functions(child, scope)


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield node.returns


def floats(tree: ast.Module) -> list[str]:
    """Find floating point: annotations, calls of float() and literals."""
    found = []
    for annotation in _annotations(tree):
        for part in ast.walk(annotation):
            text = part.value if isinstance(part, ast.Constant) else getattr(part, "id", "")
            if text in {"float", "complex"}:
                found.append(f"line {annotation.lineno}: annotated as {text}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in {"float", "FloatField"}:
            found.append(f"line {node.lineno}: {_name(node.func)}()")
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append(f"line {node.lineno}: the literal {node.value}")
    return found


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _chain(node: ast.expr) -> Iterator[str]:
    """Yield the names on the way to a value: A.objects.all() gives all, objects, A."""
    while True:
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            yield node.attr
            node = node.value
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            yield _name(node)
            return


def writes(tree: ast.Module) -> list[str]:
    """Find writes to the database: by the ORM, or SQL given as a literal."""
    found = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        method, receiver = node.func.attr, node.func.value
        steps = set(_chain(receiver))
        on_queryset = steps & _QUERYSET_STEPS or any(step.endswith("_set") for step in steps)
        # A call of some room's actions is the lawful way; cache.delete() records nothing.
        lawful = _name(receiver).endswith("actions") or (method == "delete" and "cache" in steps)
        if not lawful and (
            method in _WRITES_ALWAYS or (method in _WRITES_ON_QUERYSETS and on_queryset)
        ):
            found.append(f"line {node.lineno}: .{method}()")
        elif method in {"execute", "executemany"} and node.args:
            sql = node.args[0]
            text = sql.value if isinstance(sql, ast.Constant) else ""
            if isinstance(text, str) and _SQL_WRITE.match(text):
                found.append(f"line {node.lineno}: SQL that writes")
    return found


def clocks(tree: ast.Module) -> list[str]:
    """Find readers of the time other than kernel.clock."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (_name(node.value), node.attr) in _CLOCKS:
            found.append(f"line {node.lineno}: {_name(node.value)}.{node.attr}")
        elif isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            bad = {
                "django.utils.timezone": {"now", "localdate", "localtime"},
                "django.db.models.functions": {"Now"},
                "time": {"time"},
            }.get(node.module or "", set())
            found += [f"line {node.lineno}: {name} imported" for name in sorted(names & bad)]
    return found


def composed_texts(tree: ast.Module) -> list[str]:
    """Find texts for translation that are put together first, and so are never found again."""
    found = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and _name(node.func) in _GETTEXT):
            continue
        for argument in node.args:
            composed = isinstance(argument, ast.JoinedStr | ast.BinOp) or (
                isinstance(argument, ast.Call) and _name(argument.func) in {"format", "join"}
            )
            if composed:
                found.append(f"line {node.lineno}: {_name(node.func)}() of a composed text")
    return found


def string_keys(tree: ast.Module) -> list[str]:
    """Return the targets of foreign keys that are given as text."""
    found = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and _name(node.func) in _KEY_FIELDS):
            continue
        keyword = next((k.value for k in node.keywords if k.arg == "to"), None)
        target = node.args[0] if node.args else keyword
        if isinstance(target, ast.Constant) and isinstance(target.value, str):
            found.append(target.value)
        elif isinstance(target, ast.Attribute) and target.attr == "AUTH_USER_MODEL":
            found.append("AUTH_USER_MODEL")
    return found


_KEY_FIELDS = {"ForeignKey", "OneToOneField", "ManyToManyField"}
