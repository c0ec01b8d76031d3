"""The supplier's part: transfers to connected accounts out of one charge, and their reversals.

A transfer names its charge (``source_transaction``), so it can never pay out more than came, and
its payment (``transfer_group``), so that a list tells what was done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diandian.payments.gateways.stripe import answers, client, snapshots
from diandian.payments.gateways.stripe.answers import NoAnswerError
from diandian.payments.messages import NOT_FOUND, Rejected, Unknown
from diandian.payments.splits import LegSnapshot, ReversalSnapshot, SplitSnapshot, SplitTerms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from stripe.params._transfer_create_params import TransferCreateParams
    from stripe.params._transfer_create_reversal_params import TransferCreateReversalParams

    from diandian.payments.gateways.stripe.answers import Facts
    from diandian.payments.messages import MerchantContext
    from diandian.payments.splits import ReversalRequest, SplitLeg, SplitRequest, SplitState

# The charge's own money is passed on; a wait is not asked for.
TERMS = SplitTerms(cap_basis_points=10_000, wait_seconds=0, can_reverse=True, pays_supplier=True)


def send(context: MerchantContext, request: SplitRequest, *, at: datetime) -> SplitSnapshot:
    """Make the transfers that are not made yet. Raises: NoAnswerError, MalformedError.

    A leg that was refused says so. What nobody knows ends it: ask by the same numbers.
    """
    charge = snapshots.paid_charge(snapshots.charges_of(context, request.payment_no, at=at))
    if charge is None:
        raise NoAnswerError(Rejected("not_captured", "no money came yet", retryable=True))
    wanted = sum(leg.amount.amount_minor for leg in request.legs)
    if wanted > answers.amount(charge, "amount") - answers.amount(charge, "amount_refunded"):
        raise NoAnswerError(Rejected("over_payment", "the legs are more than the payment"))
    made = _made(context, request, at=at)
    legs = []
    for leg in request.legs:
        facts = made.get(leg.leg_no)
        legs.append(
            _done(leg.leg_no, facts)
            if facts
            else _transfer(context, request, leg, charge=answers.ref(charge), at=at)
        )
    return _whole(request, legs)


def look_up(context: MerchantContext, request: SplitRequest, *, at: datetime) -> SplitSnapshot:
    """Return where a division stands. Raises: NoAnswerError, MalformedError.

    A leg that is not there was certainly not made; it may be sent again by the same number.
    """
    made = _made(context, request, at=at)
    if not made:
        raise NoAnswerError(Rejected(NOT_FOUND))
    legs = [
        _done(leg.leg_no, made[leg.leg_no])
        if leg.leg_no in made
        else LegSnapshot(leg.leg_no, "failed", leg.amount.amount_minor, reason=NOT_FOUND)
        for leg in request.legs
    ]
    return _whole(request, legs)


def reverse(
    context: MerchantContext, request: ReversalRequest, *, at: datetime
) -> ReversalSnapshot:
    """Take a leg back, in whole or part. Raises: NoAnswerError, MalformedError."""
    transfer = _transfer_of(context, request, at=at)
    earlier = _reversal(context, transfer, request, at=at)
    if earlier is None:
        params: TransferCreateReversalParams = {
            "amount": request.amount.amount_minor,
            "metadata": {
                "reversal_no": request.reversal_no,
                "leg_no": request.leg_no,
                "payment_no": request.payment_no,
            },
        }
        path = f"/v1/transfers/{transfer}/reversals"
        earlier = client.ask(
            context, "post", path, params, at=at, idempotency_key=request.reversal_no
        ).facts
    return _taken_back(request, earlier)


def look_up_reversal(
    context: MerchantContext, request: ReversalRequest, *, at: datetime
) -> ReversalSnapshot:
    """Return where a reversal stands. Raises: NoAnswerError, MalformedError."""
    found = _reversal(context, _transfer_of(context, request, at=at), request, at=at)
    if found is None:
        raise NoAnswerError(Rejected(NOT_FOUND))
    return _taken_back(request, found)


def _made(context: MerchantContext, request: SplitRequest, *, at: datetime) -> dict[str, Facts]:
    group = {"transfer_group": request.payment_no}
    transfers = client.listed(context, "/v1/transfers", group, at=at)
    numbers = {leg.leg_no for leg in request.legs}
    found = {answers.noted(each, "leg_no"): each for each in transfers}
    return {number: each for number, each in found.items() if number in numbers}


def _transfer(
    context: MerchantContext, request: SplitRequest, leg: SplitLeg, *, charge: str, at: datetime
) -> LegSnapshot:
    params: TransferCreateParams = {
        "amount": leg.amount.amount_minor,
        "currency": leg.amount.currency.lower(),
        "destination": leg.receiver,
        "source_transaction": charge,
        "transfer_group": request.payment_no,
        "description": leg.text[:250] or request.payment_no,
        "metadata": {
            "payment_no": request.payment_no,
            "split_no": request.split_no,
            "leg_no": leg.leg_no,
        },
    }
    try:
        answer = client.ask(
            context, "post", "/v1/transfers", params, at=at, idempotency_key=leg.leg_no
        )
    except NoAnswerError as error:
        if isinstance(error.outcome, Unknown) or error.outcome.retryable:
            raise
        return LegSnapshot(
            leg.leg_no, "failed", leg.amount.amount_minor, reason=error.outcome.code[:120]
        )
    return _done(leg.leg_no, answer.facts)


def _done(leg_no: str, facts: Facts) -> LegSnapshot:
    if answers.noted(facts, "leg_no") != leg_no:
        raise answers.MalformedError("the transfer is of another leg")
    return LegSnapshot(leg_no, "succeeded", answers.amount(facts, "amount"), answers.ref(facts))


def _whole(request: SplitRequest, legs: Sequence[LegSnapshot]) -> SplitSnapshot:
    is_done = all(leg.state == "succeeded" for leg in legs)
    state: SplitState = "succeeded" if is_done else "failed"
    return SplitSnapshot(state, request.split_no, tuple(legs))


def _transfer_of(context: MerchantContext, request: ReversalRequest, *, at: datetime) -> str:
    """Return the transfer's name: as given, or as the payment's list has it."""
    if answers.is_ref(request.leg_ref):
        return request.leg_ref
    group = {"transfer_group": request.payment_no}
    for each in client.listed(context, "/v1/transfers", group, at=at):
        if answers.noted(each, "leg_no") == request.leg_no:
            return answers.ref(each)
    raise NoAnswerError(Rejected(NOT_FOUND, "there is no such transfer"))


def _reversal(
    context: MerchantContext, transfer: str, request: ReversalRequest, *, at: datetime
) -> Facts | None:
    path = f"/v1/transfers/{transfer}/reversals"
    for each in client.listed(context, path, {}, at=at):
        if answers.noted(each, "reversal_no") == request.reversal_no:
            return each
    return None


def _taken_back(request: ReversalRequest, facts: Facts) -> ReversalSnapshot:
    if answers.noted(facts, "reversal_no") != request.reversal_no:
        raise answers.MalformedError("the reversal is of another number")
    return ReversalSnapshot("succeeded", request.reversal_no, answers.amount(facts, "amount"))
