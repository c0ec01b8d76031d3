"""Our side of a gateway's day: payments and refunds that it should name, and those that it names.

What else moves money there (parts of suppliers, chargebacks, payouts to our bank) stands in
``reconcile_movements``: statements of trades tell nothing of it.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import replace

from django.db.models import Case, F, Q, When

from diandian.flows import reconcile_movements
from diandian.flows.reconcile_reads import bounds, rows_by
from diandian.kernel.clock import business_day
from diandian.payments.merchant_files import Merchant
from diandian.payments.models import Payment, PaymentState, Refund, RefundState
from diandian.payments.statements import StatementLine
from diandian.reconciliation.models import GatewayDay
from diandian.reconciliation.rules import Fact, FactState, Line, agreed_fee

_TRADES = ("payment", "refund")
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
        *reconcile_movements.facts_for(day, lines),
    ]


def of_statement(facts: Iterable[Fact], kind: str, kinds: Container[str]) -> list[Fact]:
    """Return the facts that one kind of statement tells, given which kinds there are.

    One of trades tells payments and refunds alone. Beside it, one of funds tells the fees of
    payments on lines of their own.
    """
    if kind == "trades":
        return [fact for fact in facts if fact.kind in _TRADES]
    if "trades" not in kinds:
        return list(facts)
    return [replace(fact, fee_minor=None) if fact.kind == "payment" else fact for fact in facts]


def _payments(day: GatewayDay, lines: Sequence[Line]) -> list[Payment]:
    mine = Payment.objects.annotate(
        account=Case(When(received_merchant="", then=F("merchant")), default=F("received_merchant"))
    ).filter(gateway=day.gateway, mode=day.mode, account=day.account)
    start, end = bounds(day)
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
        found.update((row.payment_no, row) for row in rows_by(mine, column, values))
    return list(found.values())


def _refunds(day: GatewayDay, lines: Sequence[Line]) -> list[Refund]:
    """Return the refunds that the gateway was asked for on a day, and those that its lines name.

    One that still waits for something else is expected on no statement yet.
    """
    mine = (
        Refund.objects.select_related("payment")
        .annotate(
            account=Case(
                When(payment__received_merchant="", then=F("payment__merchant")),
                default=F("payment__received_merchant"),
            ),
            began_at=Case(When(kind=_BY_HAND, then=F("created_at")), default=F("sent_at")),
        )
        .filter(payment__gateway=day.gateway, payment__mode=day.mode, account=day.account)
    )
    start, end = bounds(day)
    of_day = mine.filter(~Q(state=RefundState.FAILED), began_at__gte=start, began_at__lt=end)
    found: dict[str, Refund] = {row.refund_no: row for row in of_day}
    odd = [line for line in lines if line.kind == "refund" and line.our_no not in found]
    for column, values in (
        ("refund_no", {line.our_no for line in odd}),
        ("payment__payment_no", {line.payment_no for line in odd}),
    ):
        found.update((row.refund_no, row) for row in rows_by(mine, column, values))
    return list(found.values())


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
    began_at = refund.sent_at or refund.created_at
    return Fact(
        kind="refund",
        our_no=refund.refund_no,
        ref="",
        day=business_day(began_at),
        at=began_at,
        amount_minor=-refund.amount_minor,
        currency=refund.payment.received.currency,
        state=_REFUND_STATES.get(refund.state, "open"),
        payment_no=refund.payment.payment_no if is_by_hand else "",
    )


def payments_by_ref(day: GatewayDay, lines: Iterable[StatementLine]) -> dict[str, str]:
    """Return our payments by the gateway's numbers, for lines that name no payment of ours."""
    refs = {ref_behind(line) for line in lines if not line.payment_no} - {""}
    mine = Payment.objects.filter(gateway=day.gateway, mode=day.mode)
    return {row.gateway_ref: row.payment_no for row in rows_by(mine, "gateway_ref", refs)}


def ref_behind(line: StatementLine) -> str:
    """Return the gateway's number of the payment that a refund or chargeback is of, or nothing."""
    own = line.gateway_ref if line.kind == "refund" else ""
    return line.payment_ref or own


def payment_behind(line: Line) -> str:
    """Return the number of the payment of ours that a line is about, or nothing."""
    finders: tuple[tuple[str, Callable[[str], Q]], ...] = (
        (line.payment_no, lambda number: Q(payment_no=number)),
        (line.our_no, lambda number: Q(payment_no=number)),
        (line.our_no, lambda number: Q(refunds__refund_no=number)),
        (line.ref, lambda number: Q(gateway_ref=number)),
    )
    for value, finder in finders:
        if value:
            found = Payment.objects.filter(finder(value)).values_list("payment_no", flat=True)
            if number := found.first():
                return str(number)
    return ""
