"""Writes of offers, quotes, orders and their links; flows call them inside their transactions."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import DateTimeField, Q

from diandian.claims.withdrawal import ends_at
from diandian.emissions.estimate import without_person
from diandian.footprints.models import Footprint
from diandian.kernel import tokens
from diandian.kernel.clock import now
from diandian.ledger.models import Journal
from diandian.orders import rules
from diandian.orders.models import (
    AllocatorLease,
    HolderKind,
    Intake,
    IntakeState,
    Offer,
    Order,
    OrderEntry,
    OrderPayment,
    OrderRetirement,
    OrderState,
    Quote,
    Withdrawal,
)
from diandian.orders.pricing import Price
from diandian.payments.models import Payment
from diandian.registry.models import Project, Retirement
from diandian.scenes.models import Scene
from diandian.store.inserts import Insert, InsertMany
from diandian.store.statements import Param, Update

# Written for every guest: composed once.
_QUOTES = Insert(Quote)
_ORDERS = Insert(Order)
_PAYMENT_LINKS = Insert(OrderPayment)
_ENTRY_LINKS = Insert(OrderEntry, skip_conflicts=True)
_RETIREMENT_LINKS = InsertMany(OrderRetirement, "order_id", "retirement_id")
_SALE_LINKS = InsertMany(OrderEntry, "order_id", "journal_id", skip_conflicts=True)
_INTAKES = Insert(Intake, skip_conflicts=True)
_LEASES = Insert(AllocatorLease, skip_conflicts=True)
_MOVED = Update(
    lambda _: Order.objects.filter(id=Param("id"), state=Param("before")), state=Param("after")
)
_PAID = Update(
    lambda _: Order.objects.filter(id=Param("id"), state=Param("before")),
    state=OrderState.PAID,
    paid_by=Param("paid_by"),
    settlement=Param("settlement"),
)
_COMPLETED = Update(
    lambda ids: Order.objects.filter(id__in=ids, state=OrderState.PAID),
    state=OrderState.COMPLETED,
    completed_at=Param("at", DateTimeField()),
)
_TAKEN_IN = Update(lambda ids: Intake.objects.filter(order__id__in=ids), state=IntakeState.DONE)


def set_offer(
    *,
    project: Project,
    currency: str,
    price_per_tonne_minor: int,
    fee_basis_points: int,
    fee_minimum_minor: int,
    position: int,
    at: datetime,
) -> Offer:
    """Put a project on sale at a price; the offer before it ends, quotes made on it stay valid."""
    Offer.objects.filter(project=project, currency=currency, is_active=True).update(is_active=False)
    return Offer.objects.create(
        project=project,
        currency=currency,
        price_per_tonne_minor=price_per_tonne_minor,
        fee_basis_points=fee_basis_points,
        fee_minimum_minor=fee_minimum_minor,
        position=position,
        created_at=at,
    )


def write_quote(  # noqa: PLR0913 - one row's facts
    *,
    offer: Offer,
    price: Price,
    mass_g: int,
    scene: Scene | None,
    footprint: Footprint | None,
    estimate: Mapping[str, object] | None = None,
    cover: Mapping[str, object] | None = None,
    holder_kind: str = HolderKind.PERSON,
    holder_ref: str = "",
    is_ordered_at_once: bool = False,
    at: datetime,
) -> Quote:
    """Write a quote that holds for an hour.

    ``cover``: what an organiser's cover claims; ``holder_kind``, ``holder_ref``: in whose name.
    ``is_ordered_at_once``: the order that follows writes it, in its own commit (``keep_quote``).
    """
    quote = Quote(
        token=tokens.secret_token(),
        offer=offer,
        scene=scene,
        footprint=footprint,
        estimate=estimate,
        cover=cover,
        holder_kind=holder_kind,
        holder_ref=holder_ref,
        mass_g=mass_g,
        currency=price.total.currency,
        supplier_minor=price.supplier.amount_minor,
        fee_minor=price.fee.amount_minor,
        total_minor=price.total.amount_minor,
        created_at=at,
        expires_at=at + rules.QUOTE_LIFETIME,
    )
    return quote if is_ordered_at_once else _QUOTES.one(quote)


def keep_quote(quote: Quote) -> None:
    """Write a quote that was left to its order. Idempotent: a written one stays as it is."""
    if quote._state.adding:  # noqa: SLF001
        _QUOTES.one(quote)


def place(  # noqa: PLR0913 - one row's facts
    *,
    quote: Quote,
    beneficiary_name: str,
    on_board: bool,
    guest_key: str,
    language: str,
    idempotency_key: str | None,
    body_sha256: str,
    withdrawal: str = Withdrawal.NONE,
    at: datetime,
) -> Order:
    """Write the order of a quote. ``withdrawal``: none, waived or kept.

    Raises: IntegrityError when the quote or key is used, or the footprint has a live order.
    """
    return _ORDERS.one(
        Order(
            token=tokens.secret_token(),
            quote=quote,
            scene=quote.scene,
            footprint=quote.footprint,
            project_id=quote.offer.project_id,
            holder_kind=quote.holder_kind,
            mass_g=quote.mass_g,
            beneficiary_name=beneficiary_name,
            on_board=on_board,
            guest_key=guest_key,
            language=language,
            idempotency_key=idempotency_key or None,
            body_sha256=body_sha256,
            withdrawal=withdrawal,
            created_at=at,
        )
    )


def link_payment(order: Order, payment: Payment) -> None:
    """Tie an attempt to pay to its order."""
    _PAYMENT_LINKS.along([OrderPayment(order=order, payment=payment)])


def link_entry(order: Order, journal: Journal) -> None:
    """Tie a journal to the order that caused it. Idempotent by the journal."""
    _ENTRY_LINKS.along([OrderEntry(order=order, journal=journal)])


def move(order: Order, to: OrderState) -> bool:
    """Move an order to another state if that move is lawful and nobody was faster.

    Idempotent: returns False and changes nothing when the move is not lawful from the stored state.
    """
    if not rules.may_move(order.state, to):
        return False
    moved = _MOVED.run(id=order.id, before=order.state, after=to)
    if moved:
        order.state = to
    if moved and to == OrderState.REVIEW:
        # From now on people have their time to decide.
        order.reviewed_at = now()
        Order.objects.filter(id=order.id).update(reviewed_at=order.reviewed_at)
    return bool(moved)


def pay(order: Order, payment: Payment) -> bool:
    """Move the order to paid, by the payment that was booked as its price, if that is lawful.

    Idempotent: returns False and changes nothing when it is not.
    """
    if not rules.may_move(order.state, OrderState.PAID):
        return False
    given = {"paid_by": payment.id, "settlement": payment.settlement}
    moved = _PAID.run(id=order.id, before=order.state, **given)
    if moved:
        order.state = OrderState.PAID
        order.paid_by, order.settlement = payment, payment.settlement
    return bool(moved)


def mark_paid(order: Order, payment: Payment, *, at: datetime) -> bool:
    """Move the order to paid and put it into the intake, both in the caller's transaction.

    ``payment``: what was booked as its price. Where the right to withdraw was kept, the order waits
    until it ends, counted from ``at``.
    """
    if not pay(order, payment):
        return False
    _begin_wait(order, at)
    enqueue(order, at=at)
    return True


def _begin_wait(order: Order, at: datetime) -> None:
    """Write until when a paid order waits. Idempotent: a wait that began is not moved."""
    if order.withdrawal != Withdrawal.KEPT or order.retire_after is not None:
        return
    order.retire_after = ends_at(at)
    Order.objects.filter(id=order.id).update(retire_after=order.retire_after)


def end_wait(order: Order, choice: Withdrawal) -> None:
    """Write that a right to withdraw was given up, or used, before it ended.

    In the caller's transaction, with the order's lock. Given up, its grams may be retired at once.
    """
    assert order.withdrawal == Withdrawal.KEPT, "only what was kept can end"
    order.withdrawal = choice
    if choice == Withdrawal.WAIVED:
        order.retire_after = None
        Intake.objects.filter(order=order).update(next_attempt_at=None)
    Order.objects.filter(id=order.id).update(withdrawal=choice, retire_after=order.retire_after)


def enqueue(order: Order, *, at: datetime) -> None:
    """Put a paid order into the durable queue, due when it need not wait. Idempotent by order."""
    _INTAKES.along([Intake(order=order, created_at=at, next_attempt_at=order.retire_after)])


def take_lease(holder: str, *, over_others: bool, at: datetime) -> bool:
    """Say that ``holder`` allocates now; False while another one's lease has not run out.

    ``over_others``: something stronger than the lease says already that nobody else leads.
    """
    mine = AllocatorLease.objects.all()
    if not over_others:
        mine = mine.filter(Q(holder=holder) | Q(beat_at__lt=at - rules.LEASE_LASTS))
    if mine.update(holder=holder, beat_at=at):
        return True
    lease = AllocatorLease(holder=holder, beat_at=at)
    return bool(_LEASES.run([lease]))


def end_lease(holder: str) -> None:
    """Say that ``holder`` allocates no longer. Idempotent."""
    AllocatorLease.objects.filter(holder=holder).delete()


def complete(
    pairs: Sequence[tuple[Order, Retirement]],
    journals: Sequence[tuple[Order, Journal]],
    *,
    at: datetime,
) -> None:
    """Mark paid orders completed and tie them to their retirements and sale journals."""
    ids = [order.id for order, _ in pairs]
    _RETIREMENT_LINKS.along([(order.id, retirement.id) for order, retirement in pairs])
    _SALE_LINKS.along([(order.id, journal.id) for order, journal in journals])
    done, taken_in = _COMPLETED.ask(ids, at=at), _TAKEN_IN.ask(ids)
    assert done.count() == len(ids), "only paid orders are completed, each once"
    assert taken_in.count() == len(ids), "each has its place in the queue"


def note_failure(intake: Intake, error: str, *, due: datetime, at: datetime) -> None:
    """Count a failed attempt to fulfil; the order stays in the queue and waits longer each time.

    ``due``: its deadline; the last attempt is made then, not an hour later.
    """
    intake.attempts += 1
    again_at = at + rules.wait_after(intake.attempts)
    if at < due:
        again_at = min(again_at, due)
    Intake.objects.filter(id=intake.id, state=IntakeState.WAITING).update(
        attempts=intake.attempts,
        error=error[:200],
        # However it failed, nothing is tried while its guest may withdraw.
        next_attempt_at=max(again_at, intake.order.retire_after or again_at),
    )


def park(intake: Intake) -> None:
    """Take an order out of the queue until people decide; its order goes under review."""
    Intake.objects.filter(id=intake.id, state=IntakeState.WAITING).update(state=IntakeState.PARKED)


def requeue(order: Order, *, keep_until: datetime | None = None, at: datetime) -> None:
    """Put a paid order into the queue anew; earlier failures no longer count.

    It is due at once, or once its guest may no longer withdraw. ``keep_until``: its new deadline.
    """
    _begin_wait(order, at)
    enqueue(order, at=at)
    Intake.objects.filter(order=order).exclude(state=IntakeState.DONE).update(
        state=IntakeState.WAITING,
        attempts=0,
        error="",
        next_attempt_at=order.retire_after,
        keep_until=keep_until,
    )


def note_release_tried(order: Order, *, at: datetime) -> None:
    """Note that an unpaid order could not be released now, so that others get their turn."""
    Order.objects.filter(id=order.id).update(release_tried_at=at)


def give_up(intake: Intake, error: str) -> None:
    """Take an order out of the queue that can never be fulfilled; the caller refunds it."""
    Intake.objects.filter(id=intake.id).update(state=IntakeState.IMPOSSIBLE, error=error[:200])


def take_off_boards(guest_key: str) -> int:
    """Let no order of a device light a scene any more, also those that are not paid yet."""
    assert guest_key, "without a key every order without one would be found"
    return Order.objects.filter(guest_key=guest_key, on_board=True).update(on_board=False)


def set_estimate(order: Order, estimate: Mapping[str, object]) -> None:
    """Write another form of the estimate that an order's quote rests on; its grams are the same."""
    assert order.quote.estimate is not None, "only an estimate can have another form"
    assert estimate["mass_g"] == order.quote.estimate["mass_g"], "the grams are the same"
    order.quote.estimate = dict(estimate)
    Quote.objects.filter(id=order.quote_id).update(estimate=order.quote.estimate)


def erase_name(order: Order) -> None:
    """Erase the person behind an order and their answers; grams and money stay."""
    estimate = order.quote.estimate
    if estimate:
        # Of an estimate that nobody saved, the quote holds the only copy of answers and places.
        Quote.objects.filter(id=order.quote_id).update(estimate=without_person(estimate))
    # The digest of the request was made over the name too; a key of the caller's own may be one.
    Order.objects.filter(id=order.id).update(
        beneficiary_name="", on_board=False, guest_key="", body_sha256="", idempotency_key=None
    )
