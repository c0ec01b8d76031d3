"""What is booked of a payment and a sale, by who collects: as agreed when the payment began.

*Source:* payments design, section 8, modes A (gateway split), B (connect) and C (principal).
"""

from collections.abc import Sequence
from typing import TypedDict

from diandian.kernel.money import Money
from diandian.ledger import chart, payouts
from diandian.ledger import rules as ledger_rules
from diandian.ledger.actions import JournalRequest
from diandian.ledger.rules import TransferLine
from diandian.orders import queries as order_queries
from diandian.orders.models import Order
from diandian.payments.models import Dispute, Payment, Refund, RefundKind

GATEWAY_SPLIT = "gateway_split"
PRINCIPAL = "principal"


class Where(TypedDict):
    """Whose account at which gateway."""

    gateway: str
    merchant: str
    at_supplier: bool


def at_supplier(payment: Payment) -> bool:
    """Tell whether it is the supplier who collected a payment; then it never was our money."""
    return payment.settlement == GATEWAY_SPLIT


# -- money of guests --------------------------------------------------------------------------


def capture(payment: Payment) -> list[TransferLine]:
    """Return what is booked of a payment as agreed."""
    return ledger_rules.build_capture(
        Money(payment.amount_minor, payment.currency),
        gateway=payment.gateway,
        merchant=payment.merchant,
        at_supplier=at_supplier(payment),
    )


def unallocated(payment: Payment) -> list[TransferLine]:
    """Return what is booked of a receipt that no order expects."""
    return ledger_rules.build_unallocated(
        payment.received,
        gateway=payment.gateway,
        merchant=payment.received_by,
        at_supplier=at_supplier(payment),
    )


def allocated(payment: Payment, amount: Money) -> list[TransferLine]:
    """Return what is booked when so much of such a receipt is an order's price after all."""
    return ledger_rules.build_allocated(amount, at_supplier=at_supplier(payment))


def refund_requested(refund: Refund, *, from_unallocated: bool) -> list[TransferLine]:
    """Return what is booked when a refund is asked for, before a retirement."""
    return ledger_rules.build_refund(
        _money(refund),
        from_unallocated=from_unallocated,
        at_supplier=at_supplier(refund.payment),
    )


def refund_goodwill(refund: Refund) -> list[TransferLine]:
    """Return what is booked when a refund is asked for after a retirement: whose cost it is.

    Out of the account of a supplier who collected it is ours as well, unless that supplier stands
    for refunds, or somebody gave it back there without us.
    """
    amount = _money(refund)
    if not at_supplier(refund.payment):
        return ledger_rules.build_goodwill_refund(amount)
    memo = ledger_rules.build_memo_returning(amount)
    return [*ledger_rules.build_goodwill_refund(amount), *memo] if _is_ours(refund) else memo


def _is_ours(refund: Refund) -> bool:
    """Tell whether we bear a refund after a retirement that a supplier's account pays."""
    return refund.kind == RefundKind.GOODWILL and not refund.is_shared


def refund_otherwise(refund: Refund) -> list[TransferLine]:
    """Return what is booked when a refund was paid from a bank instead: from ours, if it is ours.

    Where a supplier collected, its own bank pays what is not our cost: a memo.
    """
    amount = _money(refund)
    paid = ledger_rules.build_refund_otherwise(amount)
    if not at_supplier(refund.payment):
        return paid
    memo = [line.swapped() for line in ledger_rules.build_memo_returning(amount)]
    is_our_cost = refund.source == chart.GOODWILL and _is_ours(refund)
    return [*paid, *memo] if is_our_cost else memo


def refund_settled(refund: Refund) -> list[TransferLine]:
    """Return what is booked when a gateway confirmed a refund."""
    payment = refund.payment
    given = _given_back(refund)
    if not is_advanced(refund):
        return given
    order = order_queries.order_of_ref(payment.owner_ref)
    assert order is not None, "what is retired was ordered"
    supplier_ref = order.project.supplier_ref
    advanced = ledger_rules.build_refund_advanced(_money(refund), supplier_ref=supplier_ref)
    return [*given, *advanced]


