"""Builds ``diandian-audit.pyz``: the auditor of the public log in one file, without the product.

In it are the verifier's modules and what they import of ours, nothing else; packages of others are
not, and the file says which are missing. The same sources make the same bytes, so that whoever has
the sources can build it and compare. Needs the standard library alone.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src"
PACKAGE = "diandian"
OWN_TEXTS = ("LICENSE", "NOTICE")
# Zip files know no earlier moment.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_STANDARD = sys.stdlib_module_names

_MAIN = '''\
"""Starts the auditor; says what is missing where something is."""

import sys

NEEDED = {needed!r}

if sys.version_info < {python!r}:
    sys.stderr.write("could not start: it needs Python {python_text}. Nothing was checked.\\n")
    sys.exit(2)
try:
    from diandian.verifier.audit.program import main
except ImportError as error:
    if (error.name or "").partition(".")[0] == "diandian":
        raise
    wanted = " ".join("'" + each + "'" for each in NEEDED)
    sys.stderr.write(
        "could not start: " + str(error) + ". Nothing was checked. Please install what is needed "
        "and try again: " + sys.executable + " -m pip install " + wanted + "\\n"
    )
    sys.exit(2)
sys.exit(main())
'''


def _path_of(module: str) -> Path | None:
    """Return the file of one of our modules; None where there is no such module."""
    place = SOURCES.joinpath(*module.split("."))
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def _imported(path: Path) -> Iterator[str]:
    """Yield every module that a file may import, wherever in it that stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise SystemExit(f"{path} imports from beside itself. Nothing was built.")
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _with_parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def closure() -> tuple[set[Path], set[str]]:
    """Return the files that the verifier needs, and the packages of others that they import."""
    waiting = sorted((SOURCES / PACKAGE / "verifier").rglob("*.py"))
    files: set[Path] = set(waiting)
    others: set[str] = set()
    modules = set(_with_parents(f"{PACKAGE}.verifier"))
    waiting += [path for name in modules if (path := _path_of(name)) is not None]
    while waiting:
        path = waiting.pop()
        files.add(path)
        for module in _imported(path):
            if module.partition(".")[0] == PACKAGE:
                found = {_path_of(name) for name in _with_parents(module)}
                waiting += [each for each in found if each is not None and each not in files]
            elif module.partition(".")[0] not in _STANDARD:
                others.add(module.partition(".")[0])
    return files, others


def needed(others: set[str]) -> tuple[list[str], str]:
    """Return what to install, as the project asks for it, and the oldest Python.

    Raises: SystemExit where the verifier imports what the project does not ask for.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {re.split(r"[\[<>=!~; ]", text)[0]: text for text in project["dependencies"]}
    unknown = sorted(others - asked.keys())
    if unknown:
        raise SystemExit(f"The project does not ask for {', '.join(unknown)}. Nothing was built.")
    return [asked[name] for name in sorted(others)], project["requires-python"].removeprefix(">=")


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _MOMENT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    entry.create_system = 3
    archive.writestr(entry, data)


def build(target: Path) -> list[str]:
    """Write the file; return what has to be installed beside it."""
    files, others = closure()
    packages, python = needed(others)
    version = tuple(int(part) for part in python.split("."))
    main = _MAIN.format(needed=packages, python=version, python_text=python)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    with draft.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w") as archive:
            _add(archive, "__main__.py", main.encode())
            for path in sorted(files):
                _add(archive, path.relative_to(SOURCES).as_posix(), path.read_bytes())
            for name in OWN_TEXTS:
                _add(archive, name, (ROOT / name).read_bytes())
    draft.chmod(0o755)
    draft.replace(target)
    return packages


def main() -> None:
    """Build it, and say what it needs."""
    parser = argparse.ArgumentParser(prog="./run auditor", description=__doc__.split("\n")[0])
    parser.add_argument(
        "target", nargs="?", type=Path, default=ROOT / "var" / "diandian-audit.pyz", help="the file"
    )
    target = parser.parse_args().target
    packages = build(target)
    print(f"{target}\nsha256 {sha256(target.read_bytes()).hexdigest()}")
    print("Beside Python it needs: " + ", ".join(packages))


if __name__ == "__main__":
    main()
