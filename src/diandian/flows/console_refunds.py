"""Refunds made in a gateway's console that only its statement tells.

WeChat Pay never says in an answer how much of a payment went back, Alipay only of a whole one. What
a proven statement has, no refund of ours explains and the question before has not, is kept from the
statement. *Source:* payments design, section 6 (row 33).
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from diandian.flows import aftermath, reconcile_facts
from diandian.payments.models import Payment
from diandian.reconciliation.models import StatementFile
from diandian.reconciliation.rules import Item, Line, brings_money

log = logging.getLogger(__name__)

# Words for a refund that is not over yet, or found no way home: a later statement tells.
_UNDECIDED = {"processing", "change", "pending", "abnormal"}


def apply_stated(
    files: Mapping[str, StatementFile], found: Mapping[str, Sequence[Item]], *, at: datetime
) -> bool:
    """Keep each refund that only a day's statement tells; tell whether any was new. Idempotent.

    Of statements of two kinds, the one of trades names refunds by their own numbers.
    """
    kind = "trades" if "trades" in files else "funds"
    if kind not in files or not files[kind].is_proven:
        return False
    lines = [item.line for item in found[kind] if item.line and _is_unexplained(item, item.line)]
    return sum(_apply(line, at) for line in lines) > 0


def _is_unexplained(item: Item, line: Line) -> bool:
    is_done = brings_money(line) and line.status.lower() not in _UNDECIDED
    missing = (item.outcome, item.kind) == ("missing_here", "refund")
    # Without the number that it was asked under it might be one of ours.
    return missing and is_done and line.gross_minor < 0 and bool(line.ref and line.our_no)


def _apply(line: Line, at: datetime) -> bool:
    payment_no = reconcile_facts.payment_behind(line)
    payment = Payment.objects.filter(payment_no=payment_no).first() if payment_no else None
    if payment is None or payment.received.currency != line.currency:
        return False
    try:
        return aftermath.apply_stated(
            payment, amount_minor=-line.gross_minor, stated_ref=line.ref, at=at
        )
    except Exception:
        log.exception("the refund %s of payment %s could not be kept", line.ref, payment_no)
        return False
