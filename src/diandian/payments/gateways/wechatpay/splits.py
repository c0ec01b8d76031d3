"""Profit sharing: our fee out of what a sub-merchant collected, and its way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diandian.payments import messages as port
from diandian.payments.gateways.wechatpay.answers import (
    LONGEST_REFERENCE,
    FactsError,
    amount,
    text,
    text_or,
)
from diandian.payments.gateways.wechatpay.orders import (
    is_reference,
    is_refund_number,
    shortened,
)
from diandian.payments.splits import (
    LegSnapshot,
    ReversalSnapshot,
    SplitSnapshot,
    SplitState,
    SplitTerms,
)

if TYPE_CHECKING:
    from diandian.payments.gateways.wechatpay.account import Account
    from diandian.payments.gateways.wechatpay.client import Library, Reply
    from diandian.payments.messages import MerchantContext
    from diandian.payments.splits import ReversalRequest, SplitLeg, SplitRequest

CAP_OPTION = "split_cap_basis_points"
# The gateway's own bound, where the option does not name the sub-merchant's, which may be lower.
_CAP_BASIS_POINTS = 3_000
_WHOLE_BASIS_POINTS = 10_000
_WAIT_SECONDS = 60

_LONGEST_TEXT_BYTES = 80
_MOST_LEGS = 50
_LEG_STATES: dict[str, SplitState] = {
    "PENDING": "processing",
    "SUCCESS": "succeeded",
    "CLOSED": "failed",
}
_REVERSAL_STATES: dict[str, SplitState] = {
    "PROCESSING": "processing",
    "SUCCESS": "succeeded",
    "FAILED": "failed",
}


def terms(context: MerchantContext) -> SplitTerms:
    """Return how received money may be divided; an option names what the sub-merchant allows."""
    given = context.options.get(CAP_OPTION, "")
    is_number = given.isascii() and given.isdigit() and len(given) <= len("10000")
    cap = min(int(given), _WHOLE_BASIS_POINTS) if is_number else _CAP_BASIS_POINTS
    return SplitTerms(
        cap_basis_points=cap,
        wait_seconds=_WAIT_SECONDS,
        can_reverse=True,
        pays_supplier=False,
        holds_rest=True,
    )


def fault_of(request: SplitRequest) -> port.Rejected | None:
    """Return why a division is not even asked for; None when it can be."""
    receivers = [leg.receiver for leg in request.legs]
    rules = {
        "number_unfit": is_refund_number(request.split_no),
        "gateway_ref_missing": is_reference(request.gateway_ref),
        "nothing_to_split": bool(request.legs) or request.release_rest,
        "too_many_legs": len(request.legs) <= _MOST_LEGS,
        # The answer names a leg by its receiver alone.
        "receiver_twice": len(set(receivers)) == len(receivers),
        "receiver_unfit": all(is_reference(receiver) for receiver in receivers),
        "amount_out_of_range": all(leg.amount.amount_minor > 0 for leg in request.legs),
        "currency_unfit": all(leg.amount.currency == "CNY" for leg in request.legs),
    }
    wrong = next((code for code, is_right in rules.items() if not is_right), None)
    return None if wrong is None else port.Rejected(wrong)


def reversal_fault(request: ReversalRequest) -> port.Rejected | None:
    """Return why a reversal is not even asked for; None when it can be."""
    rules = {
        "number_unfit": is_refund_number(request.reversal_no)
        and is_refund_number(request.split_no),
        "receiver_unfit": is_reference(request.receiver),
        "amount_out_of_range": request.amount.amount_minor > 0,
        "currency_unfit": request.amount.currency == "CNY",
    }
    wrong = next((code for code, is_right in rules.items() if not is_right), None)
    return None if wrong is None else port.Rejected(wrong)


def receivers(request: SplitRequest) -> list[dict[str, Any]]:
    """Return the legs as the gateway wants them; the same on every retry."""
    return [
        {
            "type": "MERCHANT_ID",
            "account": leg.receiver,
            "amount": leg.amount.amount_minor,
            "description": shortened(leg.text, _LONGEST_TEXT_BYTES) or leg.leg_no,
        }
        for leg in request.legs
    ]


def snapshot(request: SplitRequest, facts: dict[str, Any]) -> SplitSnapshot:
    """Return a division as an answer says. Raises: FactsError."""
    if text(facts, "out_order_no") != request.split_no:
        raise FactsError("it is about another split")
    is_finished = {"PROCESSING": False, "FINISHED": True}.get(text(facts, "state"))
    if is_finished is None:
        raise FactsError("its state is not one that we know")
    listed = facts.get("receivers") or []
    if not isinstance(listed, list):
        raise FactsError("receivers is not a list")
    # The rest that is released to who collected stands there as well; it is no leg of ours.
    by_account = {text(each, "account"): each for each in listed if isinstance(each, dict)}
    legs = tuple(_leg(leg, by_account.get(leg.receiver)) for leg in request.legs)
    return SplitSnapshot(_state({leg.state for leg in legs}, is_finished), request.split_no, legs)


def _leg(leg: SplitLeg, facts: dict[str, Any] | None) -> LegSnapshot:
    if facts is None:
        raise FactsError("a receiver is missing")
    state = _LEG_STATES.get(text(facts, "result"))
    if state is None:
        raise FactsError("the state of a receiver is not one that we know")
    return LegSnapshot(
        leg_no=leg.leg_no,
        state=state,
        amount_minor=amount(facts, "amount"),
        leg_ref=text_or(facts, "detail_id", longest=LONGEST_REFERENCE),
        reason=text_or(facts, "fail_reason"),
    )


def _state(legs: set[SplitState], is_finished: bool) -> SplitState:  # noqa: FBT001 - a fact
    if "processing" in legs or not is_finished:
        return "processing"
    return "failed" if "failed" in legs else "succeeded"


def reversal_snapshot(request: ReversalRequest, facts: dict[str, Any]) -> ReversalSnapshot:
    """Return a reversal as an answer says. Raises: FactsError."""
    state = _REVERSAL_STATES.get(text(facts, "result"))
    if state is None:
        raise FactsError("its state is not one that we know")
    if text(facts, "out_return_no") != request.reversal_no:
        raise FactsError("it is about another reversal")
    return ReversalSnapshot(
        state, request.reversal_no, amount(facts, "amount"), text_or(facts, "fail_reason")
    )


def send(account: Account, library: Library, request: SplitRequest) -> Reply:
    """Ask for a division, or for the release of all that is held; return the answer."""
    sub = {"sub_mchid": account.sub_merchant} if account.is_partner else {}
    if not request.legs:
        return library.profitsharing_unfreeze(
            transaction_id=request.gateway_ref,
            out_order_no=request.split_no,
            description=request.split_no,
            **sub,
        )
    return library.profitsharing_order(
        transaction_id=request.gateway_ref,
        out_order_no=request.split_no,
        receivers=receivers(request),
        unfreeze_unsplit=request.release_rest,
        **sub,
    )


def add_receiver(account: Account, library: Library, receiver: str, name: str) -> Reply:
    """Tell the gateway that a receiver belongs to a sub-merchant; return its answer."""
    sub = {"sub_mchid": account.sub_merchant} if account.is_partner else {}
    return library.profitsharing_add_receiver(
        account_type="MERCHANT_ID",
        account=receiver,
        relation_type="SERVICE_PROVIDER",
        name=name,
        **sub,
    )
