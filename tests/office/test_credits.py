"""Credits at the operator's desk: looked up, stopped, taken out by two, entered from files."""

from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from diandian.audit.queries import trail
from diandian.registry import queries
from diandian.registry.models import CancellationRequest, CreditBatch
from tests.registry.builders import TONNE, hold, make_batch, make_programme, make_project

pytestmark = pytest.mark.django_db
BASE = "/admin/registry/creditbatch"
FILE = Path(__file__).parents[1] / "registry" / "samples" / "issuances.csv"
KEEPS = ("view_creditbatch", "change_creditbatch")


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def operator(name, *permissions):
    user = get_user_model().objects.create_user(name, f"{name}@example.invalid", "long enough 12")
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.fixture
def li(db):
    return operator("li", *KEEPS)


@pytest.fixture
def wang(db):
    return operator("wang", *KEEPS)


@pytest.fixture
def batch(db):
    programme = make_programme(code="CDCER", serial_parser="cdcer")
    return make_batch(make_project("grove", programme=programme), serial_text="CDCER-S-1~2")


def text(answer):
    return answer.content.decode().replace("\xa0", " ").replace("\u202f", " ")


def decide(client, batch, **form):
    return client.post(f"{BASE}/{batch.id}/decide/", form, follow=True)


def send(client, data, name="issuances.csv"):
    return client.post(f"{BASE}/file/", {"file": SimpleUploadedFile(name, data)})


# --- looking and stopping -----------------------------------------------------------------------


def test_every_batch_stands_under_its_project_with_its_stock(li, batch):
    hold(batch.project, 500_000, "order:1")
    make_batch(batch.project, serial_text="CDCER-S-3~3", is_ex_ante=True)
    page = text(li.get(f"{BASE}/projects/"))
    assert batch.public_id in page
    assert "CDCER-S-1" in page
    assert "500 kg" in page
    assert "only promised: counts zero" in page


def test_a_batch_is_paused_and_goes_on_with_reasons_in_the_trail(li, batch):
    assert "Pause it" in text(li.get(f"{BASE}/{batch.id}/change/"))
    said = text(decide(li, batch, action="stop", reason="documents", note="letter of 3 March"))
    assert "Paused: it neither sells nor retires" in said
    assert queries.available_g(batch.project_id) == 0
    decide(li, batch, action="go", reason="cleared")
    assert queries.available_g(batch.project_id) == 2 * TONNE
    frozen, opened = trail(f"batch:{batch.public_id}")
    assert (frozen.actor_ref, frozen.details["reason"]) == (
        "operator:li",
        "documents: letter of 3 March",
    )
    assert opened.action == "batch.open"


@pytest.mark.parametrize(
    "form",
    [
        {"action": "stop", "reason": "because"},
        {"action": "stop", "reason": "cleared"},
        {"action": "go", "reason": ""},
        {"action": "stop", "reason": "documents", "note": "x" * 301},
        {"action": "sell", "reason": "documents"},
        {"action": "cancel", "reason": "error", "kg": "1.5"},
        {"action": "cancel", "reason": "error", "kg": "-1"},
        {"action": "cancel", "reason": "error", "kg": "0"},
        {"action": "cancel", "reason": "error", "kg": "9" * 40},
        {"action": "cancel", "reason": "error", "kg": "000000000001" + "9" * 5000},
        {"action": "cancel", "reason": "error", "kg": "1 OR 1=1"},
        {},
    ],
)
def test_what_was_not_offered_changes_nothing(li, batch, form):
    assert "Nothing was changed" in text(decide(li, batch, **form))
    batch.refresh_from_db()
    assert batch.state == "open"
    assert not CancellationRequest.objects.exists()


# --- taking out ---------------------------------------------------------------------------------


def test_two_people_take_grams_out(li, wang, batch):
    decide(li, batch, action="cancel", reason="error", kg="700")
    asked = CancellationRequest.objects.get()
    answer = f"{BASE}/requests/{asked.id}/"
    assert "700" in text(wang.get(f"{BASE}/projects/"))
    said = text(li.post(answer, {"action": "confirm"}, follow=True))
    assert "Please let a second person decide" in said
    assert queries.stock(batch.project)["cancelled_g"] == 0
    wang.post(answer, {"action": "confirm"})
    assert queries.stock(batch.project)["cancelled_g"] == 700_000
    again = text(wang.post(answer, {"action": "confirm"}, follow=True))
    assert "This request was decided before" in again
    assert queries.stock(batch.project)["cancelled_g"] == 700_000


