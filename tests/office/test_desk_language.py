"""No page of the desk calls a state or a column in English to whoever reads another language.

What is forbidden is read from the models' own choices and the desk's own columns: a new state
without words of its own fails here.
"""

import html
import re
from collections import defaultdict
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client, override_settings
from django.utils.translation import override

from diandian.jobs.seed import seed
from diandian.office.admin import DESKS
from diandian.office.desk_columns import COLUMNS
from diandian.office.desk_names import column_name
from diandian.office.desk_states import STATES, state_word
from diandian.orders.models import Order
from diandian.settlement.models import Batch, Line

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
LANGUAGES = ("zh-hans", "nl")
# What scripts and drawings hold, and what is shown in each language side by side.
_UNSEEN = re.compile(r"<(script|style|svg|template|p(?= lang=))\b.*?</\1>|<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


def shown_fields():
    """Return (desk, model, field) for all that a desk shows."""
    for desk in DESKS:
        model = apps.get_model(desk.model)
        for field in model._meta.concrete_fields:
            if field.name not in desk.hidden:
                yield desk, model, field


def with_choices():
    return [
        (desk.model, field.name, value, str(label))
        for desk, _, field in shown_fields()
        if field.choices
        for value, label in field.flatchoices
    ]


def in_language(lang):
    """Return what is said in a language of states and columns, by what English says of it."""
    said = defaultdict(set)
    for model, field, value, label in with_choices():
        with override(lang):
            own = state_word(model, field, value)
        with override("en"):
            english = state_word(model, field, value)
        for text in (value, label, english):
            said[text.lower()].add(own.lower())
    for desk, _, field in shown_fields():
        name = field.name.removesuffix("_g").removesuffix("_minor")
        with override(lang):
            own = str(column_name(field.name, desk.model)).lower()
        with override("en"):
            english = str(column_name(field.name, desk.model)).lower()
        for text in (name.replace("_", " "), english):
            said[text].add(own)
    said.pop("", None)
    return said


def forbidden(lang):
    """Return the English words that nothing is called in a language: "open" is Dutch as well."""
    said = in_language(lang)
    own = set().union(*said.values())
    return set(said) - own


def visible(page):
    """Return each piece of text that a page shows, also the parts between dots and commas."""
    text = _TAG.sub("\n", _UNSEEN.sub("\n", page))
    lines = {" ".join(html.unescape(line).split()).lower() for line in text.split("\n")}
    return lines | {part.strip() for line in lines for part in re.split(r"[·,：，]|: ", line)}


@pytest.fixture(scope="module")
def sample(django_db_setup, django_db_blocker, tmp_path_factory):
    """Seed once for all tests of this file, and leave nothing behind."""
    bank = override_settings(SANDBOX_STORE=tmp_path_factory.mktemp("bank") / "bank.sqlite3")
    with bank, django_db_blocker.unblock(), transaction.atomic():
        assert seed(lambda _line: None)
        yield
        transaction.set_rollback(True)


@pytest.fixture
def desk(sample, db):
    user = get_user_model().objects.create_superuser("li", "li@example.invalid", "long enough 12")
    client = Client()
    client.force_login(user)
    return client


def pages(model):
    """Return the list, and a page of facts for each state that there is a row of."""
    meta = apps.get_model(model)._meta
    base = f"/admin/{meta.app_label}/{meta.model_name}/"
    yield base
    rows = meta.model.objects.order_by("-pk")[:400]
    states = {getattr(row, "state", ""): row.pk for row in rows}
    for number in states.values():
        yield f"{base}{number}/change/"


def test_every_choice_that_a_desk_shows_has_words_of_its_own():
    lacking = {
        f"{model} {field}: {value!r}"
        for model, field, value, _ in with_choices()
        if value not in STATES.get(f"{model} {field}", {})
    }
    assert lacking == set()


def test_every_column_that_a_desk_shows_has_words_of_its_own():
    known = {text.lower() for text in COLUMNS.values()}
    with override("en"):
        names = {
            f"{desk.model} {field.name}": str(column_name(field.name, desk.model)).lower()
            for desk, _, field in shown_fields()
        }
    assert {name for name, words in names.items() if words not in known} == set()


def test_words_are_about_fields_that_exist_and_values_that_can_be():
    for name, words in STATES.items():
        model, _, field = name.partition(" ")
        choices = dict(apps.get_model(model)._meta.get_field(field).flatchoices)
        assert not choices or set(words) == set(choices), name


def test_the_walk_sees_english_where_there_is_some():
    assert {"partly paid", "awaiting payment", "created at", "payment no"} <= forbidden("zh-hans")
    assert {"partly paid", "awaiting payment", "created at"} <= forbidden("nl")
    page = "<th>Created <b>at</b></th><td>Partly Paid</td><p>no. 7 · queued</p>"
    assert {"partly paid", "queued"} <= visible(page) & forbidden("nl")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("model", [each.model for each in DESKS])
def test_no_page_calls_a_state_or_a_column_in_english(desk, model, lang):
    never, found = forbidden(lang), {}
    for path in pages(model):
        answer = desk.get(path, headers={"accept-language": lang})
        assert answer.status_code == 200, path
        if left := visible(answer.content.decode()) & never:
            found[path] = left
    assert found == {}


@pytest.mark.parametrize(
    ("lang", "day", "zone"),
    [
        ("zh-hans", "2026年11月29日 14:05", "北京时间"),
        ("en", "29 Nov 2026, 14:05", "Beijing time"),
        ("nl", "29 nov 2026 14:05", "Beijingtijd"),
    ],
)
def test_times_are_written_as_people_write_them_and_their_zone_is_said_once(desk, lang, day, zone):
    at = datetime(2026, 11, 29, 6, 5, tzinfo=UTC)
    order = Order.objects.order_by("-id").first()
    Order.objects.filter(id=order.id).update(created_at=at)
    for path in ("/admin/orders/order/", f"/admin/orders/order/{order.id}/change/"):
        page = desk.get(path, headers={"accept-language": lang}).content.decode()
        assert day in page
        assert page.count(zone) == 1


def test_a_draft_that_is_too_small_says_so_and_has_no_button_to_lock_it(desk):
    batch = Batch.objects.get()
    path = f"/admin/settlement/batch/{batch.id}/change/"
    page = desk.get(path, headers={"accept-language": "en"}).content.decode()
    assert "Too little to be locked: a payout starts at ¥100.00." in page
    assert 'value="lock"' not in page
    Batch.objects.filter(id=batch.id).update(net_minor=10_000)
    page = desk.get(path, headers={"accept-language": "en"}).content.decode()
    assert "Too little" not in page
    assert 'value="lock"' in page


def test_what_a_part_waits_for_is_said_in_words(desk):
    Line.objects.update(state="failed", next_look_at=None, disputed_at=None, batch=None)
    Line.objects.update(waits_for="supplier")
    page = desk.get("/admin/settlement/batch/due/", headers={"accept-language": "nl"})
    assert "de leverancier heeft er geen bevestigde rekening voor" in page.content.decode()
