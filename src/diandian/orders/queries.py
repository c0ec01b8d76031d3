"""Reads of offers, quotes and orders; secret tokens open them, numbers never do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, DateTimeField, F, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from diandian.kernel.clock import now
from diandian.kernel.memory import ttl_cache
from diandian.kernel.money import Money
from diandian.orders import rules
from diandian.orders.errors import OrderNotFoundError, QuoteNotFoundError
from diandian.orders.models import (
    LIVE_STATES,
    AllocatorLease,
    HolderKind,
    Intake,
    IntakeState,
    Order,
    OrderPayment,
    OrderRetirement,
    OrderState,
    Quote,
)
from diandian.payments.models import Payment
from diandian.registry.recalls import queries as recalls
from diandian.scenes.models import Scene
from diandian.store.running import database, fetched
from diandian.store.statements import Param, Select

# Orders that one commit fulfils (registry design, section 4.2).
MOST_AT_ONCE = 256
_INSTANT = DateTimeField()
# Below this many orders a "typical" price says more about single guests than about the scene.
TYPICAL_FROM_ORDERS = 20

# Asked for every guest: composed once.
_BARE = Select(
    lambda: Order.objects.filter(token=Param("token")).only("token", "state", "retire_after")
)
_BY_KEY = Select(lambda: Order.objects.filter(idempotency_key=Param("key")))
_LIVE_OF_FOOTPRINT = Select(
    lambda: (
        Order.objects.filter(footprint__id=Param("footprint_id"), state__in=LIVE_STATES)
        .only("token", "state")
        .order_by("id")[:1]
    )
)
# How many of a scene's guests came first is counted to the last full block of numbers now and then,
# and only from there for each who asks: what one asks for does not grow with the scene.
_BLOCK_ORDERS = 1000
_PLACE = """SELECT guest_key, scene_id, (SELECT COUNT(*) FROM orders_order earlier
        WHERE earlier.scene_id = orders_order.scene_id AND earlier.state = 'completed'
        AND earlier.holder_kind = 'person' AND earlier.id > %s
        AND earlier.id <= orders_order.id) AS place
    FROM orders_order WHERE id = %s AND scene_id IS NOT NULL"""
_BEFORE = """SELECT COUNT(*) FROM orders_order WHERE scene_id = %s AND state = 'completed'
    AND holder_kind = 'person' AND id <= %s"""
_UNPAID_OF_GUEST = """SELECT COUNT(*) FROM orders_order
    WHERE guest_key = %s AND state = 'awaiting_payment'"""
_LATEST_PAYMENT = Select(
    lambda: (
        OrderPayment.objects.filter(order__id=Param("order_id"))
        .select_related("payment")
        .order_by("-payment_id")[:1]
    )
)

_ORDER = Select(
    lambda: Order.objects.filter(token=Param("token")).select_related(
        "quote__offer", "scene", "footprint", "project__programme"
    )
)
_WAITING = Select(
    lambda: (
        Intake.objects.filter(
            Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=Param("due_at", _INSTANT)),
            state=IntakeState.WAITING,
            order__state=OrderState.PAID,
        )
        .only("order_id")
        .order_by("id")[:MOST_AT_ONCE]
    )
)
_LEASE = Select(AllocatorLease.objects.all)
_QUOTE = Select(
    lambda: Quote.objects.filter(token=Param("token")).select_related(
        "offer__project__programme", "scene", "footprint"
    )
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scene is: grams retired by guests and organiser, and how many guests did."""

    matched_g: int
    guests: int


@dataclass(frozen=True, slots=True)
class Place:
    """An order's place among the scene's completed ones, counted from 1, and whose device it is."""

    number: int
    guest_key: str


def holders_of(retirement_ids: QuerySet[Any]) -> dict[str, str]:
    """Return the organisations that ordered some retirements, with the language of their orders."""
    links = OrderRetirement.objects.filter(retirement__in=retirement_ids)
    rows = links.exclude(order__quote__holder_ref="").order_by("id")
    return dict(rows.values_list("order__quote__holder_ref", "order__language"))