def is_advanced(refund: Refund) -> bool:
    """Tell whether a refund is our cost and a supplier's account pays it: we owe it to them."""
    is_our_cost = refund.source == chart.GOODWILL and _is_ours(refund)
    return at_supplier(refund.payment) and is_our_cost


def _given_back(refund: Refund) -> list[TransferLine]:
    payment = refund.payment
    return ledger_rules.build_refund_settled(
        _money(refund),
        gateway=payment.gateway,
        merchant=payment.received_by,
        at_supplier=at_supplier(payment),
    )


def _money(refund: Refund) -> Money:
    return Money(refund.amount_minor, refund.payment.received.currency)


# -- chargebacks ------------------------------------------------------------------------------


def dispute_opened(dispute: Dispute) -> list[TransferLine]:
    """Return what is booked when a payer's bank took money until it decides."""
    return ledger_rules.build_disputed(_disputed(dispute), **_where(dispute.payment))


def dispute_fee(dispute: Dispute, fee: Money) -> list[TransferLine]:
    """Return what is booked of a gateway's fee for a chargeback: it is of whoever collected."""
    payment = dispute.payment
    if at_supplier(payment):
        return []
    return ledger_rules.build_dispute_fee(
        fee, gateway=payment.gateway, merchant=payment.received_by
    )


def dispute_won(dispute: Dispute) -> list[TransferLine]:
    """Return what is booked when a bank gave the money back."""
    return ledger_rules.build_dispute_won(_disputed(dispute), **_where(dispute.payment))


def dispute_lost(
    dispute: Dispute, order: Order | None, *, covered: Money, source: str, is_shared: bool
) -> list[TransferLine]:
    """Return what is booked when a bank keeps the money: whose loss it is.

    Out of the account of a supplier who collected, what no customer was owed is our loss as well,
    unless that supplier stands for it (``is_shared``).
    """
    is_theirs = at_supplier(dispute.payment)
    amount = _disputed(dispute)
    lines = ledger_rules.build_dispute_lost(
        amount, covered=covered, source=source, at_supplier=is_theirs
    )
    lost = amount - covered
    if not is_theirs or is_shared or order is None or not lost.amount_minor:
        return lines
    supplier_ref = order.project.supplier_ref
    return [*lines, *ledger_rules.build_dispute_advanced(lost, supplier_ref=supplier_ref)]


def _disputed(dispute: Dispute) -> Money:
    return Money(dispute.amount_minor, dispute.currency)


def _where(payment: Payment) -> Where:
    return {
        "gateway": payment.gateway,
        "merchant": payment.received_by,
        "at_supplier": at_supplier(payment),
    }


# -- sales ------------------------------------------------------------------------------------


def sales(orders: Sequence[Order]) -> list[JournalRequest]:
    """Return the sale of each order, in their order; behind them what else principals book.

    M3: a sale is of exactly its order's price, whoever collected it.
    """
    own = [order for order in orders if order.settlement == PRINCIPAL]
    return [
        *(_request(order, "sale", _sale(order)) for order in orders),
        *(_request(order, "purchase", _purchase(order)) for order in own),
    ]


def _request(order: Order, kind: str, lines: list[TransferLine]) -> JournalRequest:
    return JournalRequest(
        kind=kind, source_ref=f"{order.ref}:{kind}", owner_ref=order.ref, lines=lines
    )


def _sale(order: Order) -> list[TransferLine]:
    quote = order.quote
    if order.settlement == GATEWAY_SPLIT:
        return payouts.build_split_sale(Money(quote.total_minor, quote.currency))
    if order.settlement == PRINCIPAL:
        return payouts.build_principal_sale(Money(quote.total_minor, quote.currency))
    return ledger_rules.build_sale(
        supplier=Money(quote.supplier_minor, quote.currency),
        fee=Money(quote.fee_minor, quote.currency),
        supplier_ref=order.project.supplier_ref,
    )


def _purchase(order: Order) -> list[TransferLine]:
    """Buy what is retired, at the supplier's price: bought and used up in one booking."""
    cost = Money(order.quote.supplier_minor, order.quote.currency)
    bought = payouts.build_purchase(cost, supplier_ref=order.project.supplier_ref)
    return [*bought, *payouts.build_cost_of_sale(cost)]
