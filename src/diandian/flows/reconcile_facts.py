"""Our side of a gateway's day: payments and refunds that it should name, and those that it names.

More kinds of money (splits, disputes) join here: a kind whose facts nobody brings is missing here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Case, F, Q, QuerySet, When

from diandian.kernel.clock import business_day, day_starts
from diandian.payments.merchant_files import Merchant
from diandian.payments.models import Payment, PaymentState, Refund, RefundState
from diandian.reconciliation.models import GatewayDay
from diandian.reconciliation.rules import Fact, FactState, Line, agreed_fee

_PORTION = 500
M = TypeVar("M", Payment, Refund)
# The option of a merchant that says what its gateway keeps of a payment.
FEE_OPTION = "fee_basis_points"
_REFUND_STATES: dict[str, FactState] = {
    RefundState.SUCCEEDED: "done",
    RefundState.FAILED: "failed",
    # Paid by other means: no statement names it.
    "otherwise": "failed",
}
# A refund that somebody made at the gateway itself; a payment's query told us how much.
_BY_HAND = "external"


def facts_for(day: GatewayDay, lines: Sequence[Line], merchant: Merchant) -> list[Fact]:
    """Return what we have of a day, and whatever its lines name, of whichever day."""
    said = merchant.context.options.get(FEE_OPTION, "")
    rate = int(said) if said.isdecimal() else None
    return [
        *(_of_payment(row, rate) for row in _payments(day, lines)),
        *(_of_refund(row) for row in _refunds(day, lines)),
    ]


def without_fees(facts: Iterable[Fact]) -> list[Fact]:
    """Return facts for a statement that tells fees apart from their payments."""
    return [fact if fact.fee_minor is None else replace(fact, fee_minor=None) for fact in facts]


def _payments(day: GatewayDay, lines: Sequence[Line]) -> list[Payment]:
    mine = Payment.objects.annotate(
        account=Case(When(received_merchant="", then=F("merchant")), default=F("received_merchant"))
    ).filter(gateway=day.gateway, mode=day.mode, account=day.account)
    start, end = _bounds(day)
    of_day = mine.filter(state=PaymentState.SUCCEEDED, paid_at__gte=start, paid_at__lt=end)
    found: dict[str, Payment] = {row.payment_no: row for row in of_day}
    refs = {row.gateway_ref for row in found.values()}
    # Most lines name a payment of the day: only the others are looked up.
    odd = [
        line
        for line in lines
        if line.kind == "payment" and not (line.our_no in found and line.ref in refs)
    ]
    for column, values in (
        ("payment_no", {line.our_no for line in odd}),
        ("gateway_ref", {line.ref for line in odd}),
    ):
        found.update((row.payment_no, row) for row in _by(mine, column, values))
    return list(found.values())


def _refunds(day: GatewayDay, lines: Sequence[Line]) -> list[Refund]:
    mine = (
        Refund.objects.select_related("payment")
        .annotate(
            account=Case(
                When(payment__received_merchant="", then=F("payment__merchant")),
                default=F("payment__received_merchant"),
            )
        )
        .filter(payment__gateway=day.gateway, payment__mode=day.mode, account=day.account)
    )
    start, end = _bounds(day)
    of_day = mine.filter(~Q(state=RefundState.FAILED), created_at__gte=start, created_at__lt=end)
    found: dict[str, Refund] = {row.refund_no: row for row in of_day}
    odd = [line for line in lines if line.kind == "refund" and line.our_no not in found]
    for column, values in (
        ("refund_no", {line.our_no for line in odd}),
        ("payment__payment_no", {line.payment_no for line in odd}),
    ):
        found.update((row.refund_no, row) for row in _by(mine, column, values))
    return list(found.values())


def _bounds(day: GatewayDay) -> tuple[datetime, datetime]:
    return day_starts(day.day), day_starts(day.day + timedelta(days=1))


def _by(rows: QuerySet[M], column: str, values: set[str]) -> Iterator[M]:
    wanted = sorted(values - {""})
    for start in range(0, len(wanted), _PORTION):
        yield from rows.filter(**{f"{column}__in": wanted[start : start + _PORTION]})


def _of_payment(payment: Payment, rate: int | None) -> Fact:
    received = payment.received
    is_paid = payment.state == PaymentState.SUCCEEDED
    at = payment.paid_at if is_paid and payment.paid_at else payment.created_at
    return Fact(
        kind="payment",
        our_no=payment.payment_no,
        ref=payment.gateway_ref,
        day=business_day(at),
        at=at,
        amount_minor=received.amount_minor,
        currency=received.currency,
        state="done" if is_paid else "open",
        fee_minor=None if rate is None else agreed_fee(received.amount_minor, rate),
    )


def _of_refund(refund: Refund) -> Fact:
    is_by_hand = getattr(refund, "kind", "") == _BY_HAND
    return Fact(
        kind="refund",
        our_no=refund.refund_no,
        ref="",
        day=business_day(refund.created_at),
        at=refund.created_at,
        amount_minor=-refund.amount_minor,
        currency=refund.payment.received.currency,
        state=_REFUND_STATES.get(refund.state, "open"),
        payment_no=refund.payment.payment_no if is_by_hand else "",
    )


def payment_behind(line: Line) -> str:
    """Return the number of the payment of ours that a line is about, or nothing."""
    finders: tuple[Callable[[], Q], ...] = (
        lambda: Q(payment_no=line.payment_no),
        lambda: Q(payment_no=line.our_no),
        lambda: Q(gateway_ref=line.ref),
    )
    for value, finder in zip((line.payment_no, line.our_no, line.ref), finders, strict=True):
        if value:
            found = Payment.objects.filter(finder()).values_list("payment_no", flat=True).first()
            if found:
                return str(found)
    return ""
