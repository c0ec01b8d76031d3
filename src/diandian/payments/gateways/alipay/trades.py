"""Opens, asks for and closes payments (trades).

A trade exists only once the guest has signed in at the gateway. Before that the gateway answers
"no such trade" while the way to pay still works: so every way to pay carries its own end.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from diandian.payments.gateways.alipay import answers, client
from diandian.payments.gateways.alipay.answers import MalformedError, NoAnswerError
from diandian.payments.messages import NOT_FOUND, Flow, Instruction, Rejected, Snapshot, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from diandian.kernel.money import Money
    from diandian.payments.gateways.alipay.answers import Answer
    from diandian.payments.messages import (
        CloseAnswer,
        MerchantContext,
        PaymentRequest,
        SnapshotState,
    )

# One fen to a hundred million yuan.
LIMITS_MINOR = {"CNY": (1, 10**10)}
SHORTEST_LIFE = timedelta(seconds=60)
FLOWS = (
    Flow("wap", "redirect", ("alipay", "phone")),
    Flow("page", "redirect", ("desktop",)),
    Flow("precreate", "qr", ("desktop", "phone")),
)
_QR_LIFE = timedelta(hours=2)
_LONGEST_SUBJECT = 128
_UNFIT = re.compile(r"[/=&\x00-\x1f\x7f]+")
_QR = re.compile(r"https://[A-Za-z0-9.-]+/[\x21-\x7e]{1,300}|[A-Za-z0-9:/._?=&%-]{1,300}")
_SELLER = re.compile(r"2088[0-9]{12}")
_PAID = frozenset({"TRADE_SUCCESS", "TRADE_FINISHED"})
_CLOSED = "TRADE_CLOSED"


def seller_of(context: MerchantContext) -> str:
    """Return the account that collects, "" where it is not set."""
    found = context.sub_merchant or context.options.get("seller_id", "")
    return found if _SELLER.fullmatch(found) else ""


def is_payable(amount: Money) -> bool:
    """Tell whether the gateway takes such an amount."""
    least, most = LIMITS_MINOR.get(amount.currency, (1, 0))
    return least <= amount.amount_minor <= most


def create(context: MerchantContext, request: PaymentRequest, *, at: datetime) -> Instruction:
    """Open a payment. Raises: NoAnswerError, MalformedError."""
    opener = _OPENERS.get(request.flow or FLOWS[0].key)
    if opener is None:
        raise NoAnswerError(Rejected("flow_unknown"))
    return opener(context, request, at)


def _content(
    context: MerchantContext, request: PaymentRequest, at: datetime, **more: str
) -> dict[str, Any]:
    content: dict[str, Any] = {
        "out_trade_no": request.payment_no,
        "total_amount": answers.yuan(request.amount),
        "subject": _UNFIT.sub(" ", request.subject).strip()[:_LONGEST_SUBJECT]
        or request.payment_no,
        "time_expire": answers.stamp(max(request.expires_at, at + SHORTEST_LIFE)),
        **more,
    }
    if seller := seller_of(context):
        content["seller_id"] = seller
    if request.is_split:
        # The money waits in the supplier's account until our fee is split off.
        content["extend_params"] = {"royalty_freeze": "true"}
    return content


def _addresses(request: PaymentRequest) -> dict[str, str]:
    return {"notify_url": request.notify_url, "return_url": request.return_url}


def _wap(context: MerchantContext, request: PaymentRequest, at: datetime) -> Instruction:
    more = {"product_code": "QUICK_WAP_WAY", "quit_url": request.return_url}
    return _redirect(context, "alipay.trade.wap.pay", request, more, at)


def _page(context: MerchantContext, request: PaymentRequest, at: datetime) -> Instruction:
    more = {"product_code": "FAST_INSTANT_TRADE_PAY"}
    return _redirect(context, "alipay.trade.page.pay", request, more, at)


def _redirect(
    context: MerchantContext,
    method: str,
    request: PaymentRequest,
    more: dict[str, str],
    at: datetime,
) -> Instruction:
    content = _content(context, request, at, **more)
    url = client.page_address(context, method, content, at=at, extra=_addresses(request))
    return Instruction("redirect", url=url)


def _precreate(context: MerchantContext, request: PaymentRequest, at: datetime) -> Instruction:
    extra = {"notify_url": request.notify_url}
    try:
        answer = client.call(
            context,
            "alipay.trade.precreate",
            _content(context, request, at),
            at=at,
            extra=extra,
        )
    except NoAnswerError as error:
        raise NoAnswerError(_not_created(error), error.hint) from error
    if answers.number(answer.facts, "out_trade_no") != request.payment_no:
        raise MalformedError("the code is of another payment")
    text = answers.text(answer.facts, "qr_code")
    if not _QR.fullmatch(text):
        raise MalformedError("qr_code is no text for a code")
    is_short = request.expires_at > at + _QR_LIFE
    return Instruction("qr", text=text, valid_until=at + _QR_LIFE if is_short else None)


def _not_created(error: NoAnswerError) -> Rejected | Unknown:
    """Return what a code that did not come means.

    A refusal of the call itself comes without a signature; it is believed here because a code that
    no guest has seen takes no money.
    """
    if isinstance(error.outcome, Unknown) and error.hint.startswith("isv."):
        return Rejected(error.hint, "refused without a signature", retryable=True)
    if isinstance(error.outcome, Rejected) and error.outcome.code == NOT_FOUND:
        return Unknown("a new payment cannot be missing")
    return error.outcome


_OPENERS: dict[str, Callable[[MerchantContext, PaymentRequest, datetime], Instruction]] = {
    "wap": _wap,
    "page": _page,
    "precreate": _precreate,
}


# -- asking and closing ---------------------------------------------------------------------------


def look_up(context: MerchantContext, payment_no: str, *, at: datetime) -> Snapshot:
    """Return where a payment stands. Raises: NoAnswerError, MalformedError."""
    answer = client.ask(context, "alipay.trade.query", {"out_trade_no": payment_no}, at=at)
    return _snapshot(context, answer)


def _snapshot(context: MerchantContext, answer: Answer) -> Snapshot:
    facts = answer.facts
    total = answers.minor(facts, "total_amount")
    paid_at = answers.instant(facts, "send_pay_date") if facts.get("send_pay_date") else None
    status = answers.text(facts, "trade_status")
    state = _state(status, is_paid=paid_at is not None)
    return Snapshot(
        state=state,
        payment_no=answers.number(facts, "out_trade_no"),
        merchant=context.account,
        mode=context.mode,
        amount_minor=total,
        currency=answers.currency(facts),
        gateway_ref=answers.ref(facts, "trade_no"),
        paid_at=paid_at if state == "succeeded" else None,
        # A partial refund does not show here; a full one closes the trade.
        refunded_minor=total if state == "succeeded" and status == _CLOSED else 0,
        raw_digest=answer.digest,
    )


def _state(status: str, *, is_paid: bool) -> SnapshotState:
    """Return our word for theirs: closed is never paid, or paid and given back in full."""
    if status in _PAID or (status == _CLOSED and is_paid):
        return "succeeded"
    if status == _CLOSED:
        return "closed"
    if status == "WAIT_BUYER_PAY":
        return "pending"
    raise MalformedError("trade_status is not one that we know")


def close(context: MerchantContext, payment_no: str, *, at: datetime) -> CloseAnswer:
    """Close an unpaid trade. Raises: NoAnswerError, MalformedError."""
    try:
        answer = client.call(context, "alipay.trade.close", {"out_trade_no": payment_no}, at=at)
    except NoAnswerError as error:
        if not isinstance(error.outcome, Rejected) or error.outcome.retryable:
            raise
        if error.outcome.code == NOT_FOUND:
            return "not_found_yet"
        return _closed_before(context, payment_no, error, at=at)
    if answers.number(answer.facts, "out_trade_no") != payment_no:
        raise MalformedError("another payment was closed")
    return "closed"


def _closed_before(
    context: MerchantContext, payment_no: str, refused: NoAnswerError, *, at: datetime
) -> CloseAnswer:
    """Return why a trade could not be closed: it was paid, or it was closed already."""
    state = look_up(context, payment_no, at=at).state
    if state == "succeeded":
        return "already_paid"
    if state == "closed":
        return "closed"
    raise NoAnswerError(Unknown(f"not closed: {refused.hint}"))


def ref_of(context: MerchantContext, payment_no: str, given: str, *, at: datetime) -> str:
    """Return the gateway's name of a trade: as given, or asked for. Raises: NoAnswerError."""
    return given or look_up(context, payment_no, at=at).gateway_ref
