"""Reads chargebacks."""

from django.db.models import Q, QuerySet, Sum

from diandian.payments.models import Dispute, DisputeState, Payment


def of_payment(payment: Payment) -> list[Dispute]:
    """Return the chargebacks of a payment, oldest first."""
    return list(Dispute.objects.filter(payment=payment))


def is_disputed(payment: Payment) -> bool:
    """Tell whether a bank still decides about a payment, or said two things about it.

    While it does, nothing of the payment goes on: no retirement, refund or transfer to a supplier.
    """
    undecided = Q(state=DisputeState.OPEN) | Q(is_odd=True)
    return Dispute.objects.filter(undecided, payment=payment).exists()


def is_odd(payment: Payment) -> bool:
    """Tell whether people must look into what a gateway told of a payment's chargebacks."""
    return Dispute.objects.filter(payment=payment, is_odd=True).exists()


def is_lost(payment: Payment) -> bool:
    """Tell whether a chargeback of a payment was lost, in part or in full."""
    return Dispute.objects.filter(payment=payment, state=DisputeState.LOST).exists()


def taken_minor(payment: Payment) -> int:
    """Return what banks took of a payment and did not give back, in its own currency."""
    taken = Dispute.objects.filter(payment=payment, currency=payment.received.currency)
    total = taken.exclude(state=DisputeState.WON).aggregate(total=Sum("amount_minor"))["total"]
    return int(total or 0)


def with_waiting_share(limit: int) -> list[Dispute]:
    """Return lost chargebacks of which suppliers' shares are still to come back, oldest first."""
    return list(_with_waiting_share()[:limit])


def share_no(dispute_id: int) -> str:
    """Return the number under which the supplier's share of a chargeback comes back."""
    corrections = Dispute.objects.values_list("corrections", flat=True).get(id=dispute_id)
    return f"D{dispute_id}" + (f"-{corrections + 1}" if corrections else "")


def waiting_shares_of(payment: Payment) -> list[Dispute]:
    """Return those of one payment."""
    return list(_with_waiting_share().filter(payment=payment))


def _with_waiting_share() -> QuerySet[Dispute]:
    return Dispute.objects.filter(share_waits=True).select_related("payment").order_by("id")


def undecided() -> list[Dispute]:
    """Return the chargebacks that banks or people still decide about, oldest first."""
    rows = Dispute.objects.filter(Q(state=DisputeState.OPEN) | Q(is_odd=True))
    return list(rows.select_related("payment"))


def decided(limit: int) -> list[Dispute]:
    """Return the chargebacks that ended, newest first."""
    rows = Dispute.objects.exclude(state=DisputeState.OPEN).filter(is_odd=False)
    return list(rows.select_related("payment").order_by("-ended_at", "-id")[:limit])
