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
from diandian.store.statements import Select

# What is wrong, each composed once: to compose them takes longer than to run them.
_RESERVED_OTHERWISE: Select[Payment] = Select(
    lambda: Payment.objects.annotate(
        living_minor=Coalesce(
            Sum("refunds__amount_minor", filter=~Q(refunds__state=RefundState.FAILED)), 0
        )
    ).exclude(living_minor=F("refunded_minor"))
)
_WITHOUT_TIME: Select[Payment] = Select(
    lambda: Payment.objects.filter(
        Q(state=PaymentState.SUCCEEDED, paid_at=None)
        | (~Q(state=PaymentState.SUCCEEDED) & Q(paid_at__isnull=False))
    )
)
_OF_NOTHING: Select[Refund] = Select(
    lambda: Refund.objects.exclude(payment__state=PaymentState.SUCCEEDED)
)
_HALF_KNOWN: Select[Payment] = Select(
    lambda: Payment.objects.exclude(
        Q(received_minor=None, received_currency="", received_merchant="")
        | Q(state=PaymentState.SUCCEEDED, received_minor__gt=0)
        & ~(Q(received_currency="") | Q(received_merchant=""))
    )
)
_EXTERNAL_SENT: Select[Refund] = Select(
    lambda: Refund.objects.filter(
        Q(sent_at__isnull=False) | Q(next_query_at__isnull=False), kind=RefundKind.EXTERNAL
    )
)
_DISPUTES_HALF_ENDED: Select[Dispute] = Select(
    lambda: Dispute.objects.filter(
        Q(state=DisputeState.OPEN, ended_at__isnull=False)
        | (~Q(state=DisputeState.OPEN) & Q(ended_at__isnull=True))
        | (~Q(state=DisputeState.LOST) & Q(covered_minor__gt=0))
    )
)
_BY_ONE: Select[Refund] = Select(
    lambda: Refund.objects.filter(
        Q(kind=RefundKind.GOODWILL) | Q(state=RefundState.OTHERWISE)
    ).exclude(
        Exists(
            MoneyRequest.objects.filter(
                refund=OuterRef("pk"), state=MoneyRequestState.DONE
            ).exclude(decided_by=F("asked_by"))
        )
    )
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
    return [
        Breach("P1", f"payment:{row.payment_no}", f"reserved {row.refunded_minor}, refunds differ")
        for row in _RESERVED_OTHERWISE.all()
    ]


def _paid_has_a_time() -> list[Breach]:
    """P2: a received payment has a time, an unpaid one has none."""
    return [
        Breach("P2", f"payment:{row.payment_no}", f"{row.state}, paid {row.paid_at}")
        for row in _WITHOUT_TIME.all()
    ]


def _refunds_of_received_money() -> list[Breach]:
    """P3: only received money goes back."""
    return [
        Breach("P3", f"refund:{row.refund_no}", "its payment was never received")
        for row in _OF_NOTHING.all()
    ]


def _odd_receipts_whole() -> list[Breach]:
    """P4: what arrived otherwise than agreed has amount, currency and merchant, and did arrive."""
    return [
        Breach("P4", f"payment:{row.payment_no}", "what was received is only half known")
        for row in _HALF_KNOWN.all()
    ]


def _external_ended() -> list[Breach]:
    """P5: what others gave back was sent by nobody here, and nobody asks about it."""
    return [
        Breach("P5", f"refund:{row.refund_no}", "is not ours and was sent")
        for row in _EXTERNAL_SENT.all()
    ]


def _disputes_ended() -> list[Breach]:
    """P6: a chargeback ended when it was decided; only a lost one takes the customer's money."""
    return [
        Breach("P6", f"dispute:{row.dispute_ref}", f"{row.state}, ended {row.ended_at}")
        for row in _DISPUTES_HALF_ENDED.all()
    ]


def _goodwill_by_two() -> list[Breach]:
    """P7: every goodwill refund and every payment by other means was confirmed by a second."""
    return [
        Breach("P7", f"refund:{row.refund_no}", "was confirmed by nobody") for row in _BY_ONE.all()
    ]
