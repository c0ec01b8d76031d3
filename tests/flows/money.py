"""What the tests of money back share: orders at every stage, people, and a bank that acts."""

import pytest
from django.db import transaction

from diandian.audit import queries as audit
from diandian.flows import fulfil, invariants, resolve
from diandian.ledger import chart
from diandian.orders import actions as orders
from diandian.orders.models import Order, OrderState
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.gateways.sandbox import refunds as desk
from diandian.payments.models import Payment
from tests.flows.books import books

DISPUTED = chart.disputed_funds("CNY")
LOSS = chart.chargeback_loss("CNY")
GOODWILL = chart.goodwill("CNY")
LI = {"actor": "operator:li", "reason": "looked at the statement"}
WANG = {"actor": "operator:wang"}


@pytest.fixture(autouse=True)
def whole(world):
    yield
    assert invariants.check() == []


@pytest.fixture(name="done")
def done_order(world):
    """An order whose grams are retired."""
    order = world.order()
    assert world.pay(order) == "completed"
    return order


@pytest.fixture(name="paid")
def paid_order(world, crash):
    """An order whose money is here and whose grams are not retired yet."""
    mend = crash(fulfil, "fulfil_order")
    order = world.order()
    assert world.pay(order) == "paid"
    mend()
    return order


@pytest.fixture(name="looked_at")
def reviewed_order(paid):
    """A paid order that people look at."""
    with transaction.atomic():
        assert orders.move(Order.objects.get(id=paid.id), OrderState.REVIEW)
        orders.park(paid.intake)
    return paid


def total(order):
    return order.quote.total_minor


def back(world, order, amount_minor):
    """Somebody gives money back in the gateway's console."""
    return desk.by_hand(world.peer, world.payment(order).payment_no, amount_minor, world.now)


def take(world, order, amount_minor=None, fee_minor=0):
    """A bank takes money back; return its number and the notice."""
    number = world.payment(order).payment_no
    amount_minor = total(order) if amount_minor is None else amount_minor
    return bank.begin(
        world.peer, number, amount_minor=amount_minor, fee_minor=fee_minor, now=world.now
    )


def part(world, order, amount_minor, *, dry=False, seen_minor=None, **who):
    payment = Payment.objects.get(id=world.payment(order).id)
    seen_minor = payment.refunded_minor if seen_minor is None else seen_minor
    wish = resolve.Part(payment.payment_no, amount_minor, seen_minor)
    at = who.pop("at", world.now)
    return resolve.refund_part(order.id, part=wish, dry=dry, at=at, **(LI | who))


def acts(order):
    return [entry.action for entry in audit.trail(order.ref)]


def all_books(world):
    more = (DISPUTED, LOSS, GOODWILL)
    return {code: amount for code, amount in books(world).items() if amount} | {
        code: world.balance(code) for code in more if world.balance(code)
    }
