"""Reads of what suppliers are owed, what is on its way, and what reached them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Case, F, Q, QuerySet, Sum, When
from django.db.models.expressions import Combinable
from django.db.models.functions import TruncMonth

from diandian.kernel.clock import BUSINESS_ZONE
from diandian.kernel.money import Money
from diandian.settlement import rules
from diandian.settlement.errors import UnknownBatchError
from diandian.settlement.models import (
    MOVING,
    UNPAID,
    Batch,
    BatchState,
    Line,
    LineKind,
    LineState,
    Payee,
    PayeeState,
    Rail,
    Return,
    ReturnWay,
    Split,
    SplitState,
)

# -- payees -----------------------------------------------------------------------------------


def payee_in_force(supplier_ref: str, *, gateway: str, at: datetime) -> Payee | None:
    """Return where a supplier receives money now, at a gateway or ("") at a bank."""
    confirmed = Payee.objects.filter(
        supplier_ref=supplier_ref,
        gateway=gateway,
        state=PayeeState.CONFIRMED,
        active_from__lte=at,
    )
    return confirmed.order_by("-active_from", "-id").first()


def payees_confirmed_ever(supplier_ref: str, *, gateway: str) -> QuerySet[Payee]:
    """Return the details that were ever to be used there, whatever became of them."""
    return Payee.objects.filter(
        supplier_ref=supplier_ref, gateway=gateway, active_from__isnull=False
    )


def payees_of(supplier_ref: str) -> list[Payee]:
    """Return every detail of a supplier, newest first."""
    return list(Payee.objects.filter(supplier_ref=supplier_ref).order_by("-id"))


def accounts_at(gateway: str, supplier_refs: Collection[str]) -> list[str]:
    """Return suppliers' accounts at a gateway that are used, or wait to be; ``*`` names all."""
    rows = Payee.objects.filter(
        gateway=gateway, state__in=(PayeeState.CONFIRMED, PayeeState.WAITING)
    )
    if "*" not in supplier_refs:
        rows = rows.filter(supplier_ref__in=list(supplier_refs))
    return sorted({str(payee.detail["account"]) for payee in rows})


def payees_waiting() -> list[Payee]:
    """Return the details that wait for a second person, oldest first."""
    return list(Payee.objects.filter(state=PayeeState.WAITING).order_by("id"))


def is_payee_confirmed(number: int) -> bool:
    """Tell whether a detail was confirmed and not taken out of force since."""
    return Payee.objects.filter(id=number, state=PayeeState.CONFIRMED).exists()


def payee_by_number(number: int) -> Payee | None:
    """Return a detail by its number."""
    return Payee.objects.filter(id=number).first()


# -- lines ------------------------------------------------------------------------------------


def known_sources(source_refs: Collection[str]) -> set[str]:
    """Return the journals among some that have their line."""
    rows = Line.objects.filter(source_ref__in=list(source_refs))
    return set(rows.values_list("source_ref", flat=True))


def lines_to_look_at(at: datetime, limit: int) -> list[Line]:
    """Return lines whose turn it is, longest due first."""
    due = Line.objects.filter(next_look_at__lte=at)
    return list(due.order_by("next_look_at", "id")[:limit])


def moving_of(payment_nos: Collection[str]) -> set[str]:
    """Return those payments whose part is on its way just now."""
    lines = Line.objects.filter(payment_no__in=payment_nos, state__in=MOVING)
    return set(lines.values_list("payment_no", flat=True)) if payment_nos else set()


def line_of_payment(payment_no: str) -> Line | None:
    """Return the sale that a payment paid, once it was retired."""
    return Line.objects.filter(payment_no=payment_no, kind=LineKind.SALE).first()


def line_of_order(order_ref: str) -> Line | None:
    """Return the sale of an order."""
    return Line.objects.filter(owner_ref=order_ref, kind=LineKind.SALE).first()


def line_by_number(number: int) -> Line | None:
    """Return a line by its number."""
    return Line.objects.filter(id=number).first()


def living_split(line: Line) -> Split | None:
    """Return the one attempt to divide a line's payment that did not fail."""
    return line.splits.exclude(state="failed").first()


