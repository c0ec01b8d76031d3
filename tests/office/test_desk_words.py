"""The operator's desk speaks the operator's language, and shows money as money."""

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils.translation import gettext, override

from diandian.office.admin import DESKS
from diandian.office.desk_columns import COLUMNS
from diandian.office.desk_names import FRAME, ROOMS
from diandian.payments.models import Payment
from tests.flows.conftest import world  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
OWN_PAGES = (
    "/admin/payments/refund/money-back/",
    "/admin/payments/notification/lines/",
    "/admin/reconciliation/gatewayday/overview/",
    "/admin/reconciliation/gatewaypayout/overview/",
    "/admin/settlement/batch/due/",
    "/admin/settlement/payee/suppliers/",
    "/admin/registry/creditbatch/projects/",
    "/admin/registry/creditbatch/file/",
)
LANGUAGES = ("zh-hans", "nl")


@pytest.fixture
def desk(db):
    user = get_user_model().objects.create_superuser("li", "li@example.invalid", "long enough 12")
    client = Client()
    client.force_login(user)
    return client


def get(desk, path, lang="en"):
    return desk.get(path, headers={"accept-language": lang}).content.decode()


def words(lang):
    with override(lang):
        rooms = [str(apps.get_app_config(label).verbose_name) for label in ROOMS]
        lists = [str(apps.get_model(each.model)._meta.verbose_name_plural) for each in DESKS]
        return rooms + lists


@pytest.mark.parametrize("path", OWN_PAGES)
def test_each_page_of_the_desk_leads_home_by_its_name(desk, path):
    assert re.search(r'<a href="/admin/">\s*Diandian', get(desk, path))


def test_the_first_page_leads_to_each_place_where_work_waits(desk):
    links = set(re.findall(r'<li><a href="([^"]+)"', get(desk, "/admin/")))
    assert links >= {path for path in OWN_PAGES if not path.endswith("/file/")}


def test_the_first_page_leads_nowhere_that_one_may_not_go(desk):
    user = get_user_model().objects.create_user("wang", "w@example.invalid", "long enough 12")
    user.is_staff = True
    user.save()
    desk.force_login(user)
    assert not set(OWN_PAGES) & set(re.findall(r'href="([^"]+)"', get(desk, "/admin/")))
    user.user_permissions.set(Permission.objects.filter(codename="view_refund"))
    links = set(OWN_PAGES) & set(re.findall(r'href="([^"]+)"', get(desk, "/admin/")))
    assert links == {"/admin/payments/refund/money-back/"}
    for path in links:
        assert desk.get(path).status_code == 200


@pytest.mark.parametrize("lang", LANGUAGES)
def test_rooms_and_lists_have_names_in_each_language(desk, lang):
    page = get(desk, "/admin/", lang)
    for english, own in zip(words("en"), words(lang), strict=True):
        assert own[:1].upper() + own[1:] in page
        if lang == "zh-hans":
            assert own != english
    assert "Gateway days" not in page


def test_columns_have_names_in_each_language(desk, world):  # noqa: F811 - the fixture
    world.order()
    page = get(desk, "/admin/payments/payment/", "zh-hans")
    assert "付款单号" in page
    assert "Payment no" not in page
    assert "Nummer van de betaling" in get(desk, "/admin/payments/payment/", "nl")
    number = Payment.objects.get().id
    page = get(desk, f"/admin/payments/payment/{number}/change/", "zh-hans")
    assert "付款单号" in page
    assert "金额" in page


def test_no_column_of_money_is_without_a_name():
    rooms = {"payments", "orders", "settlement", "reconciliation", "ledger"}
    models = [apps.get_model(each.model) for each in DESKS]
    with override("en"):
        english = {
            str(field.verbose_name)
            for model in models
            for field in model._meta.concrete_fields
            if model._meta.app_label in rooms
            and field.name != "id"
            and field.name not in admin.site._registry[model].hidden
        }
    named = {text[:1].upper() + text[1:] for text in COLUMNS.values()}
    assert english - named == set()


def test_every_list_of_ours_has_a_name_of_its_own():
    ours = [model for model in admin.site._registry if model._meta.app_label != "auth"]
    assert {model._meta.label for model in ours} == {each.model for each in DESKS}
    names = [str(model._meta.verbose_name_plural) for model in ours]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_frame_around_speaks_it_too(desk, lang):
    page = get(desk, "/admin/payments/payment/?q=nothing-like-it", lang)
    shown = {text.strip() for text in re.findall(r'>([^<]+)<|="([^"]+)"', page) for text in text}
    with override(lang):
        left = {text for text in FRAME if text in shown and gettext(text) != text}
        assert gettext("Filters") in shown
        assert gettext("Type to search") in shown
    # A state of payments is called so as well; states are written as the log writes them.
    assert left - {"Unknown"} == set()


def test_a_page_of_facts_shows_money_and_mass_with_their_units(desk, world):  # noqa: F811
    order = world.order()
    world.pay(order)
    payment = Payment.objects.get(owner_ref=order.ref)
    page = get(desk, f"/admin/payments/payment/{payment.id}/change/")
    assert "Amount minor" not in page
    assert "¥" in page
    page = get(desk, f"/admin/orders/order/{order.id}/change/")
    assert re.search(r"\d[\u202f\xa0 ]?(kg|g)\b", page)
