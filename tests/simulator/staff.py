"""What the operator, the worker and the allocators do."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from unittest import mock

from django.db import connection

from diandian.flows import (
    batches,
    close,
    expiry,
    fulfil,
    issuance,
    log_fill,
    payment_events,
    promises,
    refund,
    resolve,
)
from diandian.flows.allocator import Allocator
from diandian.jobs import subscribers
from diandian.orders import errors
from diandian.orders.models import Order
from diandian.payments import errors as payment_errors
from diandian.registry import actions as registry
from diandian.registry import errors as registry_errors
from diandian.registry.models import CreditBatch
from tests.simulator.book import TONNE, Batch, require
from tests.simulator.stage import PERIOD

ACTOR = "operator:sim"
_DAY = date(2026, 2, 1)

# -- credits ----------------------------------------------------------------------------------


def issue(sim, dice):
    """Credits come in: one to three tonnes, several lanes, sometimes a buffer, sometimes unfit."""
    number = len(sim.book.batches) + 1
    tonnes = dice.randint(1, 3)
    lanes = dice.randint(1, tonnes)
    buffer_g = dice.choice([0, 0, 100_000, 250_000])
    unfit = dice.choice([{}, {}, {}, {}, {"is_ex_ante": True}, {"verified_by": ""}])
    batch = Batch(
        source_ref=f"issuance:{number}",
        project=dice.choice(sim.projects),
        tonnes=tonnes,
        lanes=lanes,
        buffer_g=buffer_g,
        is_fit=not unfit,
        facts=unfit,
        number=number,
    )
    sim.book.batches[batch.source_ref] = batch
    return lambda: enter(batch, sim)


def enter(batch, sim, **changes):
    """Enter a batch. In how many lanes it sells, no flow can be asked yet."""
    first = 100 * batch.number
    quality = batch.quality
    facts = {
        "serial_text": f"S-2025-{first:06d}~{first + batch.tonnes - 1:06d}",
        "vintage_year": quality.vintage,
        "period_start": PERIOD[0].replace(year=quality.vintage),
        "period_end": PERIOD[1],
        "custody": "native" if quality.is_native else "external",
        "facts": _stated(quality),
        "source_ref": batch.source_ref,
        "verified_by": "Verifier",
        "verified_on": date(2026, 1, 31),
        "buffer_g": batch.buffer_g,
        "issued_at": sim.stage.now,
        **batch.facts,
        **changes,
    }
    in_lanes = partial(registry.issue, sale_lanes=batch.lanes)
    with mock.patch.object(registry, "issue", in_lanes):
        issuance.issue_batch(
            project_code=batch.project, issuance=issuance.Issuance(**facts), actor_ref=ACTOR
        )


def _stated(quality):
    """Return the quality of credits as an issuance states it."""
    declared, status = quality.adjusted
    stated = {
        "credit_class": quality.credit_class,
        "adjustment_declaration": declared,
        "adjustment_status": status,
    }
    if status == "completed":
        stated |= {"adjustment_reference": "A-1", "adjustment_on": _DAY}
    if quality.has_label:
        stated |= {"ccp_reference": "L-1", "ccp_on": _DAY}
    if quality.is_recognised:
        stated |= {
            "recognition_evidence": "R-1",
            "recognised_on": _DAY,
            "recognition_sha256": "0" * 64,
        }
    return stated


def known_batch(sim, dice):
    """Return any batch that has been entered. Raises: IndexError where there is none."""
    known = {lane.source_ref for lane in sim.seen.lanes.values()}
    return dice.choice([batch for ref, batch in sim.book.batches.items() if ref in known])


def row_of(batch):
    """Return the table's row of a batch."""
    return CreditBatch.objects.select_related("serial_block").get(source_ref=batch.source_ref)


def issue_again(sim, dice):
    """The same issuance again changes nothing; told otherwise, or its serials again, is refused."""
    batch, way = known_batch(sim, dice), dice.randrange(3)

    def do():
        changes = sim.changes()
        if way == 0:
            enter(batch, sim)
            return
        other = {"vintage_year": 2023, "period_start": date(2023, 1, 1)}
        if way == 2:
            other = {"source_ref": f"{batch.source_ref}-again"}
        try:
            enter(batch, sim, **other)
        except (registry_errors.IssuedDifferentlyError, registry_errors.SerialOverlapError):
            require(sim.changes() == changes, "a refused issuance changed something")
            return
        require(False, batch, "was issued twice")

    return do


def retire_outside(sim, dice):
    """The issuing registry retires tonnes for us; certificates follow."""
    batch = known_batch(sim, dice)
    first = dice.randint(1, batch.tonnes)
    outside = issuance.OutsideRetirement(
        first_tonne=first,
        last_tonne=dice.randint(first, batch.tonnes),
        reference=f"OUT-{dice.randint(1, 3)}",
        retired_at=datetime(2026, 11, 1, tzinfo=UTC),
        evidence={"n": 1},
        is_simulated=True,
    )

    def do():
        try:
            issuance.record_outside(row_of(batch), outside, actor_ref=ACTOR)
        except registry_errors.EvidenceError:
            return

    return do


def freeze(sim, dice):
    """A batch is stopped at once."""
    batch = known_batch(sim, dice)

    def do():
        batch.is_stopped = True
        batches.freeze(row_of(batch).public_id, reason="sim", actor_ref=ACTOR)

    return do


