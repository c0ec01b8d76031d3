"""A booking under way while its day is closed is in the digest or refused, never in between."""

import threading
from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from diandian.kernel.memory import Memory
from diandian.kernel.money import Money
from diandian.ledger import actions, queries, rules
from diandian.ledger.days import actions as days
from diandian.ledger.errors import DayClosedError
from diandian.ledger.invariants import check
from diandian.ledger.models import ClosedDay, Journal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]
DAY = date(2026, 3, 1)
AT = datetime(2026, 3, 1, 4, tzinfo=UTC)
TODAY = datetime(2026, 3, 2, 4, tzinfo=UTC)


def book(number, at=AT):
    actions.post(
        kind="x",
        source_ref=f"x:{number}",
        owner_ref="o",
        lines=rules.build_completion(Money(100, "CNY"), supplier_ref="solar"),
        at=at,
    )


def close():
    with transaction.atomic():
        days.hold_still(DAY, DAY)
        if queries.newest_closed() is not None:
            return
        days.close_day(
            first_day=DAY,
            day=DAY,
            totals={},
            retirements=(0, "0" * 64),
            closed_by="platform",
            at=AT,
        )


def threads(*works):
    """Run works in sessions of their own, all at once; return what they raised."""
    raised, barrier = [], threading.Barrier(len(works))

    def run(work):
        try:
            barrier.wait(10)
            work()
        except (DayClosedError, IntegrityError) as error:
            raised.append(error)
        finally:
            connection.close()

    running = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(30)
        assert not thread.is_alive()
    return raised


def test_bookings_that_race_with_the_close_are_in_it_or_refused():
    book(0)

    def booker(number):
        def work():
            for turn in range(8):
                Memory.forget_everything()
                book(f"{number}-{turn}")

        return work

    raised = threads(close, *(booker(number) for number in range(4)))
    assert len(raised) <= 4
    closed = ClosedDay.objects.get()
    assert closed.journals == Journal.objects.count() >= 1
    assert check() == []


def test_of_two_who_close_one_does():
    book(0)
    assert threads(close, close) == []
    assert ClosedDay.objects.count() == 1
    assert check() == []


@pytest.mark.postgres
def test_whoever_closes_waits_for_a_booking_under_way_and_nobody_of_today_waits():
    booked, go_on, order = threading.Event(), threading.Event(), []

    def slow():
        with transaction.atomic():
            book("slow")
            booked.set()
            assert go_on.wait(20)
            order.append("booked")

    def closer():
        assert booked.wait(20)
        close()
        order.append("closed")

    def of_today():
        assert booked.wait(20)
        book("today", TODAY)
        order.append("today")
        go_on.set()

    assert threads(slow, closer, of_today) == []
    assert order.index("booked") < order.index("closed")
    assert ClosedDay.objects.get().journals == 1
    assert check() == []
