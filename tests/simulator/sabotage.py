"""Acts that try what must never be: each is refused, or the history ends."""

from django.db import connection, transaction

from diandian.flows import batches, refund
from diandian.orders.models import Order
from diandian.payments.errors import OverRefundError, RetiredNotRefundableError
from diandian.payments.models import Payment
from diandian.payments.refunds import actions as refund_actions
from diandian.registry import actions as registry
from diandian.registry.errors import (
    AlreadyRetiredError,
    CancelledDifferentlyError,
    HoldGoneError,
    HoldMismatchError,
)
from diandian.registry.holds import actions as holds
from diandian.registry.models import CreditBatch, Holding, HoldState
from diandian.registry.rules import RetireRequest
from tests.simulator import forgeries
from tests.simulator.book import require
from tests.simulator.rows import NothingToForgeError


def _of_state(sim, dice, *states):
    """Return somebody whose order is in one of the states. Raises: IndexError when nobody is."""
    return dice.choice(
        [
            guest
            for guest in sim.guests()
            if guest.order_id and sim.seen.orders[guest.order_id].state in states
        ]
    )


def _request(sim, owner_ref, source_ref):
    return RetireRequest(
        owner_ref=owner_ref,
        source_ref=source_ref,
        subject={"display_name": "Mallory", "order": owner_ref},
        purpose="trip",
    )


def _unless_refused(what, act, *refusals):
    """Do it in a transaction that is undone; the history ends when nobody refused."""
    try:
        with transaction.atomic():
            act()
            transaction.set_rollback(True)
    except refusals:
        return
    require(what is None, what, "was not refused")


def retire_twice(sim, dice):
    """What is retired is retired again, under another name."""
    guest = _of_state(sim, dice, "completed")
    request = _request(sim, guest.ref, f"{guest.ref}:again")
    return lambda: _unless_refused(
        "a second retirement",
        lambda: registry.retire_many([request], at=sim.stage.now),
        AlreadyRetiredError,
    )


def retire_without_hold(sim, dice):
    """Grams are retired for somebody who holds none."""
    request = _request(sim, "order:999999", "order:999999:retirement")
    return lambda: _unless_refused(
        "a retirement without grams",
        lambda: registry.retire_many([request], at=sim.stage.now),
        HoldGoneError,
    )


def retire_piecemeal(sim, dice):
    """Grams are retired outside any transaction, where a crash would leave half of it."""
    guest = _of_state(sim, dice, "completed", "paid")
    request = _request(sim, guest.ref, f"{guest.ref}:retirement")

    def do():
        try:
            registry.retire_many([request], at=sim.stage.now)
        except AssertionError:
            return
        require(connection.in_atomic_block, "a retirement outside a transaction was not refused")

    return do


def hold_again(sim, dice):
    """Whose grams are retired holds others for the same order; or more than was held."""
    guest = _of_state(sim, dice, "completed", "paid", "awaiting_payment")
    project = sim.project_rows()[guest.project]
    is_done = sim.seen.orders[guest.order_id].state == "completed"
    return lambda: _unless_refused(
        "a second hold",
        lambda: registry.hold(
            project_id=project.id,
            mass_g=1 if is_done else guest.mass_g + 1,
            owner_ref=guest.ref,
            expires_at=sim.stage.now,
        ),
        AlreadyRetiredError,
        HoldMismatchError,
    )


def settle_twice(sim, dice):
    """A hold that ended ends once more."""
    guest = _of_state(sim, dice, "completed", "expired", "refunded")

    def do():
        ids = [row.id for row in Holding.objects.filter(owner_ref=guest.ref)]
        act = lambda: holds.settle(ids, HoldState.RELEASED)  # noqa: E731 - done at once
        if ids:
            _unless_refused("a hold that ended twice", act, AssertionError)

    return do


def refund_retired(sim, dice):
    """Money goes back although the grams are retired."""
    guest = _of_state(sim, dice, "completed")

    def do():
        order = Order.objects.get(id=guest.order_id)
        _unless_refused(
            "a refund of retired grams",
            lambda: refund.begin(order, "forged", at=sim.stage.now),
            RetiredNotRefundableError,
        )

    return do


def refund_too_much(sim, dice):
    """More goes back than came in."""

    def do():
        payment = Payment.objects.filter(state="succeeded").first()
        if payment is None:
            return
        _unless_refused(
            "a refund above the payment",
            lambda: refund_actions.request_refund(
                payment=payment,
                amount_minor=payment.received.amount_minor - payment.refunded_minor + 1,
                refund_no="forged",
                reason="forged",
                at=sim.stage.now,
            ),
            OverRefundError,
        )

    return do


def take_out_again(sim, dice):
    """A cancellation is told again: nothing happens; with another mass it is refused."""
    done = {row.source_ref for row in sim.seen.ranges.values() if row.source_ref}
    source_ref = dice.choice(sorted(done))
    batch_ref, mass_g, kind = sim.book.uses[source_ref]
    more_g = dice.choice([0, 1])

    def do():
        before = sim.look()
        try:
            batches.cancel(
                CreditBatch.objects.get(source_ref=batch_ref).public_id,
                mass_g=mass_g + more_g,
                reason="sim",
                source_ref=source_ref,
                from_buffer=kind == "reversal",
                actor_ref="sim",
            )
        except CancelledDifferentlyError:
            require(more_g, source_ref, "was refused the second time")
        else:
            require(not more_g, source_ref, "was told twice, differently")
        after = sim.look()
        same = (after.ranges, after.log) == (before.ranges, before.log)
        require(same, source_ref, "was taken out twice")

    return do


def forge(sim, dice):
    """A write that never came from our actions, by raw SQL."""
    named = {**forgeries.CONSTRAINTS, **forgeries.UNIQUE}
    named |= {
        f"{table} {label}": made
        for (table, label), made in forgeries.GUARDS.items()
        if label != "replace" or connection.vendor == "sqlite"
    }
    name = dice.choice(list(named))
    return lambda: take(name, named[name])


def take(name, made):
    """Try a forgery; the history ends when the database took it."""
    try:
        refused = forgeries.is_refused(made)
    except NothingToForgeError:
        return
    require(refused, "a forged write was taken:", name)


ACTS = (
    retire_twice,
    retire_without_hold,
    retire_piecemeal,
    hold_again,
    settle_twice,
    refund_retired,
    refund_too_much,
    take_out_again,
    forge,
)
