"""The commands that enter credits and their ground: dry first, by name, and a refusal says why."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from diandian.audit.models import AuditEntry
from diandian.registry.models import CreditBatch, ProjectSite
from tests.registry.builders import ground, make_batch, make_programme, make_project

pytestmark = pytest.mark.django_db
FILE = Path(__file__).parents[1] / "registry" / "samples" / "issuances.csv"


def run(*words):
    out = StringIO()
    call_command(*(str(word) for word in words), stdout=out)
    return out.getvalue()


@pytest.fixture
def grove(db):
    programme = make_programme(code="CDCER", serial_parser="cdcer")
    return make_project("grove", programme=programme)


def test_a_file_is_shown_then_entered_once(grove):
    said = run("issue", FILE, "--as", "Li")
    assert "row 2: new, grove, CDCER-SAMPLE-A25-000001~000120, 2025, 120 t, buffer 12 t" in said
    assert "row 4: new" in said
    assert "2000 t, counts zero, never sold as it is" in said
    assert "3 rows: 3 new, 0 on record already, 0 refused. New: 2220 t, of which 208 t" in said
    assert "Nothing was entered. Say --yes" in said
    assert CreditBatch.objects.count() == 0

    assert "Entered." in run("issue", FILE, "--as", "Li", "--yes")
    assert CreditBatch.objects.count() == 3
    assert AuditEntry.objects.get(action="issuances.entered").actor_ref == "operator:Li"
    assert "nothing changed" in run("issue", FILE, "--as", "Li", "--yes")
    assert CreditBatch.objects.count() == 3


def test_a_refused_row_is_named_and_nothing_is_entered(grove):
    other = make_batch(grove, serial_text="CDCER-SAMPLE-A25-000200~000201")
    out = StringIO()
    with pytest.raises(CommandError, match="nothing was entered"):
        call_command("issue", str(FILE), "--as", "Li", "--yes", stdout=out)
    assert "row 3, serials: Some of the serials" in out.getvalue()
    assert other.public_id in out.getvalue()
    assert CreditBatch.objects.count() == 1


@pytest.mark.parametrize("words", [(FILE,), ("/nowhere.csv", "--as", "Li"), ("--as", "Li")])
def test_who_and_what_are_needed(words, grove):
    with pytest.raises(CommandError, match="Nothing was entered"):
        run("issue", *words)


def test_the_template_is_printed():
    assert run("issue", "--template").startswith("\ufeffproject,serials,quantity")


# --- ground -------------------------------------------------------------------------------------


@pytest.fixture
def outline(tmp_path):
    ring = [[x / 10**7, y / 10**7] for x, y in (*ground().corners, ground().corners[0])]
    path = tmp_path / "north.geojson"
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    return path


def site(project, outline, *more, code="north"):
    facts = ("--species", "spruce", "--planted", "2019-03-12")
    plans = ("--methodology", "CCER-14-001-V01", "--plan", "plan 7")
    return run("site", project, code, outline, *facts, *plans, "--as", "Li", *more)


def test_a_site_is_measured_then_entered(grove, outline):
    assert "419.83 ha" in site("grove", outline)
    assert ProjectSite.objects.count() == 0
    assert "Entered" in site("grove", outline, "--yes")
    assert ProjectSite.objects.get().area_m2 == 4_198_333


def test_ground_that_serves_already_is_refused_with_its_project(grove, outline):
    site("grove", outline, "--yes")
    make_project("copse")
    with pytest.raises(CommandError, match="north of the project grove"):
        site("copse", outline, "--yes")
    assert ProjectSite.objects.count() == 1


@pytest.mark.parametrize(
    ("project", "code", "why"),
    [("elsewhere", "north", "No project"), ("grove", "../x", "code"), ("grove", "ä", "code")],
)
def test_what_does_not_fit_is_refused(project, code, why, grove, outline):
    with pytest.raises(CommandError, match=why):
        site(project, outline, "--yes", code=code)
    assert ProjectSite.objects.count() == 0


def test_a_wrong_site_is_taken_back(grove, outline):
    site("grove", outline, "--yes")
    words = ("site", "grove", "north", "--withdraw", "swapped files", "--as", "Li")
    assert "Nothing was withdrawn" in run(*words)
    assert "Withdrawn" in run(*words, "--yes")
    assert ProjectSite.objects.get().withdrawn_at is not None
    with pytest.raises(CommandError, match="No such site"):
        run(*words, "--yes")
    make_project("copse")
    assert "Entered" in site("copse", outline, "--yes")


# --- how a batch stands -------------------------------------------------------------------------


def test_a_standing_is_shown_then_told(grove, tmp_path):
    batch = make_batch(grove, serial_text="CDCER-S-1~2")
    notice = tmp_path / "notice.pdf"
    notice.write_bytes(b"notice 12")
    words = (
        "standing",
        batch.public_id,
        "--credit-class",
        "puhui",
        "--recognised-on",
        "2026-02-01",
    )
    words += ("--recognition-evidence", "notice 12", "--recognition-file", notice)
    assert "credit_class: other -> puhui" in run(*words)
    batch.refresh_from_db()
    assert batch.credit_class == "other"
    assert "Told." in run(*words, "--as", "Li", "--yes")
    batch.refresh_from_db()
    assert (batch.credit_class, batch.recognition_evidence) == ("puhui", "notice 12")
    assert len(batch.recognition_sha256) == 64
    assert "stood so before" in run(*words, "--as", "Li", "--yes")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--ccp-reference", "a list"), "CCP label needs a reference and its day"),
        (("--adjustment-status", "completed"), "needs a reference and its day"),
        (("--ccp-on", "2999-01-01"), "has not come yet"),
        (("--ccp-on", "soon"), "Nothing was changed"),
        (("--recognition-file", "/nowhere"), "Nothing was changed"),
        (("--ccp-reference", "x" * 201), "Too long"),
    ],
)
def test_a_standing_without_its_proof_is_refused(words, why, grove):
    batch = make_batch(grove, serial_text="CDCER-S-1~2")
    with pytest.raises(CommandError, match=why):
        run("standing", batch.public_id, *words, "--as", "Li", "--yes")


def test_no_batch_has_that_number(db):
    with pytest.raises(CommandError, match="No batch"):
        run("standing", "b-1-1")
