"""Writes of chargebacks; each is booked by the flow that calls, in the same transaction."""

from datetime import datetime

from django.db import connection

from diandian.payments.messages import DisputeSnapshot
from diandian.payments.models import Dispute, DisputeState, Payment


def keep(payment: Payment, told: DisputeSnapshot, *, at: datetime) -> tuple[Dispute, bool]:
    """Keep a chargeback as open; return it, and whether it is new.

    Idempotent by: the payment and the gateway's own number. The caller holds the payment's lock.
    """
    assert connection.in_atomic_block, "a chargeback and its posting are one"
    dispute, is_new = Dispute.objects.get_or_create(
        payment=payment,
        dispute_ref=told.dispute_ref,
        defaults={
            "amount_minor": told.amount_minor,
            "currency": told.currency,
            "opened_at": at,
        },
    )
    dispute.payment = payment
    return dispute, is_new


def raise_fee(dispute: Dispute, fee_minor: int) -> int:
    """Keep what the gateway charges by now; return what that is more than before, or 0.

    What it gives back of a fee stands in its statement.
    """
    more = fee_minor - dispute.fee_minor
    if more <= 0:
        return 0
    dispute.fee_minor = fee_minor
    dispute.save(update_fields=["fee_minor"])
    return more


def end(
    dispute: Dispute, state: str, *, covered_minor: int = 0, source: str = "", at: datetime
) -> None:
    """Keep how a chargeback ended. ``covered_minor``: what of a lost one was the customer's own."""
    assert dispute.state == DisputeState.OPEN, "what was decided stays decided"
    dispute.state = state
    dispute.covered_minor, dispute.source, dispute.ended_at = covered_minor, source, at
    dispute.save(update_fields=["state", "covered_minor", "source", "ended_at"])


def let_share_wait(dispute_id: int, *, waits: bool) -> None:
    """Keep whether the supplier's share of a lost chargeback is still to be taken back."""
    Dispute.objects.filter(id=dispute_id).update(share_waits=waits)


def mark_odd(dispute: Dispute, told: DisputeSnapshot) -> bool:
    """Keep what the gateway says against what is booked; tell whether that is new."""
    before = dispute.is_odd, dispute.seen
    dispute.is_odd, dispute.told_state = True, told.state
    dispute.told_minor, dispute.told_currency = told.amount_minor, told.currency
    dispute.save(update_fields=["is_odd", "told_state", "told_minor", "told_currency"])
    return before != (True, dispute.seen)


def clear_odd(dispute: Dispute) -> None:
    """Keep that people looked into what is told, and that it stays as it is booked."""
    dispute.is_odd = False
    dispute.save(update_fields=["is_odd"])


def open_anew(dispute: Dispute) -> None:
    """Take over the amount that is told; what is booked so far was undone, all is booked anew."""
    assert connection.in_atomic_block, "a chargeback and its posting are one"
    dispute.corrections += 1
    dispute.amount_minor, dispute.currency = dispute.told_minor, dispute.told_currency
    dispute.state, dispute.ended_at = DisputeState.OPEN, None
    dispute.covered_minor, dispute.source = 0, ""
    dispute.is_odd = dispute.share_waits = False
    dispute.save()
