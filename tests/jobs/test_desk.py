"""The operator's desk: everything can be looked up, nothing can be changed, no secret is shown."""

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from diandian.audit import actions as audit_actions
from diandian.audit.models import AuditEntry
from diandian.office.admin import DESKS
from diandian.orders.models import Order
from diandian.ui import limits

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough password"


@pytest.fixture
def desk(db):
    get_user_model().objects.create_superuser("operator", "operator@example.invalid", PASSWORD)
    client = Client()
    page = client.get("/admin/login/")
    assert page.status_code == 200
    answer = client.post("/admin/login/", {"username": "operator", "password": PASSWORD})
    assert answer.status_code == 302
    return client


def address(model, page, *args):
    room, name = model.lower().split(".")
    return reverse(f"admin:{room}_{name}_{page}", "diandian.config.urls_desk", args)


def test_a_stranger_is_sent_to_the_sign_in_page():
    answer = Client().get("/admin/orders/order/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("model", [each.model for each in DESKS])
def test_each_list_opens_and_searches(desk, model):
    page = desk.get(address(model, "changelist"))
    assert page.status_code == 200
    assert desk.get(address(model, "changelist"), {"q": "1"}).status_code == 200


@pytest.mark.parametrize("model", [each.model for each in DESKS])
def test_nothing_can_be_added(desk, model):
    assert desk.get(address(model, "add")).status_code == 403
    assert desk.post(address(model, "add"), {}).status_code == 403


def test_an_entry_can_be_read_and_neither_changed_nor_deleted(desk):
    entry = audit_actions.record(actor_ref="test", action="test.done", subject_ref="thing:1")
    page = desk.get(address("audit.AuditEntry", "change", entry.id))
    assert page.status_code == 200
    assert "test.done" in page.content.decode()
    changed = desk.post(address("audit.AuditEntry", "change", entry.id), {"action": "forged"})
    assert changed.status_code == 403
    deleted = desk.post(address("audit.AuditEntry", "delete", entry.id), {"post": "yes"})
    assert deleted.status_code == 403
    assert AuditEntry.objects.get(id=entry.id).action == "test.done"


def test_secret_links_stay_secret(rf):
    columns = admin.site._registry[Order].get_fields(rf.get("/"))
    shown = {getattr(each, "admin_order_field", each) for each in columns}
    assert "state" in shown
    assert not {"token", "guest_key", "quote", "footprint"} & shown


def sign_in(password, name="operator", client=None, **extra):
    client = client or Client(headers={"accept-language": "en"})
    form = {"username": name, "password": password}
    return client.post("/admin/login/", form, **extra)


@pytest.fixture
def few_failures(desk, settings):
    settings.SIGN_IN_FAILURES = 3
    limits.sign_in_failures.forget()
    yield
    limits.sign_in_failures.forget()


def test_guessing_a_password_waits_also_with_the_right_one(few_failures):
    for _ in range(3):
        assert "Signing in failed too often" not in sign_in("wrong").content.decode()
    answer = sign_in(PASSWORD)
    assert answer.status_code == 200, "not signed in: the form comes back"
    assert "Signing in failed too often" in answer.content.decode()
    assert "wait a quarter of an hour" in answer.content.decode()


def test_a_name_waits_wherever_the_guesses_come_from(few_failures):
    for number in range(3):
        sign_in("wrong", " Operator", REMOTE_ADDR=f"198.51.100.{number}")
    answer = sign_in(PASSWORD, REMOTE_ADDR="198.51.100.99")
    assert "Signing in failed too often" in answer.content.decode()


def test_an_address_waits_whatever_names_are_tried(few_failures):
    for number in range(3):
        sign_in("wrong", f"name{number}", REMOTE_ADDR="198.51.100.7")
    kept_out = sign_in(PASSWORD, REMOTE_ADDR="198.51.100.7")
    assert "Signing in failed too often" in kept_out.content.decode()
    assert sign_in(PASSWORD, REMOTE_ADDR="198.51.100.8").status_code == 302


def test_signing_in_rightly_is_never_counted(few_failures):
    assert [sign_in(PASSWORD).status_code for _ in range(6)] == [302] * 6


def test_signing_in_works_behind_a_proxy_that_ends_tls(desk, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://testserver"]
    client = Client(enforce_csrf_checks=True)
    token = client.get("/admin/login/").cookies["csrftoken"].value
    form = {"username": "operator", "password": PASSWORD, "csrfmiddlewaretoken": token}
    ours = client.post("/admin/login/", form, headers={"origin": "https://testserver"})
    assert ours.status_code == 302
    theirs = client.post("/admin/login/", form, headers={"origin": "https://elsewhere.example"})
    assert theirs.status_code == 403
