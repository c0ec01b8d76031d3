"""Which account of a supplier its gateway paid: a gateway's statement tells of one.

The account in force now may be another one, or there is none any more.
"""

from django.db.models import Exists, OuterRef, Q, QuerySet

from diandian.flows.postings import GATEWAY_SPLIT
from diandian.payments import queries as payment_queries
from diandian.payments.models import Payment
from diandian.settlement import queries
from diandian.settlement.models import Line, Split, SplitState

_LEG = Split.objects.filter(line=OuterRef("pk"), state=SplitState.PAID)
_COLLECTED = Q(settlement=GATEWAY_SPLIT)


def first_told(*rows: QuerySet[Line]) -> Line | None:
    """Return the oldest part that says whom a gateway paid, of the first rows that have one.

    Where none says it: the oldest of the first that has any.
    """
    oldest = [each.order_by("id") for each in rows]
    saying = [each.filter(Exists(_LEG) | _COLLECTED) for each in oldest]
    found = (each.first() for each in (*saying, *oldest))
    return next((line for line in found if line is not None), None)


def told_with(line: Line) -> Q:
    """Return which parts a statement tells together with this one.

    Those of which nothing was moved, as all went back, stand with any other of their gateway.
    """
    same = Q(gateway=line.gateway)
    if line.is_fee_leg:
        collected_by = payment_queries.by_no(line.payment_no).received_by
        agreed = Q(received_merchant="", merchant=collected_by)
        theirs = Payment.objects.filter(agreed | Q(received_merchant=collected_by))
        return same & _COLLECTED & Q(payment_no__in=theirs.values("payment_no"))
    receiver = queries.receiver_of(line)
    return same & ~_COLLECTED & ~Q(Exists(_LEG.exclude(receiver=receiver)))


def as_payee(line: Line) -> dict[str, object]:
    """Return whom a gateway paid, as a statement freezes it."""
    if line.is_fee_leg:
        account = payment_queries.by_no(line.payment_no).received_by.rpartition("/")[2]
    else:
        account = queries.receiver_of(line)
    return {"kind": "account", "gateway": line.gateway, "account": account}
