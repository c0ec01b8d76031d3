"""The documents tell of everything that is there, and of nothing that is not."""

import re

import pytest

from tests.house import text_rules
from tests.house.tree import DOCS, PACKAGE, ROOT

pytestmark = [pytest.mark.house, pytest.mark.pure]

DECISIONS = sorted(
    path for path in (DOCS / "decisions").glob("*.md") if text_rules.DECISION_NAME.match(path.name)
)
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def test_decisions_are_numbered_without_gaps():
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_decision_is_complete(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {path.name[:4]} ")
    assert text_rules.decision(text) == []


def test_index_lists_every_decision():
    index = (DOCS / "decisions/README.md").read_text(encoding="utf-8")
    listed = re.findall(r"\((\d{4}-[a-z0-9-]+\.md)\)", index)
    assert listed == [path.name for path in DECISIONS]


def _environment_names() -> set[str]:
    python = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    return set(re.findall(r"[\"'](DIANDIAN_[A-Z_]+|DATABASE_URL)[\"']", python))


def test_documents_list_exactly_the_settings():
    page = (DOCS / "reference/settings.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    # Set by the demo for itself while it collects static files; nobody else needs it.
    assert listed == _environment_names() - {"DIANDIAN_COLLECTING_STATIC"}


def test_documents_list_exactly_the_verbs():
    help_text = (ROOT / "run").read_text(encoding="utf-8").split("HELP")[1]
    verbs = set(re.findall(r"^  ([a-z]+) ", help_text, re.MULTILINE))
    cases = set(re.findall(r"^([a-z]+)(?: \||\))", (ROOT / "run").read_text(), re.MULTILINE))
    page = (DOCS / "reference/commands.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `\./run ([a-z]+)", page, re.MULTILINE))
    assert verbs == cases == listed


def test_documents_list_exactly_the_management_commands():
    files = PACKAGE.glob("*/management/commands/*.py")
    commands = {path.stem for path in files if not path.stem.startswith("_")}
    page = (DOCS / "reference/commands.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `diandian (\w+)", page, re.MULTILINE)) == commands


def test_links_between_documents_lead_somewhere():
    broken = []
    for path in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]:
        broken += [
            f"{path.relative_to(ROOT)} -> {target}"
            for target in _LINK.findall(path.read_text(encoding="utf-8"))
            if not (path.parent / target).exists()
        ]
    assert not broken