def newest_split(line: Line) -> Split | None:
    """Return the newest attempt to divide a line's payment."""
    return line.splits.order_by("-id").first()


def receiver_of(line: Line) -> str:
    """Return the account that got a line's leg; "" where none was moved."""
    leg = line.splits.filter(state=SplitState.PAID).first()
    return leg.receiver if leg is not None else ""


def drafted(supplier_ref: str, currency: str, rail: str) -> QuerySet[Line]:
    """Return the parts that stand in a supplier's draft."""
    return Line.objects.filter(
        batch__state=BatchState.DRAFT,
        batch__supplier_ref=supplier_ref,
        batch__currency=currency,
        batch__rail=rail,
    )


def return_by_no(return_no: str) -> Return | None:
    """Return what a refund took, by its number."""
    return Return.objects.filter(return_no=return_no).select_related("line", "split").first()


# Sent, or to be sent: what came of it is asked before anything else is done.
_TRIED = (LineState.QUEUED, LineState.SUBMITTED, LineState.UNKNOWN, LineState.FAILED)
# What may stay so for ever: no account of the supplier, or a merchant that is not in use any more.
_LACKING = ("supplier", "merchant")


def is_given_up(line: Line, *, at: datetime) -> bool:
    """Tell whether people may let a part go by bank: it failed for good, or is not paid for long.

    What a gateway refuses for now, or does not know, it may refuse for ever: an account that has
    too little, or is not in force. Whether the newest leg may arrive after all is for the gateway
    to say, and for what is compared under the line's lock.
    """
    is_over = line.state == LineState.FAILED and line.next_look_at is None
    is_old = line.due_from <= at - rules.WAITS_TOO_LONG
    is_left = is_old and (line.state in _TRIED or line.waits_for in _LACKING)
    return (is_over or is_left) and line.rail == Rail.GATEWAY and line.disputed_at is None


def lines_stuck(at: datetime) -> list[Line]:
    """Return the lines that people must look at: failed for good, disputed, or waiting too long."""
    stuck = Q(state=LineState.FAILED, next_look_at__isnull=True) | Q(
        disputed_at__isnull=False, batch__isnull=True
    )
    # Whatever is looked at again and again: waiting for something, or moving and never there.
    long_ago = Q(next_look_at__isnull=False, due_from__lte=at - rules.WAITS_TOO_LONG)
    stuck |= long_ago & ~Q(state=LineState.WAITING, waits_for="")
    return list(Line.objects.filter(stuck).order_by("id")[:200])


def returns_short() -> list[Return]:
    """Return, newest first, the parts that no gateway could take back from their suppliers."""
    failed = Return.objects.filter(way=ReturnWay.REVERSED, state=SplitState.FAILED)
    return list(failed.select_related("line").order_by("-id")[:200])


# -- payouts ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """What could be put into a payout now. ``net``: claims are taken off."""

    supplier_ref: str
    rail: str
    count: int
    net: Money


def collectable(supplier_ref: str, currency: str, rail: str) -> QuerySet[Line]:
    """Return the lines that a new payout takes: due at a bank, paid by a gateway."""
    state = LineState.DUE if rail == Rail.BANK else LineState.PAID
    return Line.objects.filter(
        supplier_ref=supplier_ref,
        currency=currency,
        rail=rail,
        state=state,
        batch__isnull=True,
        disputed_at__isnull=True,
    )


def ready() -> list[Ready]:
    """Return what could be put into payouts now, by supplier, currency and rail."""
    collected = Q(rail=Rail.BANK, state=LineState.DUE) | Q(rail=Rail.GATEWAY, state=LineState.PAID)
    rows = (
        Line.objects.filter(collected, batch__isnull=True, disputed_at__isnull=True)
        .order_by("supplier_ref", "currency", "rail")
        .values_list("supplier_ref", "currency", "rail")
        .annotate(count=Sum(1), net=Sum(_moved()))
    )
    return [
        Ready(supplier_ref, rail, count, Money(int(net), currency))
        for supplier_ref, currency, rail, count, net in rows
    ]


