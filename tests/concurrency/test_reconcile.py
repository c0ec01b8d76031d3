"""Workers at the same day at once: one statement, one fee, one close; a signature is not lost."""

import threading
from contextlib import suppress

import pytest
from django.db import connections

from diandian.flows import differences as people
from diandian.flows import gateway_payouts, reconcile, reconcile_proof
from diandian.flows.differences import Seen
from diandian.flows.gateway_payouts import FromBank
from diandian.kernel.money import Money
from diandian.ledger.models import Journal
from diandian.payments.gateways.sandbox import movements
from diandian.reconciliation.errors import (
    DayIsClosedError,
    DifferenceChangedError,
    PayoutStateError,
)
from diandian.reconciliation.models import (
    DayState,
    GatewayPayout,
    MatchItem,
    Signature,
    StatementFile,
)
from tests.flows.conftest import clock, world  # noqa: F401 - fixtures
from tests.flows.statements import DAY, TEN, later, the_day, told, turn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


def at_once(world, *works):  # noqa: F811 - a fixture's name
    """Run works in sessions of their own, all at once; return what they raised."""
    raised, barrier = [], threading.Barrier(len(works))

    def run(work):
        try:
            barrier.wait(10)
            work()
        except Exception as error:  # noqa: BLE001 - told to the test
            raised.append(error)
        finally:
            connections.close_all()
            world.peer.hang_up()

    running = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)
        assert not thread.is_alive()
    return raised


def test_two_workers_at_one_day(world):  # noqa: F811
    world.pay(world.order())
    assert at_once(world, *[lambda: reconcile.run_due(5, at=TEN)] * 4) == []
    turn(later(minutes=6))  # what one of them could not finish
    assert the_day().state == DayState.CLOSED
    assert StatementFile.objects.count() == 2
    assert Journal.objects.filter(kind="gateway_fee").count() == 1
    assert MatchItem.objects.count() == 3
    assert reconcile_proof.check() == []


def test_a_signature_and_a_new_match_at_once(world):  # noqa: F811
    world.pay(world.order())
    with told(lambda lines: lines[1:], kinds=("trades",)):
        turn()
        day = the_day()
        [found] = people.of_day(day)
        what = Seen(found.item.statement_kind, found.item.key, found.item.seen)

        def sign(name):
            people.sign(day.id, what, reason="seen", actor_ref=f"operator:{name}", at=later())

        raised = at_once(
            world,
            lambda: sign("li"),
            lambda: sign("wang"),
            lambda: reconcile.match_day(the_day(), reconcile.merchant_of(day), at=later()),
        )
    lawful = (DayIsClosedError, DifferenceChangedError)
    assert all(isinstance(error, lawful) for error in raised), raised
    assert Signature.objects.count() >= 1
    assert the_day().state == DayState.CLOSED
    assert MatchItem.objects.filter(outcome="missing_there").count() == 1


def test_a_corrected_file_during_a_match_is_matched_in_its_stead(world, monkeypatch):  # noqa: F811
    """Whoever matched the older file writes nothing; the newer one's match stands."""
    world.pay(world.order())
    with told(lambda lines: lines[1:], kinds=("trades",)):
        turn()
    day, merchant = the_day(), reconcile.merchant_of(the_day())
    found = reconcile._found

    def meanwhile(day, files, merchant):
        monkeypatch.setattr(reconcile, "_found", found)
        reconcile.fetch(day, merchant, afresh=True, at=later(hours=1))
        return found(day, files, merchant)

    monkeypatch.setattr(reconcile, "_found", meanwhile)
    reconcile.match_day(day, merchant, at=later(hours=1))
    assert MatchItem.objects.filter(outcome="missing_there").count() == 1
    reconcile.match_day(the_day(), merchant, at=later(hours=1))
    assert the_day().state == DayState.CLOSED


def test_two_workers_and_a_person_at_one_payout(world):  # noqa: F811
    world.pay(world.order())
    payout_ref = movements.pay_out(world.peer, "demo", 300, "CNY", world.now)
    told_by_bank = FromBank("sandbox", Money(300, "CNY"), DAY, "B1", DAY, payout_ref)
    payout = gateway_payouts.enter(told_by_bank, actor_ref="operator:li", at=TEN)

    def confirm():
        with suppress(PayoutStateError):
            gateway_payouts.confirm(payout.id, actor_ref="operator:wang", at=TEN)

    works = [lambda: reconcile.run_due(5, at=TEN)] * 3
    assert at_once(world, *works, confirm) == []
    turn(later(minutes=6))  # what one of them could not finish
    assert the_day().state == DayState.CLOSED
    assert Journal.objects.filter(kind="gateway_payout").count() == 1
    assert GatewayPayout.objects.count() == 1
    assert reconcile_proof.check() == []
