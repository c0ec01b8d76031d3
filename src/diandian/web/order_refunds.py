"""What an order's page says about money on its way back: how much, and where it stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from diandian.flows import refund as refund_flow
from diandian.kernel.errors import N_
from diandian.kernel.money import Money
from diandian.orders.models import Order, OrderState
from diandian.payments import queries
from diandian.payments.disputes import queries as disputes
from diandian.payments.models import (
    Dispute,
    DisputeState,
    Payment,
    Refund,
    RefundKind,
    RefundState,
)
from diandian.payments.refunds.queries import left_minor

# Where a refund may have failed, so that nothing is on its way any more.
_MAY_FAIL = (OrderState.UNFULFILLABLE, OrderState.REVIEW)
_DISPUTED = (*_MAY_FAIL, OrderState.REFUNDED)
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
_TOO_LATE = N_(
    "The way you paid takes nothing back after so long. The money is safe, and we return it another"
    " way."
)
_BANKS_WORDS = {
    DisputeState.OPEN: N_("Your bank asked for this back and decides about it. We wait for it."),
    DisputeState.LOST: N_("Your bank took this back for you."),
}
_DONE = (RefundState.SUCCEEDED, RefundState.OTHERWISE)


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """Money that goes or went back. ``is_part``: less than its payment brought."""

    amount: Money
    words: str
    is_part: bool


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """All that goes or went back of an order.

    ``twice``: "returning", "returned" or "stuck" where its guest paid a second time, else nothing.
    """

    lines: Sequence[MoneyLine] = ()
    twice: str = ""


def money_back(order: Order, payments: Sequence[Payment]) -> MoneyBack:
    """Return what went back of an order, oldest first; a failed one until there is a newer one.

    A page that somebody waits at looks nothing up while no money can be on its way back.
    """
    may_be_disputed = order.state in _DISPUTED
    if not may_be_disputed and not any(each.refunded_minor for each in payments):
        return MoneyBack()
    refunds = queries.refunds_of(order.ref)
    newest = {refund.payment_id: refund.id for refund in refunds}
    lines = [
        _line(refund.payment, refund.amount_minor, gettext(_words(refund)))
        for refund in refunds
        if refund.state != RefundState.FAILED
        or (newest[refund.payment_id] == refund.id and refund.kind != RefundKind.EXTERNAL)
    ]
    if may_be_disputed:
        lines += [_taken(payment, each) for payment in payments for each in _told(payment)]
    return MoneyBack(lines, _twice(refunds))


def where_the_money_is(order: Order, received: Sequence[Payment]) -> str:
    """Return what an order whose money goes back, or that people look at, is for its guest.

    Something is still here, as after a refund that failed or found no way home, or a bank decides:
    people look into it. Else all of it went back, or is on its way, whether or not people are done
    with the order.
    """
    is_undecided = any(left_minor(each) or disputes.is_disputed(each) for each in received)
    if is_undecided or not received:
        return str(OrderState.REVIEW)
    states = {each.state for each in queries.refunds_of(order.ref)}
    if RefundState.ABNORMAL in states:
        return str(OrderState.REVIEW)
    is_done = states <= {*_DONE, RefundState.FAILED}
    return str(OrderState.REFUNDED if is_done else OrderState.UNFULFILLABLE)


def _words(refund: Refund) -> str:
    if refund.state == RefundState.ABNORMAL and refund.sent_at is None:
        return _TOO_LATE
    return _WORDS[RefundState(refund.state)]


def _line(payment: Payment, amount_minor: int, words: str) -> MoneyLine:
    received = payment.received
    amount = Money(amount_minor, received.currency)
    return MoneyLine(amount, words, amount_minor < received.amount_minor)


def _told(payment: Payment) -> list[Dispute]:
    """Return the disputes that its guest reads about: what a bank gave us back is as before."""
    return [each for each in disputes.of_payment(payment) if each.state in _BANKS_WORDS]


def _taken(payment: Payment, dispute: Dispute) -> MoneyLine:
    words = gettext(_BANKS_WORDS[DisputeState(dispute.state)])
    if dispute.currency != payment.received.currency:
        return MoneyLine(Money(dispute.amount_minor, dispute.currency), words, is_part=False)
    return _line(payment, dispute.amount_minor, words)


def _twice(refunds: Sequence[Refund]) -> str:
    """Return what became of a second payment; a newer refund of it tells more than an older."""
    states = [each.state for each in refunds if each.reason == refund_flow.DUPLICATE]
    if not states:
        return ""
    if states[-1] in _DONE:
        return "returned"
    return "stuck" if states[-1] in {RefundState.FAILED, RefundState.ABNORMAL} else "returning"