def test_a_request_is_refused(li, wang, batch):
    decide(li, batch, action="cancel", reason="error", kg="700")
    wang.post(f"{BASE}/requests/{CancellationRequest.objects.get().id}/", {"action": "refuse"})
    assert CancellationRequest.objects.get().state == "refused"
    assert queries.available_g(batch.project_id) == 2 * TONNE


# --- files --------------------------------------------------------------------------------------


def test_a_file_is_looked_at_then_entered(li, batch):
    page = text(send(li, FILE.read_bytes()))
    assert "This would be entered" in page
    assert "2,000,000 kg" in page or "2,000" in page
    assert CreditBatch.objects.count() == 1
    digest = page.partition('name="digest" value="')[2].partition('"')[0]
    done = text(li.post(f"{BASE}/file/", {"digest": digest}))
    assert "Entered" in done
    assert CreditBatch.objects.count() == 4
    assert "All of it is on record already" in text(send(li, FILE.read_bytes()))
    gone = li.post(f"{BASE}/file/", {"digest": digest})
    assert gone.status_code == 422
    assert "upload it again" in text(gone)


def test_a_refused_row_is_shown_where_it_is_wrong(li, batch):
    bad = FILE.read_bytes().replace(b"~000220,100", b"~000220,101")
    answer = send(li, bad)
    assert answer.status_code == 422
    page = text(answer)
    assert "<td>3</td><td>quantity</td>" in page
    assert 'name="digest"' not in page
    assert CreditBatch.objects.count() == 1


@pytest.mark.parametrize(
    "data", [b"", b"\x00\x01", b"PK\x03\x04broken", b"<html>", b"[" * 9999, b"a,b\n1,2\n"]
)
def test_hostile_files_are_refused_in_words(li, data):
    answer = send(li, data)
    assert answer.status_code == 422
    assert "Nothing was entered" in text(answer)


def test_what_a_file_says_is_shown_as_text(li, batch):
    bad = FILE.read_bytes().replace(b"grove", b"<script>alert(1)</script>")
    page = text(send(li, bad))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_no_file_is_said_so(li):
    assert "No file was chosen" in text(li.post(f"{BASE}/file/", {}))


def test_the_template_is_a_download(li):
    answer = li.get(f"{BASE}/file/template.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="issuances.csv"'


# --- who may ------------------------------------------------------------------------------------


def test_who_may_only_look_changes_nothing(batch, li):
    looks = operator("chen", "view_creditbatch")
    assert looks.get(f"{BASE}/projects/").status_code == 200
    page = text(looks.get(f"{BASE}/{batch.id}/change/"))
    assert "Pause it" not in page
    decide(li, batch, action="cancel", reason="error", kg="1")
    number = CancellationRequest.objects.get().id
    for address, form in (
        (f"{BASE}/{batch.id}/decide/", {"action": "stop", "reason": "documents"}),
        (f"{BASE}/requests/{number}/", {"action": "confirm"}),
        (f"{BASE}/file/", {"digest": "ab" * 32}),
    ):
        assert looks.post(address, form).status_code == 403
        assert Client().post(address, form).status_code == 302
    assert looks.get(f"{BASE}/file/template.csv").status_code == 403
    assert operator("zhao").get(f"{BASE}/projects/").status_code == 403
    batch.refresh_from_db()
    assert batch.state == "open"


def test_forged_requests_are_refused(batch):
    client = Client(enforce_csrf_checks=True)
    client.force_login(get_user_model().objects.create_superuser("he", "", "long enough 12"))
    form = {"action": "stop", "reason": "documents"}
    assert client.post(f"{BASE}/{batch.id}/decide/", form).status_code == 403


@pytest.mark.parametrize("address", ["/999999/decide/", "/requests/999999/", "/requests/0/"])
def test_what_is_not_there_is_not_found(li, address):
    assert li.post(f"{BASE}{address}", {}).status_code == 404