def quote_by_token(token: str) -> Quote:
    """Return a quote with what an order of it needs. Raises: QuoteNotFoundError."""
    quote = _QUOTE.first(token=token)
    if quote is None:
        raise QuoteNotFoundError
    return quote


def order_by_token(token: str) -> Order:
    """Return the order behind a secret link. Raises: OrderNotFoundError."""
    order = _ORDER.first(token=token)
    if order is None:
        raise OrderNotFoundError
    return order


def bare_order_by_token(token: str) -> Order:
    """Return an order of which only number, token, state and ``retire_after`` are read.

    Raises: OrderNotFoundError.
    """
    order = _BARE.first(token=token)
    if order is None:
        raise OrderNotFoundError
    return order


def order_of_ref(ref: str) -> Order | None:
    """Return the order of an opaque reference such as ``order:17``, or None when it is not one."""
    kind, _, number = ref.partition(":")
    if kind != "order" or not number.isdigit():
        return None
    return Order.objects.filter(id=int(number)).select_related("quote__offer", "project").first()


def order_by_idempotency_key(key: str) -> Order | None:
    """Return the order made with a key."""
    return _BY_KEY.first(key=key)


def live_order_of_footprint(footprint_id: int) -> Order | None:
    """Return number, token and state of the order that matches, or will match, a footprint."""
    return _LIVE_OF_FOOTPRINT.first(footprint_id=footprint_id)


def other_sponsor_waits(order: Order) -> bool:
    """Tell whether another sponsor's order of the same scene waits for its payment."""
    rows = Order.objects.filter(scene=order.scene, state=OrderState.AWAITING_PAYMENT)
    return rows.filter(holder_kind=HolderKind.SPONSOR).exclude(id=order.id).exists()


def latest_payment(order: Order) -> Payment | None:
    """Return the newest attempt to pay an order."""
    link = _LATEST_PAYMENT.first(order_id=order.id)
    return link.payment if link else None


def scene_progress(scene: Scene) -> Progress:
    """Return grams of the completed orders of a scene that still stand, and its guests."""
    found = Order.objects.filter(scene=scene, state=OrderState.COMPLETED).aggregate(
        grams=Sum("mass_g"), guests=Count("id", filter=Q(holder_kind=HolderKind.PERSON))
    )
    ref = f"scene:{scene.id}"
    missing_g = recalls.missing_by_context([ref]).get(ref, 0)
    return Progress(matched_g=(found["grams"] or 0) - missing_g, guests=found["guests"])


def place_of_ref(ref: str) -> Place | None:
    """Return where the order of an opaque reference stands in its scene; None without a scene.

    An older order that is completed late may be counted a minute later.
    """
    kind, _, number = ref.partition(":")
    if kind != "order" or not number.isdecimal():
        return None
    order_id = int(number)
    last_of_block = order_id - order_id % _BLOCK_ORDERS
    found = fetched(database(), _PLACE, [last_of_block, order_id])
    if not found:
        return None
    guest_key, scene_id, place = found[0]
    return Place(number=_guests_until(scene_id, last_of_block) + place, guest_key=guest_key)


@ttl_cache(60)
def _guests_until(scene_id: int, order_id: int) -> int:
    """Return how many guests of a scene completed an order up to a number."""
    if order_id == 0:
        return 0
    return int(fetched(database(), _BEFORE, [scene_id, order_id])[0][0])


def typical_price(scene: Scene) -> tuple[Money, Money] | None:
    """Return what the middle 80 % of the scene's guests paid, in the currency that most used.

    None below twenty orders in that currency.
    """
    paid = (
        Quote.objects.filter(
            order__scene=scene, order__state=OrderState.COMPLETED, holder_kind=HolderKind.PERSON
        )
        .order_by("-id")
        .values_list("currency", "total_minor")[:1000]
    )
    by_currency: dict[str, list[int]] = {}
    for currency, total_minor in paid:
        by_currency.setdefault(currency, []).append(total_minor)
    currency = max(sorted(by_currency), key=lambda each: len(by_currency[each]), default="")
    totals = sorted(by_currency.get(currency, []))
    if len(totals) < TYPICAL_FROM_ORDERS:
        return None
    cut = len(totals) // 10
    return Money(totals[cut], currency), Money(totals[-1 - cut], currency)


