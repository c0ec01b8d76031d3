"""Calls to the gateways: one place where whatever a library throws becomes an unknown outcome.

No call is made inside a transaction, and the numbers of a call are committed before it.
*Source:* payments design, sections 1 and 3.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar
from urllib.parse import urljoin

from django.conf import settings

from diandian.kernel.clock import now
from diandian.kernel.money import Money
from diandian.payments import lines, merchants
from diandian.payments import payer as payer_exchange
from diandian.payments.errors import PayerUnknownError
from diandian.payments.gateway import Gateway, MendsRefunds, TriesReceivers
from diandian.payments.lines import Ask, told
from diandian.payments.merchant_files import Merchant
from diandian.payments.messages import (
    CloseAnswer,
    Done,
    Finding,
    Instruction,
    MerchantContext,
    Outcome,
    PaymentRequest,
    RefundRequest,
    RefundSnapshot,
    Rejected,
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
from diandian.settlement import queries as settlement_queries

T = TypeVar("T")


def notice_address(merchant: Merchant) -> str:
    """Return where a gateway sends its notices for one of our merchants."""
    path = f"api/v1/notifications/{merchant.gateway}/{merchant.key}"
    return urljoin(settings.BASE_URL + "/", path)


def _end_of(payment: Payment) -> tuple[Gateway, Merchant]:
    """Return whom a payment was begun with, and as whom. Raises: UnknownGatewayError."""
    return merchants.gateway_of(payment.gateway), merchants.of_payment(payment)


def _line_of(payment: Payment) -> tuple[Gateway, MerchantContext]:
    gateway, merchant = _end_of(payment)
    return gateway, merchant.context


def _call(context: MerchantContext, ask: Ask, send: Callable[[], Outcome[T]]) -> Outcome[T]:
    """Call out; where the line is not fit for it nothing is sent, and the outcome is unknown."""
    return _line(context).call(ask, send)


def _line(context: MerchantContext) -> lines.Line:
    return lines.line(context.gateway, context.account, places=settings.GATEWAY_CALLS)


def is_ready(merchant: Merchant, *, at: datetime) -> bool:
    """Tell whether a question about one of its payments would set out now."""
    return _line(merchant.context).is_ready(at)


def is_at_rest(merchant: Merchant, *, at: datetime) -> bool:
    """Tell whether this process lets a merchant's line rest, as its calls failed."""
    return _line(merchant.context).is_at_rest(at)


def create_payment(
    payment: Payment,
    *,
    subject: str,
    return_url: str,
    payer: str = "",
    client_ip: str = "",
    at: datetime | None = None,
) -> Outcome[Instruction]:
    """Ask the payment's gateway for the way to pay; ``payer`` and ``client_ip`` are kept nowhere.

    Rejected, to be tried again, where the line rests or is busy: nothing was sent.
    Raises: UnknownGatewayError.
    """
    gateway, merchant = _end_of(payment)
    context, number = merchant.context, payment.payment_no
    request = PaymentRequest(
        payment_no=number,
        amount=Money(payment.amount_minor, payment.currency),
        subject=subject,
        expires_at=payment.expires_at,
        return_url=return_url,
        notify_url=notice_address(merchant),
        flow=payment.flow,
        payer=payer,
        client_ip=client_ip,
        is_split=payment.settlement != "principal"
        and gateway.capabilities(context).split is not None,
    )
    at = at or now()
    outcome = _call(
        context,
        Ask("creation", number, at),
        lambda: gateway.create_payment(context, request, at=at),
    )
    if isinstance(outcome, Unknown) and outcome.cause in {lines.AT_REST, lines.BUSY}:
        return Rejected(outcome.cause, retryable=True)
    return outcome


def openid_of(payment: Payment, code: str, *, at: datetime | None = None) -> str:
    """Exchange a guest's code for their openid; it is kept nowhere.

    Over a line of its own: when it rests, payments go on. Raises: PayerUnknownError (nothing was
    paid; the guest can try again), UnknownGatewayError.
    """
    context = merchants.of_payment(payment).context
    own = lines.line(f"{context.gateway}-payer", context.account, places=settings.GATEWAY_CALLS)
    outcome = own.call(
        Ask("payer", payment.payment_no, at or now()), lambda: _exchanged(context, code)
    )
    if not isinstance(outcome, Done):
        raise PayerUnknownError
    return outcome.value


def _exchanged(context: MerchantContext, code: str) -> Outcome[str]:
    try:
        return Done(payer_exchange.openid_of(context, code))
    except PayerUnknownError:
        # A code that WeChat refuses says nothing against the line; a silent WeChat is late.
        return Rejected("payer_unknown")


def query_payment(payment: Payment, *, at: datetime) -> Outcome[Snapshot]:
    """Ask where a payment stands. Raises: UnknownGatewayError."""
    gateway, context = _line_of(payment)
    number = payment.payment_no
    ask = Ask("query", number, at)
    return _call(context, ask, lambda: gateway.query_payment(context, number, at=at))