def _moved() -> Case:
    """Return what reaches the supplier of each line, in SQL."""
    return Case(
        When(
            settlement="gateway_split",
            then=F("supplier_minor") - F("refunded_minor") + F("returned_minor"),
        ),
        default=F("supplier_minor") - F("returned_minor"),
    )


def batch_by_no(number: str) -> Batch:
    """Return a payout by its number. Raises: UnknownBatchError."""
    found = Batch.objects.filter(number=number).first()
    if found is None:
        raise UnknownBatchError
    return found


def lines_of(batch: Batch) -> list[Line]:
    """Return the lines of a payout, in order."""
    return list(batch.lines.order_by("id"))


def batches_open() -> list[Batch]:
    """Return the payouts that wait for somebody."""
    done = (BatchState.RECONCILED, BatchState.CANCELLED)
    return list(Batch.objects.exclude(state__in=done))


# -- what anybody may know --------------------------------------------------------------------


def unpaid_minor() -> dict[tuple[str, str], int]:
    """Return what lines say each supplier is still owed, by supplier and currency."""
    owed = Line.objects.filter(state__in=UNPAID).exclude(kind=LineKind.CLAIM)
    return _summed(
        owed.exclude(settlement="gateway_split"), F("supplier_minor") - F("returned_minor")
    )


def claims_minor() -> dict[tuple[str, str], int]:
    """Return what lines say each supplier still has to give back."""
    open_claims = Line.objects.filter(state__in=UNPAID, kind=LineKind.CLAIM)
    return _summed(open_claims, -F("supplier_minor"))


def _summed(rows: QuerySet[Line], amount: Combinable) -> dict[tuple[str, str], int]:
    found = rows.order_by().values_list("supplier_ref", "currency").annotate(total=Sum(amount))
    return {(supplier, currency): int(total) for supplier, currency, total in found}


@dataclass(frozen=True, slots=True)
class MonthOfProject:
    """What guests paid for one project's credits in a month, and where it went; in minor units.

    ``month``: of the retirement. ``reached_minor``: of the supplier's part, what it has by now.
    """

    month: date
    project_code: str
    currency: str
    count: int
    gross_minor: int
    supplier_minor: int
    fee_minor: int
    reached_minor: int

    @property
    def parts(self) -> tuple[Money, Money, Money, Money]:
        """Return total, supplier's part, fee, and what reached the supplier."""
        amounts = (self.gross_minor, self.supplier_minor, self.fee_minor, self.reached_minor)
        gross, supplier, fee, reached = (Money(each, self.currency) for each in amounts)
        return gross, supplier, fee, reached


def by_project_and_month(project_code: str = "", limit: int = 500) -> list[MonthOfProject]:
    """Return where the money of retired orders went, newest month first; no payee, no order.

    What a guest got back counts nowhere.
    """
    rows = Line.objects.filter(kind=LineKind.SALE).exclude(project_code="")
    if project_code:
        rows = rows.filter(project_code=project_code)
    moved = _moved()
    kept_gross = F("gross_minor") - F("refunded_minor")
    paid = Case(When(state=LineState.PAID, then=moved), default=0)
    found = (
        rows.annotate(month=TruncMonth("booked_on"))
        .order_by("-month", "project_code", "currency")
        .values_list("month", "project_code", "currency")
        .annotate(count=Sum(1), kept=Sum(kept_gross), theirs=Sum(moved), paid_out=Sum(paid))[:limit]
    )
    return [
        MonthOfProject(month, code, currency, count, gross, supplier, gross - supplier, reached)
        for month, code, currency, count, gross, supplier, reached in found
    ]


def paid_on(line: Line) -> date | None:
    """Return the business day on which a supplier had its part; None before it did."""
    if line.state != LineState.PAID or line.paid_at is None:
        return None
    return line.paid_at.astimezone(BUSINESS_ZONE).date()


def summed_net(lines: Iterable[Line]) -> int:
    """Return what lines add up to for their supplier, in minor units."""
    return sum(line.reached.amount_minor for line in lines)
