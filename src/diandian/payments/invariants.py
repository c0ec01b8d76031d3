"""Checks that money asked back adds up, and that paid means paid."""

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from diandian.audit.breaches import Breach
from diandian.payments.models import Payment, PaymentState, Refund, RefundState


def check() -> list[Breach]:
    """Return every payment or refund that breaks a rule of the room."""
    return [
        *_refunds_reserved(),
        *_paid_has_a_time(),
        *_refunds_of_received_money(),
        *_odd_receipts_whole(),
    ]


def _refunds_reserved() -> list[Breach]:
    """P1: what is reserved on a payment is the sum of its refunds that did not fail."""
    living = ~Q(refunds__state=RefundState.FAILED)
    wrong = Payment.objects.annotate(
        living_minor=Coalesce(Sum("refunds__amount_minor", filter=living), 0)
    ).exclude(living_minor=F("refunded_minor"))
    return [
        Breach("P1", f"payment:{row.payment_no}", f"reserved {row.refunded_minor}, refunds differ")
        for row in wrong
    ]


def _paid_has_a_time() -> list[Breach]:
    """P2: a received payment has a time, an unpaid one has none."""
    paid = Q(state=PaymentState.SUCCEEDED)
    wrong = Payment.objects.filter((paid & Q(paid_at=None)) | (~paid & Q(paid_at__isnull=False)))
    return [
        Breach("P2", f"payment:{row.payment_no}", f"{row.state}, paid {row.paid_at}")
        for row in wrong
    ]


def _refunds_of_received_money() -> list[Breach]:
    """P3: only received money goes back."""
    wrong = Refund.objects.exclude(payment__state=PaymentState.SUCCEEDED)
    return [
        Breach("P3", f"refund:{row.refund_no}", "its payment was never received") for row in wrong
    ]


def _odd_receipts_whole() -> list[Breach]:
    """P4: what arrived otherwise than agreed has amount, currency and merchant, and did arrive."""
    blank = Q(received_minor=None, received_currency="", received_merchant="")
    whole = Q(state=PaymentState.SUCCEEDED, received_minor__gt=0) & ~(
        Q(received_currency="") | Q(received_merchant="")
    )
    wrong = Payment.objects.exclude(blank | whole)
    return [
        Breach("P4", f"payment:{row.payment_no}", "what was received is only half known")
        for row in wrong
    ]