def close_payment(payment: Payment, *, at: datetime) -> Outcome[CloseAnswer]:
    """Ask the gateway to let nobody pay this any more. Raises: UnknownGatewayError."""
    gateway, context = _line_of(payment)
    number = payment.payment_no
    ask = Ask("closing", number, at)
    return _call(context, ask, lambda: gateway.close_payment(context, number, at=at))


def _refund_request(refund: Refund) -> RefundRequest:
    payment = refund.payment
    return RefundRequest(
        refund_no=refund.refund_no,
        payment_no=payment.payment_no,
        amount=Money(refund.amount_minor, payment.received.currency),
        total=payment.received,
        reason=refund.reason,
        gateway_ref=payment.gateway_ref,
        notify_url=notice_address(merchants.of_payment(payment)),
    )


def send_refund(refund: Refund, *, at: datetime) -> Outcome[RefundSnapshot]:
    """Ask the gateway to give money back. Raises: UnknownGatewayError."""
    gateway, context = _line_of(refund.payment)
    request = _refund_request(refund)
    ask = Ask("refund", refund.refund_no, at, is_simple=False)
    return _call(context, ask, lambda: gateway.refund(context, request, at=at))


def mend_refund(refund: Refund, *, at: datetime) -> Outcome[RefundSnapshot]:
    """Ask the gateway to try an abnormal refund once more, where it offers that.

    Raises: UnknownGatewayError.
    """
    gateway, context = _line_of(refund.payment)
    if not isinstance(gateway, MendsRefunds):
        return Rejected("not_offered")
    request, mend = _refund_request(refund), gateway.mend_refund
    ask = Ask("mending", refund.refund_no, at, is_simple=False)
    return _call(context, ask, lambda: mend(context, request, at=at))


def query_refund(refund: Refund, *, at: datetime) -> Outcome[RefundSnapshot]:
    """Ask where a refund stands. Raises: UnknownGatewayError."""
    gateway, context = _line_of(refund.payment)
    number = refund.refund_no
    ask = Ask("refund query", number, at)
    return _call(context, ask, lambda: gateway.query_refund(context, number, at=at))


def send_split(payment: Payment, request: SplitRequest, *, at: datetime) -> Outcome[SplitSnapshot]:
    """Ask the gateway to divide a received payment. Raises: UnknownGatewayError."""
    gateway, context = _line_of(payment)
    ask = Ask("split", request.split_no, at, is_simple=False)
    return _call(context, ask, lambda: gateway.split(context, request, at=at))


def query_split(payment: Payment, request: SplitRequest, *, at: datetime) -> Outcome[SplitSnapshot]:
    """Ask where a division stands. Raises: UnknownGatewayError."""
    gateway, context = _line_of(payment)
    ask = Ask("split query", request.split_no, at)
    return _call(context, ask, lambda: gateway.query_split(context, request, at=at))


def send_reversal(
    payment: Payment, request: ReversalRequest, *, at: datetime
) -> Outcome[ReversalSnapshot]:
    """Ask the gateway to take a leg back. Raises: UnknownGatewayError."""
    gateway, context = _line_of(payment)
    ask = Ask("reversal", request.reversal_no, at, is_simple=False)
    return _call(context, ask, lambda: gateway.reverse_split(context, request, at=at))


def query_reversal(
    payment: Payment, request: ReversalRequest, *, at: datetime
) -> Outcome[ReversalSnapshot]:
    """Ask where a reversal stands. Raises: UnknownGatewayError."""
    gateway, context = _line_of(payment)
    ask = Ask("reversal query", request.reversal_no, at)
    return _call(context, ask, lambda: gateway.query_reversal(context, request, at=at))


def fetch_statement(
    merchant: Merchant, day: date, kind: StatementKind, *, at: datetime
) -> Outcome[Statement]:
    """Ask a gateway what a day was for a merchant. Raises: UnknownGatewayError."""
    gateway, context = merchants.gateway_of(merchant.gateway), merchant.context
    ask = Ask(f"{kind} statement", f"{merchant.key} {day}", at, is_simple=False)
    return _call(context, ask, lambda: gateway.fetch_statement(context, day, kind, at=at))


def try_out(merchant: Merchant, *, at: datetime) -> list[Finding]:
    """Try a merchant's set-up without moving money; what breaks is a finding too.

    Raises: UnknownGatewayError.
    """
    gateway = merchants.gateway_of(merchant.gateway)
    try:
        return [*_own_findings(gateway, merchant, at), *_of_receivers(gateway, merchant, at)]
    except Exception as error:  # noqa: BLE001 - whatever a library throws
        text = f"The trial broke off: {told(error)}. Nothing was changed."
        return [Finding(merchant.gateway, is_fine=False, text=text)]


def _own_findings(gateway: Gateway, merchant: Merchant, at: datetime) -> list[Finding]:
    return gateway.check(merchant.context, notify_url=notice_address(merchant), at=at)


def _of_receivers(gateway: Gateway, merchant: Merchant, at: datetime) -> list[Finding]:
    """Return what is wrong with accounts that parts are passed on to, where parts are."""
    if merchant.settlement != "connect" or not isinstance(gateway, TriesReceivers):
        return []
    accounts = settlement_queries.accounts_at(merchant.gateway, merchant.suppliers)
    return gateway.check_receivers(merchant.context, accounts, at=at)