def waiting_order_ids(limit: int, *, due_at: datetime) -> list[int]:
    """Return paid orders whose turn it is, oldest first.

    One that failed is left alone until its next attempt is due, one that is held until its guest
    may no longer withdraw; one under review waits for people.
    """
    return [intake.order_id for intake in _WAITING.all(due_at=due_at)[:limit]]


def allocator_beat() -> datetime | None:
    """Return when an allocator last said that it takes orders from the intake."""
    lease = _LEASE.first()
    return lease.beat_at if lease else None


def oldest_waiting(*, at: datetime | None = None) -> datetime | None:
    """Return since when the longest waiting paid order waits; None when nothing waits.

    One that is held while its guest may withdraw is not late; it waits from the end of that on.
    """
    waiting = Intake.objects.filter(state=IntakeState.WAITING, order__state=OrderState.PAID)
    due = Q(order__retire_after__isnull=True) | Q(order__retire_after__lte=at or now())
    since = Coalesce("order__retire_after", "created_at")
    first: datetime | None = waiting.filter(due).aggregate(first=Min(since))["first"]
    return first


def due_for_release(at: datetime, limit: int) -> list[Order]:
    """Return unpaid orders whose hold is over: never tried first, then longest not tried.

    One that could not be released waits for its turn by ``rules.RELEASE_PAUSES``.
    """
    created_by = at - rules.PAYMENT_LIFETIME - rules.HOLD_GRACE
    its_turn = Q(release_tried_at__isnull=True)
    its_turn |= Q(release_tried_at__lte=at - rules.LONGEST_RELEASE_PAUSE)
    for over_for, pause in rules.RELEASE_PAUSES:
        its_turn |= Q(release_tried_at__lte=at - pause, created_at__gt=created_by - over_for)
    rows = Order.objects.filter(
        its_turn, state=OrderState.AWAITING_PAYMENT, created_at__lte=created_by
    )
    turn = F("release_tried_at").asc(nulls_first=True)
    return list(rows.order_by(turn, "created_at", "id")[:limit])


def unpaid_of_guest(guest_key: str) -> int:
    """Return how many unpaid orders a device has."""
    return int(fetched(database(), _UNPAID_OF_GUEST, [guest_key])[0][0])


def large_unpaid_g(project_id: int) -> int:
    """Return the grams of a project that large orders hold without having paid."""
    rows = Order.objects.filter(
        state=OrderState.AWAITING_PAYMENT, project_id=project_id, mass_g__gt=rules.LARGE_ORDER_G
    )
    return rows.aggregate(total=Sum("mass_g"))["total"] or 0


def order_by_number(number: int) -> Order | None:
    """Return an order by its number, as the operator knows it."""
    return Order.objects.select_related("quote", "project").filter(id=number).first()


def under_review() -> list[Order]:
    """Return the orders that wait for people, those that wait longest first."""
    rows = Order.objects.filter(state=OrderState.REVIEW).select_related("quote", "project")
    return list(rows.order_by(F("reviewed_at").asc(nulls_first=True), "id"))


def unfulfillable() -> list[Order]:
    """Return the orders whose money is to go back and did not yet, oldest first."""
    rows = Order.objects.filter(state=OrderState.UNFULFILLABLE).select_related("quote")
    return list(rows.order_by("id"))


def review_overdue(at: datetime) -> list[Order]:
    """Return the orders that wait for people longer than they should, oldest first."""
    late = Order.objects.filter(state=OrderState.REVIEW, reviewed_at__lte=at - rules.REVIEW_WITHIN)
    return list(late.order_by("reviewed_at", "id"))
