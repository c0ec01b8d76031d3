"""A guest who pays another way: the attempt that is open is closed at its gateway first.

Where nobody can say that it is closed, it is set aside and asked about until its time and grace are
over; if it succeeds too, that money goes back. *Source:* payments design, section 4.
"""

from datetime import datetime

from diandian.flows import checkout, gateways, payment_events, sales, ways
from diandian.flows.checkout import PayBy
from diandian.kernel.clock import now
from diandian.orders.errors import NotPayableError
from diandian.orders.models import Order, OrderState
from diandian.payments import queries as payment_queries
from diandian.payments.errors import NotClosedYetError, UnknownGatewayError
from diandian.payments.messages import Done, Pending
from diandian.payments.models import OPEN_STATES, Payment, PaymentState


def pay(order: Order, by: PayBy, *, at: datetime | None = None) -> Payment:
    """Give a way to pay: the open attempt's own when it is by this way, else a new attempt.

    Idempotent by: the open attempt. Raises: NotPayableError, NotClosedYetError,
    UnknownGatewayError, AmountOutOfRangeError, PaymentUnavailableError, SalesPausedError.
    """
    at = at or now()
    sales.refuse_while_stopped()
    if order.state != OrderState.AWAITING_PAYMENT:
        raise NotPayableError
    earlier = payment_queries.open_of(order.ref)
    if earlier is None or (_is_by(earlier, by) and earlier.expires_at > at):
        return checkout.retry_payment(order, by, at=at)
    wanted = ways.due(order.quote, order.project.supplier_ref)
    ways.refuse_unknown(wanted, by.gateway, by.flow)
    unsure = _close(earlier, at)
    payment = checkout.begin_payment(order, by, instead_of=earlier if unsure else None, at=at)
    if not by.payer and ways.lacks_payer(payment, at=at):
        return payment
    return checkout.submit(order, payment, by, at=at)


def _is_by(payment: Payment, by: PayBy) -> bool:
    return by.gateway in {"", payment.gateway} and by.flow in {"", payment.flow}


def _close(payment: Payment, at: datetime) -> bool:
    """Close an attempt; tell whether it may still succeed, since nobody says that it cannot.

    Raises: NotClosedYetError when it seems to be paid, NotPayableError when it is.
    """
    try:
        answer = gateways.close_payment(payment, at=at)
    except UnknownGatewayError:
        return True  # its gateway is not in use any more
    state = payment.state
    if isinstance(answer, Done) and answer.value != "not_found_yet":
        state = payment_events.refresh(payment.payment_no, at=at)
    if state == PaymentState.SUCCEEDED:
        raise NotPayableError
    if isinstance(answer, Pending) or (isinstance(answer, Done) and answer.value == "already_paid"):
        raise NotClosedYetError
    return state in OPEN_STATES
