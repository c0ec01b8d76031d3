"""Money back: asked for by our number, looked up before it is ever asked for again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diandian.payments.gateways.stripe import answers, client, snapshots
from diandian.payments.gateways.stripe.answers import NoAnswerError
from diandian.payments.messages import NOT_FOUND, RefundSnapshot, Rejected, Unknown

if TYPE_CHECKING:
    from datetime import datetime

    from stripe.params._refund_create_params import RefundCreateParams

    from diandian.payments.gateways.stripe.answers import Facts
    from diandian.payments.messages import MerchantContext, RefundRequest, RefundSnapshotState

_STATES: dict[str, RefundSnapshotState] = {
    "pending": "processing",
    "requires_action": "processing",
    "succeeded": "succeeded",
    # Its money is back with us.
    "failed": "failed",
    "canceled": "failed",
}
# Our refund numbers name their payment; where one does not, the whole list is read.
_NAMES_PAYMENT = re.compile(r"R([A-Za-z0-9]{1,32})(?:-\d{1,4})?")
_MOST_PAGES = 200


def send(context: MerchantContext, request: RefundRequest, *, at: datetime) -> RefundSnapshot:
    """Give money back once. Raises: NoAnswerError, MalformedError.

    The gateway forgets our idempotency keys after a day, so a refund of that number is looked for
    first, however old it is.
    """
    charge = snapshots.paid_charge(snapshots.charges_of(context, request.payment_no, at=at))
    if charge is None:
        raise NoAnswerError(Unknown("the payment is not there"))
    name = answers.ref(charge)
    earlier = _of_charge(context, name, request.refund_no, at=at)
    if earlier is not None:
        return _snapshot(earlier, request.refund_no)
    if answers.currency(charge) != request.amount.currency:
        raise NoAnswerError(Rejected("another_currency"))
    params: RefundCreateParams = {
        "charge": name,
        "amount": request.amount.amount_minor,
        "reason": "requested_by_customer",
        "metadata": {"refund_no": request.refund_no, "payment_no": request.payment_no},
    }
    facts = client.ask(
        context, "post", "/v1/refunds", params, at=at, idempotency_key=request.refund_no
    ).facts
    return _snapshot(facts, request.refund_no)


def look_up(context: MerchantContext, refund_no: str, *, at: datetime) -> RefundSnapshot:
    """Return where a refund stands. Raises: NoAnswerError, MalformedError."""
    facts = _find(context, refund_no, at=at)
    if facts is None:
        raise NoAnswerError(Rejected(NOT_FOUND))
    return _snapshot(facts, refund_no)


def _find(context: MerchantContext, refund_no: str, *, at: datetime) -> Facts | None:
    named = _NAMES_PAYMENT.fullmatch(refund_no)
    if named:
        charge = snapshots.paid_charge(snapshots.charges_of(context, named[1], at=at))
        if charge is not None:
            return _of_charge(context, answers.ref(charge), refund_no, at=at)
    for _, refunds in client.pages(context, "/v1/refunds", {}, at=at, limit=_MOST_PAGES):
        for refund in refunds:
            if answers.noted(refund, "refund_no") == refund_no:
                return refund
    return None


def _of_charge(
    context: MerchantContext, charge: str, refund_no: str, *, at: datetime
) -> Facts | None:
    refunds = client.listed(context, "/v1/refunds", {"charge": charge}, at=at)
    mine = [each for each in refunds if answers.noted(each, "refund_no") == refund_no]
    return mine[0] if mine else None


def _snapshot(facts: Facts, refund_no: str) -> RefundSnapshot:
    state = _STATES.get(answers.text(facts, "status"))
    if state is None or answers.noted(facts, "refund_no") != refund_no:
        raise answers.MalformedError("the refund is of an unknown state or another number")
    return RefundSnapshot(
        state=state,
        refund_no=refund_no,
        amount_minor=answers.amount(facts, "amount"),
        currency=answers.currency(facts),
    )
