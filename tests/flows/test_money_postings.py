"""The example postings of the payments design, section 8, mode B, to the minor unit.

A guest pays 30.00; the fee of 3.00 contains 0.17 of tax; a chargeback costs 5.00.
"""

import pytest

from diandian.flows import fulfil, goodwill, refund
from diandian.kernel.money import Money
from diandian.ledger import rules
from diandian.ledger.models import Journal
from diandian.orders import actions as orders
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.gateways.sandbox import refunds as desk
from diandian.payments.models import Payment, Refund

pytestmark = [pytest.mark.django_db, pytest.mark.golden]

LI, WANG = "operator:li", "operator:wang"


@pytest.fixture
def shop(world):
    orders.set_offer(
        project=world.project,
        currency="CNY",
        price_per_tonne_minor=27_000,
        fee_basis_points=1_111,
        fee_minimum_minor=0,
        position=0,
        at=world.now,
    )
    return world


@pytest.fixture
def done(shop):
    order = shop.order(100_000)
    assert shop.pay(order) == "completed"
    return order


@pytest.fixture
def paid(shop, crash):
    mend = crash(fulfil, "fulfil_order")
    order = shop.order(100_000)
    assert shop.pay(order) == "paid"
    mend()
    return order


def posted(order, *kinds):
    """Return debit, credit and amount of what was booked, in order, by account number."""
    journals = Journal.objects.filter(owner_ref=order.ref, kind__in=kinds).order_by("id")
    return [
        (row.debit_code.split(":")[1], row.credit_code.split(":")[1], row.amount_minor)
        for journal in journals
        for row in journal.transfers.order_by("id")
    ]


def test_captured_and_retired(done):
    assert done.quote.total_minor == 3000
    assert posted(done, "capture") == [("1110", "2110", 3000)]
    assert posted(done, "sale") == [
        ("2110", "2010", 2700),
        ("2110", "4010", 283),
        ("2110", "2310", 17),
    ]


def test_the_gateways_fee():
    [line] = rules.build_gateway_fee(Money(18, "CNY"), gateway="stripe", merchant="acct")
    assert (line.debit_code, line.credit_code) == ("CNY:5110", "CNY:1110:stripe:acct")
    assert line.amount_minor == 18


@pytest.mark.parametrize("end", ["succeeded", "failed"])
def test_refunded_before_the_retirement(shop, paid, end):
    desk.think(shop.peer, shop.payment(paid).payment_no)
    asked = refund.refund_order(paid, "asked", at=shop.now)
    assert posted(paid, "refund_requested") == [("2110", "2120", 3000)]
    shop.deliver(desk.decide(shop.peer, asked.refund_no, end, shop.now))
    settled, failed = [("2120", "1110", 3000)], [("2120", "2110", 3000)]
    assert posted(paid, "refund_settled") == (settled if end == "succeeded" else [])
    assert posted(paid, "refund_failed") == ([] if end == "succeeded" else failed)


def test_goodwill_after_the_retirement(shop, done):
    asked = goodwill.ask(done.id, amount_minor=3000, actor=LI, reason="kind", at=shop.now)
    goodwill.confirm(asked, actor=WANG, at=shop.now)
    assert posted(done, "refund_requested") == [("5130", "2120", 3000)]
    assert posted(done, "refund_settled") == [("2120", "1110", 3000)]


def test_paid_twice_and_refunded(shop, done):
    spare = Payment.objects.get()
    spare.id, spare.payment_no, spare.state, spare.paid_at = None, "DD261122SPARE", "pending", None
    spare.save()
    shop.peer.create(
        payment_no=spare.payment_no,
        merchant=spare.merchant,
        amount_minor=3000,
        currency="CNY",
        subject="again",
        return_url="/",
        expires_at=shop.later(minutes=9),
    )
    shop.deliver(shop.peer.settle_anyway(spare.payment_no, shop.now))
    assert posted(done, "unallocated") == [("1110", "2190", 3000)]
    assert posted(done, "refund_requested") == [("2190", "2120", 3000)]
    assert posted(done, "refund_settled") == [("2120", "1110", 3000)]
    assert Refund.objects.get().source == "2190"


@pytest.mark.parametrize(
    ("is_retired", "verdict", "booked"),
    [
        (False, "won", ("1110", "1150", 3000)),
        (True, "won", ("1110", "1150", 3000)),
        (False, "lost", ("2110", "1150", 3000)),
        (True, "lost", ("5120", "1150", 3000)),
    ],
)
def test_disputed(shop, request, is_retired, verdict, booked):
    order = request.getfixturevalue("done" if is_retired else "paid")
    number, notice = bank.begin(
        shop.peer,
        shop.payment(order).payment_no,
        amount_minor=3000,
        fee_minor=500,
        now=shop.now,
    )
    shop.deliver(notice)
    assert posted(order, "dispute_opened", "dispute_fee") == [
        ("1150", "1110", 3000),
        ("5120", "1110", 500),
    ]
    shop.deliver(bank.end(shop.peer, number, verdict, shop.now))
    assert posted(order, f"dispute_{verdict}") == [booked]
