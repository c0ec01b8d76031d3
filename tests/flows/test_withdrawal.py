"""A consumer who may withdraw: paid grams wait, then are retired, or the money goes back. Once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from diandian.audit import queries as audit
from diandian.claims.withdrawal import ends_at
from diandian.flows import (
    allocator,
    checkout,
    erase,
    expiry,
    fulfil,
    invariants,
    payment_events,
    refund,
    resolve,
    withdrawal,
)
from diandian.flows.allocator import Allocator
from diandian.flows.quote import open_quote
from diandian.footprints import queries as footprints
from diandian.footprints.models import LineClaim
from diandian.kernel.memory import Memory
from diandian.orders import actions, queries
from diandian.orders.errors import (
    IdempotencyConflictError,
    NotHeldError,
    NoWithdrawalError,
    WithdrawalEndedError,
)
from diandian.orders.models import Intake, Order, OrderState, Quote
from diandian.payments.models import Refund
from diandian.registry.models import Retirement
from diandian.scenes.models import Scene
from tests.flows.books import IN_TRANSIT, NOTHING, PREPAID, assert_completed_once, books, given_up
from tests.web.public_world import take_part
from tests.web.world import open_scene

pytestmark = pytest.mark.django_db
AMSTERDAM = "geonames:2759794"
AN_INSTANT = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def whole(world):
    yield
    assert invariants.check() == []


def ordered(world, mass_g=124_000, **facts):
    """Place the order of somebody who keeps the right to withdraw."""
    quote = facts.pop("quote", None) or world.quote(mass_g)
    wish = {"language": "nl", "retire_at_once": False, "beneficiary_name": "Sanne"}
    return checkout.place_order(
        quote_token=quote.token, on_board=False, at=world.now, **wish | facts
    )


@pytest.fixture
def held(world):
    order = ordered(world)
    assert world.pay(order) == "paid"
    return fresh(order)


def fresh(order):
    return Order.objects.get(id=order.id)


def due(world):
    return ends_at(world.now)


# -- what was chosen -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "holder", "at_once", "language", "expected"),
    [
        ("NL", "person", True, "en", "waived"),
        ("NL", "person", False, "en", "kept"),
        ("CN", "person", True, "nl", ""),
        ("NL", "host", True, "nl", ""),
        ("", "person", True, "nl", "waived"),
        ("", "person", True, "en", ""),
        ("", "person", False, "en", "kept"),
    ],
)
def test_the_order_says_what_became_of_the_right(country, holder, at_once, language, expected):
    scene = Scene(country=country) if country else None
    for quote, elsewhere in (
        (Quote(scene=scene, holder_kind=holder), ""),
        (Quote(holder_kind=holder), country),
    ):
        made = withdrawal.choice_of(
            quote, retire_at_once=at_once, country=elsewhere, language=language
        )
        assert made == expected


@pytest.mark.parametrize(("country", "holder"), [("CN", "person"), ("NL", "company")])
def test_who_has_no_such_right_cannot_make_an_order_wait(world, country, holder):
    quote = world.quote(1_000, holder_kind=holder)
    with pytest.raises(NoWithdrawalError):
        ordered(world, quote=quote, country=country)
    assert not Order.objects.exists()
    assert world.stock().held_g == 0


def test_a_scene_in_china_retires_at_once_as_ever(world):
    quote = open_quote(
        project_code=world.project.code, footprint=take_part(open_scene()), at=world.now
    )
    order = ordered(world, quote=quote, retire_at_once=True)
    assert world.pay(order) == "completed"
    assert (fresh(order).withdrawal, fresh(order).retire_after) == ("", None)


def test_who_asked_for_it_gets_it_at_once(world):
    order = ordered(world, retire_at_once=True)
    assert world.pay(order) == "completed"
    assert fresh(order).withdrawal == "waived"
    with pytest.raises(WithdrawalEndedError):
        withdrawal.withdraw(order, at=world.now)
    assert_completed_once(world, order)


def test_the_same_key_with_another_choice_is_another_order(world):
    quote = world.quote(1_000)
    first = ordered(world, quote=quote, idempotency_key="k")
    assert ordered(world, quote=quote, idempotency_key="k") == first
    with pytest.raises(IdempotencyConflictError):
        ordered(world, quote=quote, idempotency_key="k", retire_at_once=True)


# -- waiting -------------------------------------------------------------------------------------


def test_it_is_retired_when_the_right_has_ended_and_not_an_instant_before(world, held):
    assert (held.withdrawal, held.retire_after) == ("kept", due(world))
    assert world.stock().held_g == held.mass_g
    before = due(world) - AN_INSTANT
    assert fulfil.drain(at=before) == 0
    assert not fulfil.fulfil_order(held.id, at=before)
    allocator.see_to(held.id, at=before)
    assert world.state(held) == "paid"
    assert fulfil.drain(at=due(world)) == 1
    assert_completed_once(world, held)
    assert fresh(held).completed_at == due(world)


def test_neither_allocator_nor_page_retires_anything_early(world, held, clock):
    leader = Allocator("one")
    assert leader.lead(at=world.now)
    assert leader.allocate() == 0
    leader.retire()
    Memory.forget_everything()
    assert allocator.wait_for(held.id, held.token) == "paid"
    clock.move_to(due(world))
    Memory.forget_everything()
    assert allocator.wait_for(held.id, held.token) == "completed"


def test_what_is_held_does_not_stop_who_comes_after(world, held):
    behind = world.order()
    assert world.pay(behind) == "completed"
    assert world.state(held) == "paid"


def test_what_is_held_is_not_late_until_it_is_due(world, held):
    assert queries.oldest_waiting(at=due(world) - AN_INSTANT) is None
    assert queries.oldest_waiting(at=due(world)) == due(world)


def test_the_wait_counts_from_the_payment(world):
    order = ordered(world)
    paid_at = world.later(minutes=9)
    assert world.pay(order, at=paid_at) == "paid"
    assert fresh(order).retire_after == ends_at(paid_at)


def test_a_late_payment_waits_from_when_it_came(world):
    order = ordered(world)
    given_up(world, order)
    paid_at = world.later(days=2)
    world.deliver(world.peer.settle_anyway(world.payment(order).payment_no, paid_at), at=paid_at)
    assert world.state(order) == "paid"
    assert fresh(order).retire_after == ends_at(paid_at)
    assert fulfil.drain(at=due(world)) == 0
    assert fulfil.drain(at=ends_at(paid_at)) == 1


def test_a_failure_never_shortens_the_wait(world, held):
    actions.note_failure(
        Intake.objects.get(order=held), "a fault", due=world.later(hours=72), at=world.now
    )
    assert Intake.objects.get(order=held).next_attempt_at == due(world)
    assert fulfil.drain(at=due(world) - AN_INSTANT) == 0
    assert fulfil.drain(at=due(world)) == 1


def test_what_fails_when_it_is_due_goes_the_usual_way(world, held, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(fulfil, "build", lambda facts: 1 / 0)
        assert fulfil.drain(at=due(world)) == 0
    assert Intake.objects.get(order=held).next_attempt_at == due(world) + timedelta(seconds=30)
    assert fulfil.drain(at=due(world) + timedelta(seconds=30)) == 1


@pytest.mark.parametrize("began", [True, False], ids=["paid-before", "never-as-agreed"])
def test_what_people_accept_waits_too(world, held, began):
    Order.objects.update(state=OrderState.REVIEW, retire_after=due(world) if began else None)
    Intake.objects.update(state="parked", next_attempt_at=None)
    accepted_at = world.later(days=2)
    resolve.accept(held.id, actor="operator:Wang", reason="looked at", at=accepted_at)
    until = due(world) if began else ends_at(accepted_at)
    assert (world.state(held), fresh(held).retire_after) == ("paid", until)
    assert invariants.check() == [], "it does not come up before"
    assert fulfil.drain(at=until - AN_INSTANT) == 0
    assert fulfil.drain(at=until) == 1


# -- retire now ----------------------------------------------------------------------------------


def test_retired_now_at_their_wish(world, held):
    for _ in range(2):
        withdrawal.retire_now(held, at=world.later(days=1))
    assert_completed_once(world, held)
    assert (fresh(held).withdrawal, fresh(held).retire_after) == ("waived", None)
    assert [entry.action for entry in audit.trail(held.ref)] == ["order.withdrawal_waived"]
    with pytest.raises(WithdrawalEndedError):
        withdrawal.withdraw(held, at=world.later(days=1))
    assert not Refund.objects.exists()


def test_a_crash_after_the_wish_leaves_it_to_the_worker(world, held, crash):
    mend = crash(allocator, "see_to", SystemExit)
    with pytest.raises(SystemExit):
        withdrawal.retire_now(held, at=world.now)
    mend()
    assert (world.state(held), fresh(held).withdrawal) == ("paid", "waived")
    assert fulfil.drain(at=world.now) == 1
    assert_completed_once(world, held)


# -- withdraw ------------------------------------------------------------------------------------


def test_withdrawn_all_of_it_goes_back_once(world, held):
    at = due(world) - AN_INSTANT
    for _ in range(2):
        withdrawal.withdraw(held, at=at)
    assert world.state(held) == "refunded"
    [back] = Refund.objects.all()
    assert (back.state, back.amount_minor) == ("succeeded", held.quote.total_minor)
    assert (world.stock().held_g, world.stock().retired_g) == (0, 0)
    assert books(world) == NOTHING
    assert [entry.action for entry in audit.trail(held.ref)] == ["order.withdrawn"]
    assert fulfil.drain(at=due(world)) == 0, "it never retires after that"
    with pytest.raises(NotHeldError):
        withdrawal.retire_now(held, at=at)


def test_withdrawn_the_trip_is_free_to_be_matched_again(world):
    scene = open_scene(place_key=AMSTERDAM)
    footprint = take_part(scene)

    def quote():
        code = world.project.code
        found = footprints.by_token(footprint.token)
        return open_quote(project_code=code, footprint=found, at=world.now)

    first = ordered(world, quote=quote())
    assert world.pay(first) == "paid"
    assert LineClaim.objects.filter(claimant_ref=first.ref).exists()
    assert queries.scene_progress(scene) == queries.Progress(matched_g=0, guests=0)
    withdrawal.withdraw(first, at=world.now)
    assert not LineClaim.objects.exists()
    second = ordered(world, quote=quote(), retire_at_once=True)
    assert world.pay(second) == "completed"
    assert queries.scene_progress(scene).guests == 1


def test_a_crash_before_the_gateway_is_asked_is_made_good_by_the_worker(world, held, crash):
    mend = crash(refund, "send", SystemExit)
    with pytest.raises(SystemExit):
        withdrawal.withdraw(held, at=world.now)
    mend()
    assert (world.state(held), world.stock().held_g) == ("unfulfillable", 0)
    assert books(world)[IN_TRANSIT] == -held.quote.total_minor
    withdrawal.withdraw(held, at=world.now)
    assert refund.continue_refunds(at=world.later(seconds=5)) == 1
    assert (world.state(held), books(world)) == ("refunded", NOTHING)


def test_a_crash_inside_changes_nothing(world, held, crash):
    mend = crash(refund, "begin")
    with pytest.raises(RuntimeError):
        withdrawal.withdraw(held, at=world.now)
    mend()
    assert (world.state(held), fresh(held).withdrawal) == ("paid", "kept")
    assert books(world)[PREPAID] == -held.quote.total_minor
    withdrawal.withdraw(held, at=world.now)
    assert world.state(held) == "refunded"


@pytest.mark.parametrize("retired", [True, False], ids=["retired", "not-yet"])
def test_once_the_time_is_over_withdrawing_is_refused(world, held, retired):
    if retired:
        fulfil.drain(at=due(world))
    with pytest.raises(WithdrawalEndedError):
        withdrawal.withdraw(held, at=due(world))
    assert not Refund.objects.exists()
    withdrawal.retire_now(held, at=due(world))
    assert_completed_once(world, held)


def test_before_the_payment_there_is_nothing_to_decide(world):
    order = ordered(world)
    for decide in (withdrawal.retire_now, withdrawal.withdraw):
        with pytest.raises(NotHeldError):
            decide(order, at=world.now)
    assert expiry.cancel_order(order, at=world.now)


def test_a_second_payment_goes_back_and_the_first_still_waits(world):
    order = ordered(world)
    world.pay(order, "twice")
    payment_events.poll_due(at=world.later(minutes=2))
    assert world.state(order) == "paid"
    withdrawal.withdraw(order, at=world.later(minutes=3))
    assert (world.state(order), books(world)) == ("refunded", NOTHING)


def test_erasing_the_person_changes_nothing_about_the_wait(world, held):
    erase.erase_order(held, at=world.now)
    assert fulfil.drain(at=due(world) - AN_INSTANT) == 0
    assert fulfil.drain(at=due(world)) == 1
    assert Retirement.objects.get().mass_g == held.mass_g


# -- what watches over it ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tamper",
    [
        lambda order: Intake.objects.update(next_attempt_at=None),
        lambda order: Intake.objects.update(next_attempt_at=order.created_at),
        lambda order: Order.objects.update(retire_after=None),
    ],
)
def test_the_close_finds_a_wait_that_was_shortened(world, held, tamper):
    with transaction.atomic():
        tamper(held)
        assert "X7" in {breach.rule for breach in invariants.check()}
        transaction.set_rollback(True)


def test_the_close_finds_what_was_retired_early(world, held):
    fulfil.drain(at=due(world))
    with transaction.atomic():
        Order.objects.update(completed_at=due(world) - AN_INSTANT)
        assert {breach.rule for breach in invariants.check()} == {"X7"}
        transaction.set_rollback(True)


def test_the_database_refuses_a_wait_without_a_right(world):
    order = world.order()
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(id=order.id).update(retire_after=world.now)
