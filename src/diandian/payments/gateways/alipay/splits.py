"""Our fee out of what the supplier collected (royalty), and its way back.

The gateway divides all legs of a number or none. A leg comes back by a refund that moves nothing
for the guest and names only the account that gives.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from diandian.payments.gateways.alipay import answers, client, faults, trades
from diandian.payments.gateways.alipay.answers import MalformedError, NoAnswerError
from diandian.payments.messages import NOT_FOUND, Rejected
from diandian.payments.splits import LegSnapshot, ReversalSnapshot, SplitSnapshot, SplitTerms

if TYPE_CHECKING:
    from datetime import datetime

    from diandian.payments.gateways.alipay.answers import Facts
    from diandian.payments.messages import MerchantContext
    from diandian.payments.splits import ReversalRequest, SplitLeg, SplitRequest, SplitState

CAP_OPTION = "split_cap_basis_points"
# Our own account: legs go to accounts, and a merchant's number here is that of an app.
FEE_OPTION = "fee_account"

_CAP_BASIS_POINTS = 3_000
_WHOLE_BASIS_POINTS = 10_000
_WAIT_SECONDS = 60
_MOST_LEGS = 20
_LONGEST_TEXT = 100
_RECEIVER = re.compile(r"2088[0-9]{12}")
_STATES: dict[str, SplitState] = {
    "SUCCESS": "succeeded",
    "FAIL": "failed",
    "PROCESSING": "processing",
}


def terms(context: MerchantContext) -> SplitTerms:
    """Return how received money may be divided; an option names what the contract allows."""
    given = context.options.get(CAP_OPTION, "")
    is_number = given.isascii() and given.isdigit() and len(given) <= len("10000")
    cap = min(int(given), _WHOLE_BASIS_POINTS) if is_number else _CAP_BASIS_POINTS
    return SplitTerms(
        cap_basis_points=cap,
        wait_seconds=_WAIT_SECONDS,
        can_reverse=True,
        pays_supplier=False,
        fee_account=fee_account(context),
        holds_rest=True,
    )


def fee_account(context: MerchantContext) -> str:
    """Return our account that gets the fee, empty where none that fits is set."""
    given = context.options.get(FEE_OPTION, "")
    return given if _RECEIVER.fullmatch(given) else ""


def send(context: MerchantContext, request: SplitRequest, *, at: datetime) -> SplitSnapshot:
    """Divide a payment once. Raises: NoAnswerError, MalformedError.

    A division of that number is looked for first, however old it is.
    """
    _check(request)
    trade_no = trades.ref_of(context, request.payment_no, request.gateway_ref, at=at)
    try:
        return _look_up(context, request, trade_no, at=at)
    except NoAnswerError as error:
        if not _is_missing(error):
            raise
    _bind(context, request, at=at)
    content: dict[str, Any] = {"out_request_no": request.split_no, "trade_no": trade_no}
    if request.legs:
        content["royalty_parameters"] = [_leg_content(leg) for leg in request.legs]
    if request.release_rest:
        content["extend_params"] = {"royalty_finish": "true"}
    facts = client.call(context, "alipay.trade.order.settle", content, at=at).facts
    if answers.ref(facts, "trade_no") != trade_no:
        raise MalformedError("another payment was divided")
    settle_no = answers.text_or(facts, "settle_no")
    legs = tuple(
        LegSnapshot(leg.leg_no, "succeeded", leg.amount.amount_minor, settle_no)
        for leg in request.legs
    )
    return SplitSnapshot("succeeded", request.split_no, legs)


def _check(request: SplitRequest) -> None:
    """Refuse what is not even asked for. Raises: NoAnswerError."""
    receivers = [leg.receiver for leg in request.legs]
    rules = {
        "nothing_to_split": bool(request.legs) or request.release_rest,
        "too_many_legs": len(request.legs) <= _MOST_LEGS,
        # The answer names a leg by its receiver alone.
        "receiver_twice": len(set(receivers)) == len(receivers),
        "receiver_unfit": all(_RECEIVER.fullmatch(each) for each in receivers),
        "amount_out_of_range": all(leg.amount.amount_minor > 0 for leg in request.legs),
        "currency_unfit": all(leg.amount.currency == answers.CURRENCY for leg in request.legs),
    }
    for code, is_right in rules.items():
        if not is_right:
            raise NoAnswerError(Rejected(code))


def _leg_content(leg: SplitLeg) -> dict[str, str]:
    return {
        "royalty_type": "transfer",
        "trans_in_type": "userId",
        "trans_in": leg.receiver,
        "amount": answers.yuan(leg.amount),
        "desc": leg.text[:_LONGEST_TEXT] or leg.leg_no,
    }


def _bind(context: MerchantContext, request: SplitRequest, *, at: datetime) -> None:
    """Tell the gateway once that the receivers belong to the seller. Raises: NoAnswerError."""
    known = client.line_of(context).receivers
    new = sorted({leg.receiver for leg in request.legs} - known)
    if not new:
        return
    content = {
        "out_request_no": f"B{request.split_no}",
        "receiver_list": [{"type": "userId", "account": each, "memo": "fee"} for each in new],
    }
    facts = client.call(context, "alipay.trade.royalty.relation.bind", content, at=at).facts
    if facts.get("result_code") != "SUCCESS":
        raise NoAnswerError(Rejected("receiver_not_bound", retryable=True))
    known.update(new)


# -- asking ---------------------------------------------------------------------------------------


def look_up(context: MerchantContext, request: SplitRequest, *, at: datetime) -> SplitSnapshot:
    """Return where a division stands. Raises: NoAnswerError, MalformedError."""
    trade_no = trades.ref_of(context, request.payment_no, request.gateway_ref, at=at)
    return _look_up(context, request, trade_no, at=at)


def _look_up(
    context: MerchantContext, request: SplitRequest, trade_no: str, *, at: datetime
) -> SplitSnapshot:
    details = _details(context, trade_no, request.split_no, at=at)
    by_receiver = {
        answers.text(each, "trans_in"): each
        for each in details
        if each.get("operation_type") == "transfer"
    }
    legs = tuple(_leg(leg, by_receiver.get(leg.receiver)) for leg in request.legs)
    return SplitSnapshot(_whole({leg.state for leg in legs}), request.split_no, legs)


def _details(context: MerchantContext, trade_no: str, number: str, *, at: datetime) -> list[Facts]:
    """Return what was done by a number of ours. Raises: NoAnswerError, also when nothing was."""
    content = {"trade_no": trade_no, "out_request_no": number}
    try:
        facts = client.call(context, "alipay.trade.order.settle.query", content, at=at).facts
    except NoAnswerError as error:
        is_refused = isinstance(error.outcome, Rejected)
        if is_refused and (_is_missing(error) or error.hint.endswith("NOT_EXIST")):
            raise NoAnswerError(Rejected(NOT_FOUND)) from error
        raise NoAnswerError(faults.of_question(error.outcome), error.hint) from error
    found = answers.items(facts, "royalty_detail_list")
    if not found:
        raise NoAnswerError(Rejected(NOT_FOUND))
    if answers.number(facts, "out_request_no") != number:
        raise MalformedError("it is about another number")
    return found


def _is_missing(error: NoAnswerError) -> bool:
    return isinstance(error.outcome, Rejected) and error.outcome.code == NOT_FOUND


def _state(facts: Facts) -> SplitState:
    state = _STATES.get(answers.text(facts, "state"))
    if state is None:
        raise MalformedError("the state of a leg is not one that we know")
    return state


def _leg(leg: SplitLeg, facts: Facts | None) -> LegSnapshot:
    if facts is None:
        raise MalformedError("a leg is missing")
    return LegSnapshot(
        leg_no=leg.leg_no,
        state=_state(facts),
        amount_minor=answers.minor(facts, "amount"),
        leg_ref=answers.text_or(facts, "detail_id")[:80],
        reason=answers.text_or(facts, "error_code")[:120],
    )


def _whole(states: set[SplitState]) -> SplitState:
    if "processing" in states:
        return "processing"
    return "failed" if "failed" in states else "succeeded"


# -- back -----------------------------------------------------------------------------------------


def reverse(
    context: MerchantContext, request: ReversalRequest, *, at: datetime
) -> ReversalSnapshot:
    """Take a leg back, in whole or part, once. Raises: NoAnswerError, MalformedError."""
    if not _RECEIVER.fullmatch(request.receiver):
        raise NoAnswerError(Rejected("receiver_unfit"))
    if request.amount.amount_minor <= 0 or request.amount.currency != answers.CURRENCY:
        raise NoAnswerError(Rejected("amount_out_of_range"))
    trade_no = trades.ref_of(context, request.payment_no, request.gateway_ref, at=at)
    try:
        return _reversal(context, request, trade_no, at=at)
    except NoAnswerError as error:
        if not _is_missing(error):
            raise
    back = {
        "royalty_type": "transfer",
        "trans_out_type": "userId",
        "trans_out": request.receiver,
        "amount": answers.yuan(request.amount),
        "desc": request.leg_no[:_LONGEST_TEXT],
    }
    content = {
        "trade_no": trade_no,
        "out_request_no": request.reversal_no,
        # Nothing goes to the guest: only the leg comes back.
        "refund_amount": "0.00",
        "refund_royalty_parameters": [back],
    }
    client.call(context, "alipay.trade.refund", content, at=at)
    try:
        return _reversal(context, request, trade_no, at=at)
    except NoAnswerError as error:
        if not _is_missing(error):
            raise
        return ReversalSnapshot("processing", request.reversal_no, request.amount.amount_minor)


def look_up_reversal(
    context: MerchantContext, request: ReversalRequest, *, at: datetime
) -> ReversalSnapshot:
    """Return where a reversal stands. Raises: NoAnswerError, MalformedError."""
    trade_no = trades.ref_of(context, request.payment_no, request.gateway_ref, at=at)
    return _reversal(context, request, trade_no, at=at)


def _reversal(
    context: MerchantContext, request: ReversalRequest, trade_no: str, *, at: datetime
) -> ReversalSnapshot:
    for each in _details(context, trade_no, request.reversal_no, at=at):
        is_meant = each.get("operation_type") == "transfer_refund"
        if is_meant and each.get("trans_out") == request.receiver:
            return ReversalSnapshot(
                state=_state(each),
                reversal_no=request.reversal_no,
                amount_minor=answers.minor(each, "amount"),
                reason=answers.text_or(each, "error_code")[:120],
            )
    raise MalformedError("the reversal does not name the receiver")
