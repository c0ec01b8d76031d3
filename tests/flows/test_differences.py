"""What people do about differences, and the proofs of what was closed."""

import pytest

from diandian.audit.models import AuditEntry
from diandian.config import guards
from diandian.flows import differences as people
from diandian.flows import invariants, reconcile, reconcile_proof
from diandian.flows.differences import Seen
from diandian.ledger.models import Journal
from diandian.reconciliation import queries
from diandian.reconciliation.errors import (
    DifferenceChangedError,
    ReasonNeededError,
    SignedAlreadyError,
)
from diandian.reconciliation.models import DayState, MatchItem
from tests.flows.statements import (
    TEN,
    bought,
    gross,
    later,
    sandbox,
    the_day,
    told,
    turn,
)

pytestmark = pytest.mark.django_db(transaction=True)


# -- people --------------------------------------------------------------------------------------


def odd_day(world, gross_minor):
    bought(world)
    with told(lambda lines: [gross(lines[0], gross_minor), *lines[1:]], kinds=("trades",)):
        turn()
    [found] = people.of_day(the_day())
    return the_day(), found


def meant(found):
    return Seen(found.item.statement_kind, found.item.key, found.item.seen)


def test_a_small_exception_is_signed_by_one_and_closes_the_day(world):
    day, found = odd_day(world, 803)
    signed = people.sign(
        day.id, meant(found), reason="a coupon", actor_ref="operator:li", at=later()
    )
    assert not signed.is_open
    day.refresh_from_db()
    assert (day.state, day.figures["signed"]) == (DayState.CLOSED, 1)
    entry = AuditEntry.objects.get(action="difference.signed")
    assert (entry.actor_ref, entry.details["reason"]) == ("operator:li", "a coupon")
    assert reconcile_proof.check() == []


def test_a_large_exception_takes_two_persons(world, settings):
    settings.SIGN_ALONE_MINOR = 10
    day, found = odd_day(world, 700)
    first = people.sign(
        day.id, meant(found), reason="a coupon", actor_ref="operator:li", at=later()
    )
    assert (first.is_open, first.needed) == (True, 2)
    with pytest.raises(SignedAlreadyError):
        people.sign(day.id, meant(found), reason="again", actor_ref="operator:li", at=later())
    day.refresh_from_db()
    assert day.state == DayState.OPEN
    people.sign(day.id, meant(found), reason="seen", actor_ref="operator:wang", at=later())
    day.refresh_from_db()
    assert day.state == DayState.CLOSED


def test_what_is_signed_is_what_was_seen(world):
    day, found = odd_day(world, 803)
    with told(lambda lines: [gross(lines[0], 802), *lines[1:]], kinds=("trades",)):
        reconcile.work_on(day, afresh=True, at=later(hours=1))
    with pytest.raises(DifferenceChangedError):
        people.sign(day.id, meant(found), reason="a coupon", actor_ref="operator:li", at=later())
    for reason in ("", "  ", "x" * 301, "a\x00b"):
        [now_there] = people.of_day(day)
        with pytest.raises(ReasonNeededError):
            people.sign(
                day.id, meant(now_there), reason=reason, actor_ref="operator:li", at=later()
            )
    day.refresh_from_db()
    assert day.state == DayState.OPEN


def test_a_difference_has_an_owner_and_an_age(world):
    day, found = odd_day(world, 803)
    people.take(day.id, meant(found), actor_ref="operator:li", at=later())
    reconcile.match_day(day, sandbox(), at=later(days=1))
    [same] = people.of_day(day)
    assert (same.item.owner_ref, same.item.first_seen_at) == ("operator:li", TEN)
    assert queries.open_count() == 1


# -- proofs --------------------------------------------------------------------------------------


def test_the_gateways_balance_is_what_the_ledger_says(world):
    bought(world)
    turn()
    [proof] = reconcile_proof.of_merchant(sandbox())
    assert (proof.ledger_minor, proof.stated_minor, proof.left_minor) == (799, 799, 0)


def test_a_booking_that_no_statement_explains_shows(world):
    bought(world)
    turn()
    assert reconcile_proof.check() == []
    MatchItem.objects.filter(kind="fee").delete()
    assert [each.rule for each in reconcile_proof.check()] == ["M7"]
    assert "M7" in {each.rule for each in invariants.check()}


def test_a_line_that_is_booked_otherwise_shows(world):
    bought(world)
    turn()
    with guards.lifted():
        Journal.objects.filter(kind="capture").update(source_ref="payment:another:capture")
    assert [each.rule for each in reconcile_proof.check()] == ["M7"]


def test_money_that_a_supplier_collected_is_not_looked_for_in_our_account(world):
    payment = bought(world)
    turn()
    with guards.lifted():
        Journal.objects.filter(kind="capture").update(source_ref="payment:another:capture")
    assert reconcile_proof.check() != []
    type(payment).objects.filter(id=payment.id).update(settlement="gateway_split")
    assert reconcile_proof.check() == []


def test_figures_that_were_altered_show(world):
    bought(world)
    turn()
    day = the_day()
    with guards.lifted():
        type(day).objects.filter(id=day.id).update(figures={**day.figures, "signed": 7})
    assert [each.rule for each in reconcile_proof.check()] == ["B1"]
