"""Checks that money asked back adds up, and that paid means paid."""

from django.db.models import Exists, F, OuterRef, Q, Sum
from django.db.models.functions import Coalesce

from diandian.audit.breaches import Breach, asked
from diandian.payments.models import (
    Dispute,
    DisputeState,
    MoneyRequest,
    MoneyRequestState,
    Payment,
    PaymentState,
    Refund,
    RefundKind,
    RefundState,
)


def check() -> list[Breach]:
    """Return every payment or refund that breaks a rule of the room."""
    return asked(
        _refunds_reserved,
        _paid_has_a_time,
        _refunds_of_received_money,
        _odd_receipts_whole,
        _external_ended,
        _disputes_ended,
        _goodwill_by_two,
    )


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


def _external_ended() -> list[Breach]:
    """P5: what others gave back was sent by nobody here, and nobody asks about it."""
    sent = Q(sent_at__isnull=False) | Q(next_query_at__isnull=False)
    wrong = Refund.objects.filter(sent, kind=RefundKind.EXTERNAL)
    return [Breach("P5", f"refund:{row.refund_no}", "is not ours and was sent") for row in wrong]


def _disputes_ended() -> list[Breach]:
    """P6: a chargeback ended when it was decided; only a lost one takes the customer's money."""
    is_open = Q(state=DisputeState.OPEN)
    ended = Q(ended_at__isnull=False)
    wrong = (is_open & ended) | (~is_open & ~ended)
    wrong |= ~Q(state=DisputeState.LOST) & Q(covered_minor__gt=0)
    return [
        Breach("P6", f"dispute:{row.dispute_ref}", f"{row.state}, ended {row.ended_at}")
        for row in Dispute.objects.filter(wrong)
    ]


def _goodwill_by_two() -> list[Breach]:
    """P7: every goodwill refund and every payment by other means was confirmed by a second."""
    alone = Q(kind=RefundKind.GOODWILL) | Q(state=RefundState.OTHERWISE)
    confirmed = MoneyRequest.objects.filter(
        refund=OuterRef("pk"), state=MoneyRequestState.DONE
    ).exclude(decided_by=F("asked_by"))
    wrong = Refund.objects.filter(alone).exclude(Exists(confirmed))
    return [Breach("P7", f"refund:{row.refund_no}", "was confirmed by nobody") for row in wrong]
