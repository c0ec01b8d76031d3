"""Of several payments of one order, the one that was booked as its price decides whose sale it is.

Paid once to us and once to the supplier: a sale booked by the other one's terms would leave memo
accounts overdrawn, and earn a fee from money that goes back.
"""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps

from diandian.flows import accruing, fulfil, resolve
from diandian.ledger.models import Journal
from diandian.orders.errors import MoneyDiffersError
from diandian.orders.models import Order, OrderPayment
from diandian.payments.models import Payment
from diandian.settlement.models import Line
from tests.flows.settling import house_breaches

find_prices = import_module("diandian.orders.migrations.0008_find_prices").find_prices

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(world, crash):
    """Return an order that is paid and not retired yet."""
    mend = crash(fulfil, "fulfil_order")
    order = world.order(124_000)
    assert world.pay(order) == "paid"
    mend()
    return order


def another(world, order, *, settlement, paid_at=None, amount_minor=None):
    """Pay an order again, by other terms; return that payment."""
    spare = Payment.objects.get(order_link__order=order, state="succeeded")
    amount_minor = amount_minor or spare.amount_minor
    spare.id, spare.payment_no, spare.state, spare.paid_at = None, "DD261122SPARE", "pending", None
    spare.settlement, spare.amount_minor = settlement, amount_minor
    spare.received_minor, spare.received_currency, spare.received_merchant = None, "", ""
    spare.save()
    OrderPayment.objects.create(order=order, payment=spare)
    world.peer.create(
        payment_no=spare.payment_no,
        merchant=spare.merchant,
        amount_minor=amount_minor,
        currency=spare.currency,
        subject="again",
        return_url="/",
        expires_at=world.later(minutes=9),
    )
    world.deliver(world.peer.settle_anyway(spare.payment_no, paid_at or world.now))
    spare.refresh_from_db()
    return spare


def sold(order):
    journal = Journal.objects.get(owner_ref=order.ref, kind="sale")
    rows = journal.transfers.all()
    return {(row.debit_code.split(":")[1], row.credit_code.split(":")[1]) for row in rows}


OURS = {("2110", "2010"), ("2110", "4010"), ("2110", "2310")}


def test_what_was_paid_earlier_and_heard_of_later_is_not_the_price(world, waiting):
    first = world.payment(waiting)
    spare = another(
        world, waiting, settlement="gateway_split", paid_at=first.paid_at - timedelta(minutes=1)
    )
    assert (spare.state, spare.paid_at < first.paid_at) == ("succeeded", True)
    assert fulfil.fulfil_order(waiting.id, at=world.now)
    assert sold(waiting) == OURS
    accruing.accrue(at=world.now)
    line = Line.objects.get(owner_ref=waiting.ref)
    assert (line.payment_no, line.settlement) == (first.payment_no, "connect")
    assert house_breaches() == []


@pytest.mark.parametrize("settlement", ["connect", "gateway_split"])
def test_only_what_was_collected_alike_makes_a_price_together(world, odd, settlement):
    order = world.order(124_000)
    short = odd(order)
    rest = another(world, order, settlement=settlement, amount_minor=1)
    assert (short.received_minor + rest.received.amount_minor) == order.quote.total_minor
    decide = {"actor": "operator:li", "reason": "all is there", "at": world.now}
    if settlement == "connect":
        resolve.accept(order.id, **decide)
        assert sold(order) == OURS
        assert Order.objects.get(id=order.id).paid_by == short
    else:
        with pytest.raises(MoneyDiffersError):
            resolve.accept(order.id, **decide)
        assert world.state(order) == "review"
    assert house_breaches() == []


def test_the_price_of_orders_made_before_is_found_in_the_books(world, waiting):
    price = world.payment(waiting)
    another(world, waiting, settlement="gateway_split")
    Order.objects.update(paid_by=None, settlement="")
    find_prices(apps, None)
    stored = Order.objects.get(id=waiting.id)
    assert (stored.paid_by, stored.settlement) == (price, "connect")


def test_the_price_is_written_with_the_payment(world, waiting):
    stored = Order.objects.get(id=waiting.id)
    assert stored.paid_by == world.payment(waiting)
    assert stored.settlement == "connect"
