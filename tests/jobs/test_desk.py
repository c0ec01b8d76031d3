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
    return reverse(f"admin:{room}_{name}_{page}", args=args)


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
    shown = admin.site._registry[Order].get_fields(rf.get("/"))
    assert "state" in shown
    assert not {"token", "guest_key", "quote", "footprint"} & set(shown)
