"""What a gateway holds of a payment for legs that will never come: it is told so, once.

Else the supplier's money is free only after some weeks. *Source:* payments design, section 9.
"""

import logging
from datetime import datetime

from diandian.audit import actions as audit_actions
from diandian.flows import gateways
from diandian.payments import queries as payment_queries
from diandian.payments.disputes import queries as disputes
from diandian.payments.messages import Done, Rejected
from diandian.payments.models import Payment
from diandian.payments.splits import SplitRequest
from diandian.settlement import rules
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.models import Line, RestState

log = logging.getLogger(__name__)


def release(line: Line, at: datetime) -> None:
    """Tell the gateway that nothing more of a payment is divided, until it took that.

    The number is the payment's own and the same on every try. Idempotent.
    """
    if line.rest != RestState.HELD:
        return
    payment = payment_queries.by_no(line.payment_no)
    if disputes.is_disputed(payment):
        line_actions.wait(line, "dispute", until=at + rules.WAITS_LOOK)
        return
    outcome = gateways.send_split(payment, _request(payment), at=at)
    match outcome:
        case Done(value=snapshot) if snapshot.state == "succeeded":
            line_actions.end_rest(line, RestState.RELEASED)
        case Rejected(code=code, retryable=False):
            _tell_operator(line, code, at)
        case _:
            line_actions.wait(line, "gateway", until=at + rules.WAITS_LOOK)


def _request(payment: Payment) -> SplitRequest:
    return SplitRequest(
        split_no=f"U{payment.payment_no}",
        payment_no=payment.payment_no,
        gateway_ref=payment.gateway_ref,
        legs=(),
        release_rest=True,
    )


def _tell_operator(line: Line, code: str, at: datetime) -> None:
    """Keep that the gateway did not take it; it lets the money go by itself after some weeks."""
    if line_actions.end_rest(line, RestState.REFUSED):
        log.warning("what is held for line %s was not released: %s", line.id, code)
        audit_actions.record(
            actor_ref="platform",
            action="settlement.rest_refused",
            subject_ref=line.owner_ref,
            details={"line": line.id, "supplier": line.supplier_ref, "reason": code[:120]},
            at=at,
        )
