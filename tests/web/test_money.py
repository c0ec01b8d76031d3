"""Where the money went, as anybody may read it: true once it is so, and nobody's account."""

import pytest
from django.test import Client

from diandian.certificates import queries as certificates
from diandian.flows import accruing, settling
from diandian.registry import queries
from tests.flows.conftest import clock, world  # noqa: F401 - the world of money, here too
from tests.flows.settling import AFTER, payee, retired, settle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]


def text(answer):
    return answer.content.decode().replace("\xa0", " ").replace("\u202f", " ")


def page_of(order, lang="en"):
    code = certificates.of_order(order.ref).code
    return text(Client(headers={"accept-language": lang}).get(f"/c/{code}"))


def test_a_certificate_says_that_its_project_was_paid_once_it_was(world):  # noqa: F811
    payee(at=world.now)
    order = retired(world)
    before = page_of(order)
    accruing.accrue(at=world.now)
    assert page_of(order) == before
    assert "went to" not in before
    settle(world, **AFTER)
    after = page_of(order)
    assert "Of ¥8.04, ¥7.44 went to sample-solar, paid 2026-11-30." in after
    assert "no money moved" in after
    assert "acct_solar" not in after


def test_what_was_taken_back_is_not_said_to_have_been_paid(world):  # noqa: F811
    payee(at=world.now)
    order = retired(world)
    settle(world, **AFTER)
    payment = world.payment(order)
    settling.reverse_before_refund(payment, 402, at=world.later(days=9), refund_no="R1")
    assert "Of ¥4.02, ¥3.72 went to" in page_of(order)
    settling.reverse_before_refund(payment, 402, at=world.later(days=9), refund_no="R2")
    assert "went to" not in page_of(order)


def test_the_signed_record_is_not_changed(world):  # noqa: F811
    payee(at=world.now)
    order = retired(world)
    before = certificates.of_order(order.ref).credential
    settle(world, **AFTER)
    assert certificates.of_order(order.ref).credential == before


def test_the_books_say_by_project_and_month_what_reached_it(world):  # noqa: F811
    payee(at=world.now)
    retired(world)
    retired(world, name="Wu")
    settle(world, **AFTER)
    retired(world, name="Yu")
    accruing.accrue(at=world.now)
    sent = Client().get("/books/suppliers.csv")
    rows = b"".join(sent.streaming_content).decode()
    assert "2026-11,sample-solar,CNY,3,2412,2232,180,1488" in rows
    for address in ("/books", "/projects/sample-solar"):
        page = text(Client(headers={"accept-language": "en"}).get(address))
        assert "Where the money went" in page
        assert "¥14.88" in page
        assert "acct_solar" not in page


def test_the_books_call_a_project_by_its_name(world):  # noqa: F811
    payee(at=world.now)
    retired(world)
    settle(world, **AFTER)
    names = queries.project_by_code("sample-solar").names
    for lang, key in (("en", "en"), ("nl", "nl"), ("zh-CN", "zh-Hans")):
        page = text(Client(headers={"accept-language": lang}).get("/books"))
        link = f'<a href="/projects/sample-solar">{names[key].replace("|", "")}</a>'
        assert link in page, lang
