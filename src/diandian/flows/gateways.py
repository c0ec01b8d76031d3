"""Calls to the gateways: one place where whatever a library throws becomes an unknown outcome.

No call is made inside a transaction, and the numbers of a call are committed before it.
*Source:* payments design, sections 1 and 3.
"""

import logging
from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar
from urllib.parse import urljoin

from django.conf import settings

from diandian.kernel.clock import now
from diandian.kernel.money import Money
from diandian.payments import merchants
from diandian.payments.gateway import Gateway
from diandian.payments.merchant_files import Merchant
from diandian.payments.messages import (
    CloseAnswer,
    Instruction,
    MerchantContext,
    Outcome,
    PaymentRequest,
    RefundRequest,
    RefundSnapshot,
    Snapshot,
    Unknown,
)
from diandian.payments.models import Payment, Refund
from diandian.payments.splits import (
    ReversalRequest,
    ReversalSnapshot,
    SplitRequest,
    SplitSnapshot,
)
from diandian.payments.statements import Statement, StatementKind

log = logging.getLogger(__name__)
T = TypeVar("T")


def _line_of(payment: Payment) -> tuple[Gateway, MerchantContext]:
    """Return the line on which a payment was begun. Raises: UnknownGatewayError."""
    return merchants.gateway_of(payment.gateway), merchants.of_payment(payment).context


def _call(what: str, number: str, call: Callable[[], Outcome[T]]) -> Outcome[T]:
    """Call out; a bare exception of a library means that nobody knows what happened."""
    try:
        return call()
    except Exception as error:
        log.exception("%s of %s: the outcome is unknown", what, number)
        return Unknown(type(error).__name__)


def create_payment(
    payment: Payment,
    *,
    subject: str,
    return_url: str,
    payer: str = "",
    client_ip: str = "",
    at: datetime | None = None,
) -> Outcome[Instruction]:
    """Ask the payment's gateway for the way to pay. Raises: UnknownGatewayError.

    ``payer``: who pays, for flows that need it; it goes out with this call and is kept nowhere.
    """
    gateway, context = _line_of(payment)
    request = PaymentRequest(
        payment_no=payment.payment_no,
        amount=Money(payment.amount_minor, payment.currency),
        subject=subject,
        expires_at=payment.expires_at,
        return_url=return_url,
        notify_url=urljoin(settings.BASE_URL + "/", f"api/v1/notifications/{payment.gateway}"),
        flow=payment.flow,
        payer=payer,
        client_ip=client_ip,
        is_split=payment.settlement != "principal"
        and gateway.capabilities(context).split is not None,
    )
    at = at or now()
    return _call(
        "creation", payment.payment_no, lambda: gateway.create_payment(context, request, at=at)
    )


def query_payment(payment: Payment, *, at: datetime) -> Outcome[Snapshot]:
    """Ask where a payment stands. Raises: UnknownGatewayError."""
    gateway, context = _line_of(payment)
    number = payment.payment_no
    return _call("query", number, lambda: gateway.query_payment(context, number, at=at))


def close_payment(payment: Payment, *, at: datetime) -> Outcome[CloseAnswer]:
    """Ask the gateway to let nobody pay this any more. Raises: UnknownGatewayError."""
    gateway, context = _line_of(payment)
    number = payment.payment_no
    return _call("closing", number, lambda: gateway.close_payment(context, number, at=at))


def send_refund(refund: Refund, *, at: datetime) -> Outcome[RefundSnapshot]:
    """Ask the gateway to give money back. Raises: UnknownGatewayError."""
    payment = refund.payment
    gateway, context = _line_of(payment)
    request = RefundRequest(
        refund_no=refund.refund_no,
        payment_no=payment.payment_no,
        amount=Money(refund.amount_minor, payment.received.currency),
        total=payment.received,
        reason=refund.reason,
    )
    return _call("refund", refund.refund_no, lambda: gateway.refund(context, request, at=at))


def query_refund(refund: Refund, *, at: datetime) -> Outcome[RefundSnapshot]:
    """Ask where a refund stands. Raises: UnknownGatewayError."""
    gateway, context = _line_of(refund.payment)
    number = refund.refund_no
    return _call("refund query", number, lambda: gateway.query_refund(context, number, at=at))


def send_split(payment: Payment, request: SplitRequest, *, at: datetime) -> Outcome[SplitSnapshot]:
    """Ask the gateway to divide a received payment. Raises: UnknownGatewayError."""
    gateway, context = _line_of(payment)
    return _call("split", request.split_no, lambda: gateway.split(context, request, at=at))


def query_split(payment: Payment, request: SplitRequest, *, at: datetime) -> Outcome[SplitSnapshot]:
    """Ask where a division stands. Raises: UnknownGatewayError."""
    gateway, context = _line_of(payment)
    number = request.split_no
    return _call("split query", number, lambda: gateway.query_split(context, request, at=at))


def send_reversal(
    payment: Payment, request: ReversalRequest, *, at: datetime
) -> Outcome[ReversalSnapshot]:
    """Ask the gateway to take a leg back. Raises: UnknownGatewayError."""
    gateway, context = _line_of(payment)
    number = request.reversal_no
    return _call("reversal", number, lambda: gateway.reverse_split(context, request, at=at))


def query_reversal(
    payment: Payment, request: ReversalRequest, *, at: datetime
) -> Outcome[ReversalSnapshot]:
    """Ask where a reversal stands. Raises: UnknownGatewayError."""
    gateway, context = _line_of(payment)
    number = request.reversal_no
    return _call("reversal query", number, lambda: gateway.query_reversal(context, request, at=at))


def fetch_statement(
    merchant: Merchant, day: date, kind: StatementKind, *, at: datetime
) -> Outcome[Statement]:
    """Ask a gateway what a day was for a merchant. Raises: UnknownGatewayError."""
    gateway = merchants.gateway_of(merchant.gateway)
    return _call(
        f"{kind} statement",
        f"{merchant.key} {day}",
        lambda: gateway.fetch_statement(merchant.context, day, kind, at=at),
    )
