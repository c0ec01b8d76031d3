"""Programmes and projects from a file: looked at first, all or none, and twice as once."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from diandian.audit.models import AuditEntry
from diandian.flows import catalogue_files
from diandian.registry.errors import CatalogueError
from diandian.registry.models import Programme, Project
from diandian.ui.halftones import PICTURES
from tests.registry.builders import make_batch

pytestmark = pytest.mark.django_db
FILE = Path(__file__).parents[1] / "registry" / "samples" / "catalogue.json"
SAMPLE = FILE.read_bytes()


def changed(path, value):
    found = json.loads(SAMPLE)
    at = found
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return json.dumps(found).encode()


def enter(data=SAMPLE):
    return catalogue_files.enter(data, actor_ref="operator:li")


def test_looking_enters_nothing():
    listed = catalogue_files.look_at(SAMPLE, actor_ref="operator:li")
    assert [(each.kind, each.code, each.state) for each in listed] == [
        ("programme", "VCS", "new"),
        ("project", "sample-wind", "new"),
    ]
    assert (Programme.objects.count(), AuditEntry.objects.count()) == (0, 0)


def test_what_is_entered_serves_at_once():
    enter()
    project = Project.objects.get()
    serials = "9001-500-599-VCS-VCU-001-VER-CN-1-0042-01012025-31122025-0"
    batch = make_batch(project, serial_text=serials, quantity=100)
    assert batch.total_g == 100_000_000


def test_entering_twice_changes_nothing():
    enter()
    before = AuditEntry.objects.count()
    assert {each.state for each in enter()} == {"known"}
    assert AuditEntry.objects.count() == before


def test_what_is_on_record_with_other_facts_is_refused():
    enter()
    with pytest.raises(CatalogueError, match=r"projects\[0\].methodology_code: it is on record"):
        enter(changed(["projects", 0, "methodology_code"], "ACM0001"))
    assert Project.objects.get().methodology_code == "ACM0002"


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (["programmes", 0, "code"], "vcs", "programmes[0].code"),
        (["programmes", 0, "serial_parser"], "roman", "programmes[0].serial_parser"),
        (["programmes", 0, "level"], "village", "programmes[0].level"),
        (["programmes", 0, "registry_url"], "javascript:alert(1)", "programmes[0].registry_url"),
        (["programmes", 0, "is_simulated"], "yes", "programmes[0].is_simulated"),
        (["programmes", 0, "levels"], "city", "programmes[0]"),
        (["projects", 0, "programme"], "GS", "projects[0].programme"),
        (["projects", 0, "programme"], ["VCS"], "projects[0].programme"),
        (["projects", 0, "code"], "../x", "projects[0].code"),
        (["projects", 0, "code"], None, "projects[0].code"),
        (["projects", 0, "names"], {"en": "x"}, "projects[0].names"),
        (["projects", 0, "names", "en"], "", "projects[0].names"),
        (["projects", 0, "names", "en"], "x" * 3001, "projects[0].names"),
        (["projects", 0, "names", "en"], "a\x00b", "projects[0].names"),
        (["projects", 0, "names", "en"], "a\ud800", "projects[0].names"),
        (["projects", 0, "supplier_names", "nl"], "a\u202eb", "projects[0].supplier_names"),
        (["projects", 0, "methodology_code"], "a\ud800", "projects[0].methodology_code"),
        (["projects", 0, "programme"], "\x00", "projects[0].programme"),
        (["programmes", 0, "registry_url"], "https://a\ud800", "programmes[0].registry_url"),
        (["projects", 0, "kind"], "coal", "projects[0].kind"),
        (["projects", 0, "country"], "China", "projects[0].country"),
        (["projects", 0, "latitude"], "91", "projects[0].latitude"),
        (["projects", 0, "latitude"], 28.1, "projects[0].latitude"),
        (["projects", 0, "latitude"], "NaN", "projects[0].latitude"),
        (["projects", 0, "latitude"], "1e-999999999", None),
        (["projects", 0, "descriptions", "nl"], "8\u00a0kg\n5\u202fkg", None),
        (["projects", 0, "methodology_code"], "a\nb", "projects[0].methodology_code"),
        (["projects", 0], [1], "projects[0]"),
    ],
)
def test_what_is_wrong_is_named_by_its_place_and_keeps_all_out(path, value, where):
    if where is None:
        enter(changed(path, value))
        return
    with pytest.raises(CatalogueError) as refusal:
        enter(changed(path, value))
    assert refusal.value.params["where"] == where
    assert Programme.objects.count() == 0


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"programmes": 1}', b'{"x": []}', b"[" * 99_999, b" " * 1_000_001]
)
def test_what_is_no_catalogue_is_refused(data):
    with pytest.raises(CatalogueError):
        enter(data)


@given(value=st.recursive(st.none() | st.booleans() | st.text(max_size=5), st.lists, max_leaves=4))
def test_whatever_stands_in_a_member_is_read_or_refused(value):
    for path in (["projects", 0], ["projects", 0, "names"], ["programmes", 0, "level"]):
        try:
            catalogue_files.look_at(changed(path, value), actor_ref="operator:li")
        except CatalogueError:
            continue


def test_every_kind_has_a_picture():
    assert set(catalogue_files.KINDS) <= set(PICTURES)


def test_the_command_shows_then_enters(tmp_path):
    def run(*words):
        out = StringIO()
        call_command("catalogue", str(FILE), "--as", "Li", *words, stdout=out)
        return out.getvalue()

    assert "project sample-wind: new" in run()
    assert Project.objects.count() == 0
    assert "Entered." in run("--yes")
    assert "project sample-wind: on record already" in run("--yes")
    assert AuditEntry.objects.filter(actor_ref="operator:Li").count() == 2
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"{")
    with pytest.raises(CommandError, match="not JSON"):
        call_command("catalogue", str(broken), "--as", "Li")
