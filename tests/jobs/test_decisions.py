"""The commands of people: dry first, with name and reason, and a refusal says why."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from diandian.audit import queries as audit
from diandian.flows import fulfil
from diandian.orders.models import Intake, Order, OrderState
from diandian.payments.models import Refund
from diandian.registry import actions as registry
from diandian.registry.models import CreditBatch
from tests.flows.conftest import clock, crash, world  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db

WHO = ("--as", "Wang", "--reason", "asked by phone")


def run(*words):
    out = StringIO()
    call_command(*(str(word) for word in words), stdout=out)
    return out.getvalue()


@pytest.fixture
def paid(world, crash):  # noqa: F811
    mend = crash(fulfil, "fulfil_order")
    order = world.order()
    world.pay(order)
    mend()
    return order


@pytest.fixture
def reviewed(paid):
    Order.objects.filter(id=paid.id).update(state=OrderState.REVIEW)
    return paid


def test_dry_by_default_then_done_once(world, paid):  # noqa: F811
    said = run("refund", paid.id, *WHO)
    assert "would be unfulfillable, before it was paid" in said
    assert "8.04 CNY" in said
    assert "Nothing was done yet" in said
    assert not Refund.objects.exists()
    assert audit.trail(paid.ref) == []

    said = run("refund", f"order:{paid.id}", *WHO, "--yes")
    assert "would be" not in said
    assert world.state(paid) == "refunded"
    [entry] = audit.trail(paid.ref)
    assert (entry.actor_ref, entry.details["reason"]) == ("operator:Wang", "asked by phone")
    with pytest.raises(CommandError, match="so nothing was refunded"):
        run("refund", paid.id, *WHO, "--yes")
    assert Refund.objects.count() == 1


def test_orders_under_review_are_listed_then_decided(world, reviewed):  # noqa: F811
    listed = run("resolve")
    assert f"order {reviewed.id}," in listed
    assert "costs 8.04 CNY, received 8.04 CNY, holds 124000 g" in listed
    assert "would be paid" in run("resolve", reviewed.id, "--accept", *WHO)
    assert world.state(reviewed) == "review"
    run("resolve", reviewed.id, "--accept", *WHO, "--yes")
    assert world.state(reviewed) == "completed"
    assert run("resolve") == "No order is under review.\n"
    with pytest.raises(CommandError, match="This order is not under review"):
        run("resolve", reviewed.id, "--refund", *WHO, "--yes")


def test_what_could_not_be_retired_may_wait_on_until_a_day(clock, world, reviewed):  # noqa: F811
    registry.freeze(CreditBatch.objects.get(), "a report is being checked")
    words = ("resolve", reviewed.id, "--wait-until", "2026-11-28", *WHO)
    assert "would be paid" in run(*words)
    assert world.state(reviewed) == "review"
    run(*words, "--yes")
    assert world.state(reviewed) == "paid"
    assert Intake.objects.get().keep_until == world.later(days=6, hours=7)
    [entry] = [each for each in audit.trail(reviewed.ref) if each.actor_ref == "operator:Wang"]
    assert entry.action == "order.kept_waiting"


def test_the_list_tells_since_when_and_what_is_overdue(clock, world, reviewed):  # noqa: F811
    Order.objects.filter(id=reviewed.id).update(reviewed_at=world.now)
    clock.move_to(world.later(days=2))
    assert "under review since 2026-11-22\n" in run("resolve")
    clock.move_to(world.later(days=3))
    assert "under review since 2026-11-22, overdue\n" in run("resolve")


def test_one_refusal_does_not_stop_the_others(world, reviewed):  # noqa: F811
    other = world.order(1000)
    with pytest.raises(CommandError, match=f"order {other.id}: .*not under review"):
        run("resolve", other.id, reviewed.id, "--refund", *WHO, "--yes")
    assert world.state(reviewed) == "refunded"
    assert world.state(other) == "awaiting_payment"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("refund", 1), "Who decides, and why"),
        (("refund", 1, "--as", "Wang"), "Who decides, and why"),
        (("refund", 1, "--reason", "so"), "Who decides, and why"),
        (("refund", 1, "--as", " ", "--reason", "so"), "Who decides, and why"),
        (("refund", *WHO), "Which order"),
        (("refund", "seventeen", *WHO), "not the number of an order"),
        (("refund", "9" * 19, *WHO), "not the number of an order"),
        (("refund", 99, *WHO), "no order of this number"),
        (("refund", 1, "--as", "W" * 61, "--reason", "so"), "at most 60"),
        (("resolve", 1, *WHO), "--refund or --accept, or --wait-until DAY"),
        (("resolve", 1, "--wait-until", "soon", *WHO), "is not a day"),
        (("resolve", 99, "--accept", *WHO), "no order of this number"),
    ],
)
def test_what_is_unclear_is_refused(words, said):
    with pytest.raises(CommandError, match=said):
        run(*words)
