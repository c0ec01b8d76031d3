"""Money back: asked for by our number, which the gateway takes once for each payment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diandian.payments.gateways.alipay import answers, client
from diandian.payments.gateways.alipay.answers import MalformedError, NoAnswerError
from diandian.payments.messages import NOT_FOUND, WINDOW_OVER, RefundSnapshot, Rejected, Unknown

if TYPE_CHECKING:
    from datetime import datetime

    from diandian.payments.gateways.alipay.answers import Facts
    from diandian.payments.messages import MerchantContext, RefundRequest, RefundSnapshotState

# Our refund numbers name their payment; the gateway asks for both.
_NAMES_PAYMENT = re.compile(r"R([A-Za-z0-9]{1,32})(?:-[0-9]{1,4})?")
_STATES: dict[str, RefundSnapshotState] = {
    "REFUND_SUCCESS": "succeeded",
    "REFUND_PROCESSING": "processing",
    "REFUND_FAIL": "failed",
}
# The number was used with another amount.
_ASKED_BEFORE = "ACQ.DISCORDANT_REPEAT_REQUEST"
# The time for refunds that the contract gives is over: the trade is closed for good.
_OVER = "ACQ.TRADE_HAS_FINISHED"
_LONGEST_REASON = 80


def send(context: MerchantContext, request: RefundRequest, *, at: datetime) -> RefundSnapshot:
    """Give money back once. Raises: NoAnswerError, MalformedError."""
    content = {
        "out_trade_no": request.payment_no,
        "refund_amount": answers.yuan(request.amount),
        "out_request_no": request.refund_no,
        "refund_reason": request.reason[:_LONGEST_REASON] or request.refund_no,
    }
    try:
        facts = client.call(context, "alipay.trade.refund", content, at=at).facts
    except NoAnswerError as error:
        if error.hint != _ASKED_BEFORE:
            raise _for_good(error) from error
        return _find(context, request.payment_no, request.refund_no, at=at)
    if answers.number(facts, "out_trade_no") != request.payment_no:
        raise MalformedError("the refund is of another payment")
    # What went back in all; it cannot be less than what went back now.
    is_whole = answers.minor(facts, "refund_fee") >= request.amount.amount_minor
    if facts.get("fund_change") == "Y" and is_whole:
        return _snapshot(request.refund_no, "succeeded", request.amount.amount_minor)
    return _after(context, request, at=at)


def _for_good(error: NoAnswerError) -> NoAnswerError:
    """Return what it means that a paid trade is not there, or over: the first cannot be."""
    if error.hint == _OVER:
        return NoAnswerError(Rejected(WINDOW_OVER, "the trade is finished"), error.hint)
    if isinstance(error.outcome, Rejected) and error.outcome.code == NOT_FOUND:
        return NoAnswerError(Unknown("the payment is not there"), error.hint)
    return error


def _after(context: MerchantContext, request: RefundRequest, *, at: datetime) -> RefundSnapshot:
    """Return where a refund stands that moved nothing now: done before, or not yet."""
    try:
        return _find(context, request.payment_no, request.refund_no, at=at)
    except NoAnswerError as error:
        if isinstance(error.outcome, Rejected) and error.outcome.code == NOT_FOUND:
            return _snapshot(request.refund_no, "processing", request.amount.amount_minor)
        raise


def look_up(context: MerchantContext, refund_no: str, *, at: datetime) -> RefundSnapshot:
    """Return where a refund stands. Raises: NoAnswerError, MalformedError."""
    named = _NAMES_PAYMENT.fullmatch(refund_no)
    if named is None:
        raise NoAnswerError(Unknown("the number of the refund does not name its payment"))
    return _find(context, named[1], refund_no, at=at)


def _find(
    context: MerchantContext, payment_no: str, refund_no: str, *, at: datetime
) -> RefundSnapshot:
    content = {
        "out_trade_no": payment_no,
        "out_request_no": refund_no,
        "query_options": ["deposit_back_info"],
    }
    facts = client.ask(context, "alipay.trade.fastpay.refund.query", content, at=at).facts
    if not facts.get("refund_status") and not facts.get("refund_amount"):
        # The call went well, and there is no such refund; the same number may be sent again.
        raise NoAnswerError(Rejected(NOT_FOUND))
    if answers.number(facts, "out_request_no") != refund_no:
        raise MalformedError("it is about another refund")
    if answers.number(facts, "out_trade_no") != payment_no:
        raise MalformedError("it is about another payment")
    return _snapshot(refund_no, _state(facts), answers.minor(facts, "refund_amount"))


def _state(facts: Facts) -> RefundSnapshotState:
    """Return our word for theirs; accepted is not done, and nor is on its way to a bank card."""
    if not facts.get("refund_status"):
        return "processing"
    state = _STATES.get(answers.text(facts, "refund_status"))
    if state is None:
        raise MalformedError("refund_status is not one that we know")
    back = facts.get("deposit_back_info")
    if isinstance(back, dict) and back.get("dback_status") == "P" and state == "succeeded":
        return "processing"
    return state


def _snapshot(refund_no: str, state: RefundSnapshotState, amount_minor: int) -> RefundSnapshot:
    return RefundSnapshot(state, refund_no, amount_minor, answers.CURRENCY)
