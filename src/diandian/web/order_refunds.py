"""What an order's page says about money on its way back: how much, and where it stands."""

from dataclasses import dataclass

from django.utils.translation import gettext

from diandian.kernel.errors import N_
from diandian.kernel.money import Money
from diandian.orders.models import Order, OrderState
from diandian.payments import queries
from diandian.payments.models import Payment, Refund, RefundKind, RefundState

# Where a refund may have failed, so that nothing is on its way any more.
_MAY_FAIL = (OrderState.UNFULFILLABLE, OrderState.REVIEW)
_ON_ITS_WAY = N_("On its way back to you. Banks may take some days; you need do nothing.")
_WORDS = {
    RefundState.REQUESTED: _ON_ITS_WAY,
    RefundState.SUBMITTED: _ON_ITS_WAY,
    RefundState.UNKNOWN: _ON_ITS_WAY,
    RefundState.PROCESSING: _ON_ITS_WAY,
    RefundState.SUCCEEDED: N_("Returned, the way it came."),
    RefundState.FAILED: N_("This did not go through. The money is safe, and we look into it."),
    RefundState.ABNORMAL: N_(
        "Your bank could not take it. The money is safe, and we look for another way."
    ),
    RefundState.OTHERWISE: N_("Returned to you by other means."),
}


@dataclass(frozen=True, slots=True)
class RefundLine:
    """One refund. ``is_part``: less than its payment brought."""

    amount: Money
    words: str
    is_part: bool


def refund_lines(order: Order, payments: list[Payment]) -> list[RefundLine]:
    """Return the refunds of an order, oldest first; a failed one until there is a newer one.

    A page that somebody waits at looks nothing up while no money can be on its way back.
    """
    if order.state not in _MAY_FAIL and not any(each.refunded_minor for each in payments):
        return []
    refunds = queries.refunds_of(order.ref)
    newest = {refund.payment_id: refund.id for refund in refunds}
    return [
        _line(refund)
        for refund in refunds
        if refund.state != RefundState.FAILED
        or (newest[refund.payment_id] == refund.id and refund.kind != RefundKind.EXTERNAL)
    ]


def _line(refund: Refund) -> RefundLine:
    received = refund.payment.received
    amount = Money(refund.amount_minor, received.currency)
    words = gettext(_WORDS[RefundState(refund.state)])
    return RefundLine(amount, words, refund.amount_minor < received.amount_minor)
