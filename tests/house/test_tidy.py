"""The package keeps the rules of the house."""

import json
import re

import pytest

from tests.house import code_rules, text_rules
from tests.house.tree import PACKAGE, ROOT, floor_of_room, sources, templates

pytestmark = [pytest.mark.house, pytest.mark.pure]

RATCHET = json.loads((ROOT / "tests/house/ratchet.json").read_text())
CODE_ROOTS = ("src", "tests", "tools", "bench")

NO_FLOAT_ROOMS = ("kernel/", "emissions/", "ledger/", "registry/", "orders/", "payments/")
# Distances on the globe need sines; they become Decimal before they meet a factor.
FLOAT_ALLOWED = ("emissions/great_circle.py",)

# Stores outside the books: the sandbox gateway plays a company with a database of its own.
WRITES_ALLOWED = ("payments/gateways/",)


def _complaints(rule, *, among=("",), but=()):
    return [
        f"{path} {complaint}"
        for path, tree in sources().items()
        if path.startswith(tuple(among)) and not path.startswith(tuple(but))
        for complaint in rule(tree)
    ]


def test_no_file_is_long():
    found = {}
    for folder in CODE_ROOTS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            lines = code_rules.long_file(path.read_text(encoding="utf-8"))
            if lines and "migrations" not in path.parts:
                found[path.relative_to(ROOT).as_posix()] = lines
    # The list only shrinks: a file that got shorter lowers its own bound.
    assert found == RATCHET["files"]


def test_no_function_is_long():
    found = {
        f"{path}:{name}": lines
        for path, tree in sources().items()
        for name, lines in code_rules.long_functions(tree).items()
    }
    assert found == RATCHET["functions"]


def test_no_float_near_money_or_mass():
    assert not _complaints(code_rules.floats, among=NO_FLOAT_ROOMS, but=FLOAT_ALLOWED)


def test_only_actions_write():
    found = _complaints(code_rules.writes, but=WRITES_ALLOWED)
    assert not [line for line in found if "/actions.py " not in line]


def test_only_the_clock_reads_the_time():
    assert not _complaints(code_rules.clocks, but=("kernel/clock.py",))


def test_texts_are_literal():
    assert not _complaints(code_rules.composed_texts)


def test_string_foreign_keys_point_down():
    found = []
    for path, tree in sources().items():
        room = path.partition("/")[0]
        for target in code_rules.string_keys(tree):
            if "." not in target and target != "AUTH_USER_MODEL":  # itself, or its own room
                continue
            other = target.partition(".")[0]
            below = floor_of_room().get(other, 0) < floor_of_room()[room]
            # Record keepers hold references, not keys, to persons.
            users = (
                target != "AUTH_USER_MODEL" or floor_of_room()[room] >= floor_of_room()["orders"]
            )
            if not (below and users):
                found.append(f"{path}: {target}")
    assert not found


def _quoted(text):
    """Return everything that stands between two quotation marks."""
    return set(re.findall(r"(?<=[\"'])[^\"'\n]+(?=[\"'])", text))


def test_every_template_is_used():
    # A page to look at, such as the style guide, may be rendered by a test only.
    files = [*sorted(PACKAGE.rglob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))]
    python = "\n".join(path.read_text(encoding="utf-8") for path in files)
    named = {name: _quoted(text) for name, text in templates().items()} | {"": _quoted(python)}
    unused = [
        name
        for name in templates()
        if not any(name in names for other, names in named.items() if other != name)
    ]
    assert not unused


def test_templates_obey_the_content_security_policy():
    found = [(name, *text_rules.inline_code(text)) for name, text in templates().items()]
    assert not [entry for entry in found if len(entry) > 1]


def test_claims_are_made_in_one_place():
    found = []
    for path in sorted(PACKAGE.rglob("*")):
        name = path.relative_to(PACKAGE).as_posix()
        if path.suffix in {".py", ".html", ".typ"} and not name.startswith("claims/"):
            words = text_rules.claims(path.read_text(encoding="utf-8"))
            if words:
                found.append(f"{name}: {sorted(set(words))}")
    assert not found


def test_nothing_names_somebodys_machine():
    suffixes = {".py", ".md", ".toml", ".html", ".css", ".json", ".csv", ".po", ".typ", ".sh", ""}
    folders = ("src", "tests", "tools", "bench", "docs", ".ci", ".githooks")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    files += [path for path in ROOT.iterdir() if path.name not in {"uv.lock", ".git"}]
    found = []
    for path in sorted(files):
        if path.is_file() and path.suffix in suffixes and "__pycache__" not in path.parts:
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [
                f"{path.relative_to(ROOT)}: {hit}" for hit in text_rules.somebodys_machine(text)
            ]
    assert not found
