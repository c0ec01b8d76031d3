"""Money that arrived without being an order's price: kept on an account of its own.

Paid twice, or not as agreed: it is booked as unallocated with its order, until it goes back or
people decide that it is the price after all. Where a receipt lies, the ledger alone says.
*Source:* payments design, sections 5 and 8.
"""

from datetime import datetime

from diandian.flows import postings
from diandian.kernel.money import Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger import queries as ledger_queries
from diandian.ledger.rules import TransferLine
from diandian.orders import actions
from diandian.orders.models import Order
from diandian.payments import queries as payment_queries
from diandian.payments.models import Payment
from diandian.payments.refunds import queries as refund_queries


def keep(order: Order | None, payment: Payment, *, at: datetime) -> None:
    """Book a receipt as unallocated, in the caller's transaction. Idempotent by the payment."""
    _book(order, payment, "unallocated", postings.unallocated(payment), at)


def allocate(order: Order, payment: Payment, *, at: datetime) -> None:
    """Make what is left of a receipt aside the order's price. Idempotent by the payment."""
    _book(order, payment, "allocated", postings.allocated(payment, left(payment)), at)


def left(payment: Payment) -> Money:
    """Return what of a receipt is here: not on its way back, nor taken by the payer's bank."""
    return Money(refund_queries.left_minor(payment), payment.received.currency)


def is_aside(payment: Payment) -> bool:
    """Tell whether a received payment lies aside; else it is an order's price."""
    kinds = {kind: _source_ref(payment, kind) for kind in ("unallocated", "allocated")}
    booked = ledger_queries.journals_by_source(kinds.values())
    return kinds["unallocated"] in booked and kinds["allocated"] not in booked


def at_hand(order: Order) -> list[Payment]:
    """Return the payments received for an order of which something is left, oldest first."""
    received = payment_queries.succeeded_of(order.ref)
    return [payment for payment in received if left(payment).amount_minor]


def _source_ref(payment: Payment, kind: str) -> str:
    return f"payment:{payment.payment_no}:{kind}"


def _book(
    order: Order | None, payment: Payment, kind: str, lines: list[TransferLine], at: datetime
) -> None:
    journal = ledger_actions.post(
        kind=kind,
        source_ref=_source_ref(payment, kind),
        owner_ref=payment.owner_ref,
        lines=lines,
        at=at,
    )
    if order is not None:
        actions.link_entry(order, journal)
