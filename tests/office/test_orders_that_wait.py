"""A paid order on a frozen batch: its guest reads until when, people decide, it ends either way."""

import pytest
from django.test import Client

from diandian.audit.queries import trail
from diandian.flows import fulfil
from diandian.orders.models import Intake
from diandian.registry import actions as registry
from diandian.registry.models import CreditBatch
from tests.flows.conftest import clock, world  # noqa: F401 - fixtures
from tests.office.test_money_back import decide, li, sure, text  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(world):  # noqa: F811 - the fixture
    """An order that was paid while its batch is frozen, and tried five times."""
    order = world.order()
    registry.freeze(CreditBatch.objects.get(), "a report is being checked")
    assert world.pay(order) == "paid"
    for _ in range(fulfil.GIVE_UP_AFTER - 1):
        fulfil.drain(at=Intake.objects.get(order=order).next_attempt_at)
    assert Intake.objects.get(order=order).attempts == fulfil.GIVE_UP_AFTER
    return order


@pytest.fixture
def missed(world, waiting, clock):  # noqa: F811 - the fixtures
    clock.move_to(world.later(hours=72))
    fulfil.drain(at=world.later(hours=72))
    assert world.state(waiting) == "review"
    return waiting


def guest(order, language="en"):
    return text(Client(headers={"accept-language": language}).get(f"/o/{order.token}"))


@pytest.mark.parametrize("language", ["en", "zh-hans", "nl"])
def test_its_guest_reads_until_when_it_is_tried(waiting, language):
    # Paid at 17:00 of the 22nd in China.
    assert "2026-11-25 17:00" in guest(waiting, language)


def test_its_guest_reads_that_people_decide(missed):
    page = guest(missed)
    assert "We could not retire your kilograms in the time we set ourselves" in page
    assert "the whole amount goes back to you" in page


def test_the_desk_offers_the_money_back_in_full(li, world, missed):  # noqa: F811 - fixtures
    page = text(li.get(f"/admin/payments/refund/money-back/orders/{missed.id}/"))
    assert "It could not be retired in time" in page
    assert "does not serve retirements now" in page
    form = {"action": "give_back", "reason": "the check takes too long"}
    sure(li, missed, text(decide(li, missed, **form)), **form)
    assert world.state(missed) == "refunded"
    assert world.stock().held_g == 0


def test_people_may_have_it_wait_until_a_day_and_then_it_is_theirs_again(li, world, missed):  # noqa: F811
    form = {"action": "wait", "until": "2026-11-28", "reason": "the check ends on the 27th"}
    page = text(decide(li, missed, **form))
    assert 'name="until" value="2026-11-28"' in page
    assert world.state(missed) == "review", "shown only"
    sure(li, missed, page, **form)
    assert world.state(missed) == "paid"
    assert [each.action for each in trail(missed.ref)] == [
        "order.under_review",
        "order.kept_waiting",
    ]
    assert "2026-11-29 00:00" in guest(missed), "the end of the 28th in China"
    while world.state(missed) == "paid":
        at = Intake.objects.get(order=missed).next_attempt_at
        assert at <= world.later(days=6, hours=7), "midnight in China"
        fulfil.drain(at=at)
    assert (world.state(missed), at) == ("review", world.later(days=6, hours=7))


def test_what_waits_on_is_retired_when_its_batch_serves_again(li, world, missed):  # noqa: F811
    form = {"action": "wait", "until": "2026-11-28", "reason": "the check ends on the 27th"}
    sure(li, missed, text(decide(li, missed, **form)), **form)
    registry.thaw(CreditBatch.objects.get(), "nothing was wrong")
    assert fulfil.drain(at=world.later(days=4)) == 1
    assert world.state(missed) == "completed"


@pytest.mark.parametrize("until", ["", "soon", "2026-11-24", "2027-01-15", "9999-12-31"])
def test_it_does_not_wait_for_ever_nor_until_yesterday(li, world, missed, until):  # noqa: F811
    answer = decide(li, missed, action="wait", until=until, reason="x")
    assert answer.status_code == 409
    assert "waits until a day after today, 31 days at most" in text(answer)
    assert world.state(missed) == "review"