def thaw(sim, dice):
    """A stopped batch serves again."""
    stopped = [
        batch
        for ref, batch in sim.book.batches.items()
        if batch.is_stopped and ref not in sim.book.restored
    ]
    if not stopped:
        return None
    batch = dice.choice(stopped)

    def do():
        try:
            batches.thaw(row_of(batch).public_id, reason="sim", actor_ref=ACTOR)
        except registry_errors.UnderRecallError:
            require(batch.under, batch, "was not thawed, and nobody recalls it")
            return
        batch.is_stopped = False

    return do


def _take_out(sim, dice, kind):
    batch = known_batch(sim, dice)
    mass_g = dice.choice([1, 1_000, 123_456, TONNE])
    source_ref = f"{kind}:{len(sim.book.uses) + 1}"

    def do():
        sim.book.uses[source_ref] = (batch.source_ref, mass_g, kind)
        try:
            batches.cancel(
                row_of(batch).public_id,
                mass_g=mass_g,
                reason="sim",
                source_ref=source_ref,
                from_buffer=kind == "reversal",
                actor_ref=ACTOR,
            )
        except registry_errors.NotEnoughCreditsError:
            return

    return do


def take_out(sim, dice):
    """Free grams are cancelled."""
    return _take_out(sim, dice, "cancel")


def reverse(sim, dice):
    """Grams came undone: the buffer pays."""
    return _take_out(sim, dice, "reversal")


# -- decisions --------------------------------------------------------------------------------


def decide(sim, dice):
    """People decide about an order: accept, give back, refund."""
    guest = dice.choice([guest for guest in sim.guests() if guest.order_id])
    under_review = [one for one in sim.guests() if one.order_id and sim.state_of(one) == "review"]
    if under_review and dice.random() < 0.8:
        guest = dice.choice(under_review)
    act = dice.choice([resolve.accept, resolve.give_back, resolve.refund_order])
    dry = dice.random() < 0.1
    return lambda: judge(guest, act, dry=dry)


def judge(guest, act, *, dry=False):
    """Decide, whatever the answer."""
    if act is resolve.give_back:
        guest.asked.add("decided")
    try:
        act(guest.order_id, actor=ACTOR, reason="sim", dry=dry)
    except (
        errors.NotUnderReviewError,
        errors.MoneyDiffersError,
        errors.SoldOutError,
        errors.StillPayableError,
        payment_errors.RetiredNotRefundableError,
        payment_errors.NothingToRefundError,
    ):
        return


def refund_again(sim, dice):
    """An older desk asks for a refund of any order; what is retired is refused."""
    guest = dice.choice([guest for guest in sim.guests() if guest.order_id])

    def do():
        if sim.state_of(guest) not in {"paid", "completed", "unfulfillable", "refunded"}:
            return
        try:
            refund.refund_order(Order.objects.get(id=guest.order_id), "sim")
        except (payment_errors.RetiredNotRefundableError, payment_errors.NothingToRefundError):
            return

    return do


def close_day(sim, dice):
    """The daily close: everything must hold."""

    def do():
        closing = close.close(actor=ACTOR)
        require(closing.holds, "the day does not close:", closing.breaches)

    return do


# -- the worker and the allocators ------------------------------------------------------------


def work(sim, dice):
    """One round of one of the worker's tasks."""
    return dice.choice(
        [
            payment_events.retry_notices,
            payment_events.poll_due,
            payment_events.poll_due,
            refund.continue_refunds,
            expiry.release_expired,
            promises.sweep,
            log_fill.fill_and_tell,
            lambda: subscribers.deliver(32),
        ]
    )


def allocate(sim, dice):
    """A candidate for the allocator's office leads where it can, and takes what waits."""
    one = dice.choice(sim.allocators)

    def do():
        others = [other for other in sim.allocators if other is not one]
        led = one.lead()
        sim.stage.later(timedelta(0))
        # PostgreSQL's lock keeps sessions apart, and a history has one session only.
        if led and connection.vendor == "sqlite":
            require(not any(other.lead() for other in others), "two allocators lead")
        if led:
            one.allocate()

    return do


def lose_allocator(sim, dice):
    """An allocator dies without a word, or leaves its office in order; another one comes."""
    number, in_order = dice.randrange(len(sim.allocators)), dice.random() < 0.5
    gone = sim.allocators[number]
    sim.allocators[number] = Allocator(f"{gone.holder}+")
    return gone.retire if in_order else lambda: None


def fulfil_alone(sim, dice):
    """Somebody who believes to lead takes what waits, beside whoever leads."""
    return fulfil.drain


def poison(sim, dice):
    """A fault of ours: the certificate of some order cannot be made, until it is mended."""
    poisoned = sim.stage.poisoned
    if poisoned and dice.random() < 0.3:
        return poisoned.clear
    guest = dice.choice(
        [
            guest
            for guest in sim.guests()
            if guest.order_id
            and sim.seen.orders[guest.order_id].state in {"awaiting_payment", "paid"}
        ]
    )
    return lambda: poisoned.add(guest.order_id)


def wait(sim, dice):
    """Time goes by."""
    seconds = dice.choices(
        (1, 3, 25, 120, 1_260, 3_600, 86_400, 16 * 86_400), (8, 6, 6, 4, 3, 1, 1, 1)
    )[0]
    return lambda: sim.stage.later(timedelta(seconds=seconds))
