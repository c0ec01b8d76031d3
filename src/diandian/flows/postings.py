"""What is booked of a payment and a sale, by who collects: as agreed when the payment began.

*Source:* payments design, section 8, modes A (gateway split), B (connect) and C (principal).
"""

from collections.abc import Sequence

from diandian.kernel.money import Money
from diandian.ledger import chart, payouts
from diandian.ledger import rules as ledger_rules
from diandian.ledger.actions import JournalRequest
from diandian.ledger.rules import TransferLine
from diandian.orders import queries as order_queries
from diandian.orders.models import Order
from diandian.payments.models import Payment, Refund, RefundKind

GATEWAY_SPLIT = "gateway_split"
PRINCIPAL = "principal"


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
    if not (at_supplier(payment) and refund.source == chart.GOODWILL and _is_ours(refund)):
        return given
    order = order_queries.order_of_ref(payment.owner_ref)
    assert order is not None, "what is retired was ordered"
    supplier_ref = order.project.supplier_ref
    advanced = ledger_rules.build_refund_advanced(_money(refund), supplier_ref=supplier_ref)
    return [*given, *advanced]


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
