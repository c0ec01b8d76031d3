"""Days of gateways at the operator's desk: looked at, signed by one or two, fetched again."""

import re
from dataclasses import replace

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from diandian.flows import differences as people
from diandian.payments.gateways.sandbox.gateway import peer_of
from diandian.payments.merchants import context_for
from diandian.payments.messages import Unknown
from diandian.reconciliation.models import DayState
from tests.flows.conftest import NOW, World, make_project
from tests.flows.statements import TEN, answered, the_day, told, turn

pytestmark = pytest.mark.django_db
BASE = "/admin/reconciliation/gatewayday"
SIGNS = ("view_gatewayday", "change_gatewayday")


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world(clock, db, settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.KEYS_DIR = tmp_path / "keys"
    settings.DATA_DIR = tmp_path
    made = World(make_project(), peer_of(context_for("sandbox")))
    assert made.pay(made.order()) == "completed"
    clock.move_to(TEN)
    yield made
    made.peer.hang_up()


def operator(name, *permissions, lang="en"):
    user = get_user_model().objects.create_user(name, f"{name}@example.invalid", "long enough 12")
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(headers={"accept-language": lang})
    client.force_login(user)
    return client


@pytest.fixture
def li(db):
    return operator("li", *SIGNS)


def text(answer):
    return answer.content.decode().replace("\xa0", " ").replace("\u202f", " ")


def dearer(lines):
    first = lines[0]
    return [replace(first, gross_minor=700, net_minor=700 - first.fee_minor), *lines[1:]]


def decide(client, action, *, reason="", of=None, **changes):
    day = the_day()
    sent = {"action": action, "reason": reason}
    if of is not None:
        item = of.item
        sent |= {"kind": item.statement_kind, "key": item.key, "seen": item.seen}
    return text(client.post(f"{BASE}/{day.id}/decide/", sent | changes, follow=True))


@pytest.fixture
def odd(world):
    with told(dearer, kinds=("trades",)):
        turn()
    [found] = people.of_day(the_day())
    return found


def test_without_a_statement_the_page_says_what_is_to_come(li, db):
    page = text(li.get(f"{BASE}/overview/"))
    assert "The first comes on the day after the first payment." in page


def test_days_and_the_proof_of_the_balance_stand_on_one_page(li, world):
    turn()
    page = text(li.get(f"{BASE}/overview/"))
    assert "22 Nov 2026" in page
    assert "closed" in page
    assert "7.99" in page
    assert "0 differences on days that are not closed" in page


@pytest.mark.parametrize(
    ("lang", "head", "advice"),
    [
        ("en", "payment: another amount", "Compare it with the order"),
        ("nl", "betaling: ander bedrag", "Vergelijk het met de bestelling"),
        ("zh-hans", "付款: 金额不同", "请与订单比对"),
    ],
)
def test_a_difference_says_what_it_means_in_every_language(odd, lang, head, advice):
    page = text(operator("wang", *SIGNS, lang=lang).get(f"{BASE}/{the_day().id}/change/"))
    assert head in page
    assert advice in page
    assert odd.item.our_no in page


def test_no_two_differences_have_the_same_head(li, world):
    with told(dearer, kinds=("trades", "funds")):
        turn()
    found = people.of_day(the_day())
    page = text(li.get(f"{BASE}/{the_day().id}/change/"))
    heads = re.findall(r'<h2 id="difference-[0-9]+">([^<]+)', page)
    assert len(set(heads)) == len(found) > 1


def test_a_day_without_its_statement_says_why(li, world):
    with answered(Unknown("the file is cut off")):
        turn()
    page = text(li.get(f"{BASE}/{the_day().id}/change/"))
    assert "No whole statement came (the file is cut off). Nothing of it was read." in page
    assert "asked again from 23 Nov 2026" in page


def test_one_signs_little_money_and_the_day_closes(li, odd):
    said = decide(li, "sign", reason="a coupon", of=odd)
    assert "Signed. The day closes when nothing else is open." in said
    assert the_day().state == DayState.CLOSED
    assert "Signed by li" in said
    assert "a coupon" in said


def test_two_sign_much_money(li, odd, settings):
    settings.SIGN_ALONE_MINOR = 10
    assert "So much money takes two persons" in text(li.get(f"{BASE}/{the_day().id}/change/"))
    assert "A second person must look" in decide(li, "sign", reason="a coupon", of=odd)
    assert "You have signed this already" in decide(li, "sign", reason="a coupon", of=odd)
    assert the_day().state == DayState.OPEN
    decide(operator("wang", *SIGNS), "sign", reason="seen", of=odd)
    assert the_day().state == DayState.CLOSED


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"reason": ""}, "Nothing was signed"),
        ({"reason": "x" * 301}, "Nothing was signed"),
        ({"reason": "a", "seen": "0" * 64}, "has changed since"),
        ({"reason": "a", "key": "there:payment:none"}, "not there any more"),
        ({"reason": "a", "kind": "funds"}, "not there any more"),
    ],
)
def test_what_was_not_seen_is_not_signed(li, odd, form, said):
    assert said in decide(li, "sign", of=odd, **form)
    assert the_day().state == DayState.OPEN


def test_somebody_takes_it_and_fetches_again(li, odd):
    assert "li looks into it" in decide(li, "take", of=odd)
    assert "Fetched and matched again" in decide(li, "again")
    assert the_day().state == DayState.CLOSED
    assert "is closed. Nothing was changed." in decide(li, "again")


def test_fetching_in_vain_says_so(li, odd):
    with answered(Unknown("timeout")):
        assert "there is still no whole statement" in decide(li, "again")
    assert the_day().state == DayState.OPEN


def test_a_table_for_spreadsheets_holds_no_formula(li, world):
    with told(lambda lines: [replace(lines[0], gateway_ref="=1+1", our_no="@x")]):
        turn()
    answer = li.get(f"{BASE}/{the_day().id}/day.csv")
    table = b"".join(answer.streaming_content).decode()
    assert table.startswith("\ufeffstatement,kind,class")
    assert "'=1+1" in table
    assert ",'@x," in table
    assert "sandbox-2026-11-22.csv" in answer["Content-Disposition"]


def test_who_may_only_look_signs_nothing(odd):
    looks = operator("zhao", "view_gatewayday")
    page = text(looks.get(f"{BASE}/{the_day().id}/change/"))
    assert "another amount" in page
    assert "Sign that it is in order" not in page
    assert looks.post(f"{BASE}/{the_day().id}/decide/", {"action": "again"}).status_code == 403
    nobody = operator("qian")
    for path in ("overview/", f"{the_day().id}/day.csv"):
        assert nobody.get(f"{BASE}/{path}").status_code == 403


def test_days_that_are_not_there_are_not_found(li):
    assert li.get(f"{BASE}/7/day.csv").status_code == 404
    assert li.post(f"{BASE}/7/decide/", {"action": "again"}).status_code == 404
