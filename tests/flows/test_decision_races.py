"""Two people, or a person and the worker, decide at the same moment: one decision, once."""

import pytest

from diandian.flows import fulfil, refund, resolve
from diandian.ledger import queries as ledger
from diandian.orders.models import Intake, Order, OrderState
from diandian.payments.models import Refund
from diandian.registry.models import Retirement
from tests.flows.test_payment_races import together  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

WHO = {"actor": "operator:Wang", "reason": "at the same moment"}


@pytest.fixture
def reviewed(world, monkeypatch):
    """Paid orders under review, out of the queue."""
    with monkeypatch.context() as patch:
        patch.setattr(fulfil, "fulfil_order", lambda *_, **__: None)
        orders = [world.order(1000) for _ in range(4)]
        assert {world.pay(order) for order in orders} == {"paid"}
    Order.objects.all().update(state=OrderState.REVIEW)
    Intake.objects.all().update(state="parked")
    return orders


def test_accepted_and_given_back_at_the_same_moment(world, reviewed, together):  # noqa: F811
    decisions = [resolve.accept, resolve.give_back, resolve.refund_order]
    _, errors = together(
        *[
            lambda order=order, decide=decide: decide(order.id, at=world.now, **WHO)
            for order in reviewed
            for decide in decisions
        ],
        lambda: fulfil.drain(at=world.now),
    )
    assert {type(error).__name__ for error in errors} <= {
        "NotUnderReviewError",
        "NothingToRefundError",
        "RetiredNotRefundableError",
    }
    fulfil.drain(at=world.now)
    refund.continue_refunds(at=world.later(minutes=1))
    refunded = 0
    for order in Order.objects.all():
        retired = Retirement.objects.filter(source_ref=f"{order.ref}:retirement").count()
        assert order.state == ("completed" if retired else "refunded")
        refunded += not retired
    assert Refund.objects.filter(state="succeeded").count() == Refund.objects.count() == refunded
    assert world.stock().retired_g == 1000 * (4 - refunded)
    assert world.stock().held_g == 0


def test_the_same_decision_by_five_people(world, reviewed, together):  # noqa: F811
    [order, *_] = reviewed
    done, errors = together(
        *[lambda: resolve.accept(order.id, at=world.now, **WHO) for _ in range(5)]
    )
    assert len(done) == 1
    assert {type(error).__name__ for error in errors} == {"NotUnderReviewError"}
    assert world.state(order) == "completed"
    sales = [entry for entry in ledger.entries_of(order.ref) if entry.journal.kind == "sale"]
    assert sum(entry.amount_minor for entry in sales) == order.quote.total_minor
