"""Payments, refunds and the inbox of gateway notices; opaque references up to the orders."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from diandian.kernel.money import Money


class PaymentState(models.TextChoices):
    """States of one attempt to pay; their rank never falls (``rules.py``)."""

    CREATED = "created"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    PENDING = "pending"
    FAILED = "failed"
    CLOSED = "closed"
    SUCCEEDED = "succeeded"


OPEN_STATES = ("created", "submitted", "unknown", "pending")


class Payment(models.Model):
    """One attempt to pay an order. ``payment_no`` is ours, made and committed before any call.

    ``received_*``: what arrived, and at which merchant, where that is not what was agreed.
    """

    payment_no = models.CharField(max_length=32, unique=True)
    owner_ref = models.CharField(max_length=80, db_index=True)
    gateway = models.CharField(max_length=20)
    mode = models.CharField(max_length=8, default="test")
    merchant = models.CharField(max_length=80)
    # Who collects and how the supplier is paid, as it was agreed when the payment began.
    settlement = models.CharField(max_length=16, default="connect")
    flow = models.CharField(max_length=20, blank=True, default="")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=PaymentState, default=PaymentState.CREATED)
    instruction = models.JSONField(default=dict)
    gateway_ref = models.CharField(max_length=80, blank=True)
    received_minor = models.BigIntegerField(null=True, blank=True)
    received_currency = models.CharField(max_length=3, blank=True)
    received_merchant = models.CharField(max_length=80, blank=True)
    refunded_minor = models.BigIntegerField(default=0)
    reason = models.CharField(max_length=120, blank=True)
    is_late = models.BooleanField(default=False)
    is_superseded = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    next_query_at = models.DateTimeField(null=True, blank=True)
    query_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_positive"),
            models.CheckConstraint(
                # A check that compares with nothing counts as kept: so nothing is compared with.
                condition=Q(refunded_minor__gte=0)
                & Q(refunded_minor__lte=Coalesce("received_minor", "amount_minor")),
                name="payment_never_over_refunded",
            ),
            models.UniqueConstraint(
                fields=["owner_ref"],
                condition=Q(state__in=OPEN_STATES, is_superseded=False),
                name="payment_one_open_attempt",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_query_at"],
                condition=Q(next_query_at__isnull=False),
                name="payment_to_query",
            ),
            # Some notices name a payment by the gateway's own number alone.
            models.Index(
                fields=["gateway_ref"], condition=Q(gateway_ref__gt=""), name="payment_by_ref"
            ),
            # A day of a gateway is read by when it was paid.
            models.Index(
                fields=["paid_at"], condition=Q(paid_at__isnull=False), name="payment_by_paid_at"
            ),
        ]

    def __str__(self) -> str:
        return self.payment_no

    @property
    def received(self) -> Money:
        """Return what a received payment brought: as agreed, or what the gateway says instead."""
        if self.received_minor is None:
            return Money(self.amount_minor, self.currency)
        return Money(self.received_minor, self.received_currency)

    @property
    def received_by(self) -> str:
        """Return the merchant in whose account a received payment lies."""
        return self.received_merchant or self.merchant


class RefundState(models.TextChoices):
    """States of money on its way back; accepted is not done."""

    REQUESTED = "requested"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABNORMAL = "abnormal"
    # Found no way home through the gateway, and was paid by other means.
    OTHERWISE = "otherwise"


class RefundKind(models.TextChoices):
    """Who gives money back. External: made in the gateway's own console, never by a call of ours.

    Goodwill: after the retirement, at our cost, by two people.
    """

    ORDINARY = "ordinary"
    GOODWILL = "goodwill"
    EXTERNAL = "external"


class Refund(models.Model):
    """Money back to the guest; reserved in ``Payment.refunded_minor`` before any call.

    ``source``: the number of the account that it was booked from; empty in rows from before that
    was kept. ``seen_by``: who said, of an external refund, that it was looked into. ``is_shared``:
    the supplier stands for its part of it, as agreed when it was granted. ``share_waits``: that is
    still to be taken back, since the supplier's part was just moving. ``stated_ref``: of an
    external refund that only a statement told, the gateway's number of it.
    """

    refund_no = models.CharField(max_length=40, unique=True)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    kind = models.CharField(max_length=10, choices=RefundKind, default=RefundKind.ORDINARY)
    source = models.CharField(max_length=4, blank=True, default="")
    amount_minor = models.BigIntegerField()
    reason = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=RefundState, default=RefundState.REQUESTED)
    created_at = models.DateTimeField()
    # When the gateway was last asked to do it; gateways want time between two of one payment.
    sent_at = models.DateTimeField(null=True, blank=True)
    next_query_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.CharField(max_length=80, blank=True, default="")
    is_shared = models.BooleanField(default=False)
    share_waits = models.BooleanField(default=False)
    stated_ref = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_positive"),
            models.UniqueConstraint(
                fields=["payment", "stated_ref"],
                condition=~Q(stated_ref=""),
                name="refund_stated_once",
            ),
            models.CheckConstraint(
                condition=~Q(kind=RefundKind.EXTERNAL)
                | Q(state__in=(RefundState.SUCCEEDED, RefundState.FAILED), sent_at=None),
                name="refund_external_is_never_sent",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(share_waits=True), name="refund_share_waits")
        ]

    def __str__(self) -> str:
        return self.refund_no


class DisputeState(models.TextChoices):
    """Where a chargeback stands; won and lost are final."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Dispute(models.Model):
    """A chargeback, as the gateway told it: the payer's bank takes the money until it is decided.

    ``covered_minor``, ``source``: what of a lost one was still the customer's own money, and on
    which account that lay; the rest is our loss. ``is_odd``: the gateway said something later that
    contradicts what is booked; people look. ``told_state``, ``told_minor``, ``told_currency``: what
    it said, also once they have looked. ``corrections``: how often it was booked anew.
    ``share_waits``: the supplier's share of a lost one is still to be taken back, since the
    supplier's part was just moving.
    """

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="disputes")
    dispute_ref = models.CharField(max_length=80)
    state = models.CharField(max_length=4, choices=DisputeState, default=DisputeState.OPEN)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    fee_minor = models.BigIntegerField(default=0)
    covered_minor = models.BigIntegerField(default=0)
    source = models.CharField(max_length=4, blank=True, default="")
    is_odd = models.BooleanField(default=False)
    told_state = models.CharField(max_length=4, blank=True, default="")
    told_minor = models.BigIntegerField(default=0)
    told_currency = models.CharField(max_length=3, blank=True, default="")
    corrections = models.PositiveSmallIntegerField(default=0)
    share_waits = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["payment", "dispute_ref"], name="dispute_once"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, fee_minor__gte=0, covered_minor__gte=0)
                & Q(covered_minor__lte=models.F("amount_minor")),
                name="dispute_adds_up",
            ),
        ]
        # Looked for every few seconds; there is hardly ever one.
        indexes = [
            models.Index(fields=["id"], condition=Q(share_waits=True), name="dispute_share_waits")
        ]

    def __str__(self) -> str:
        return self.dispute_ref

    @property
    def seen(self) -> str:
        """Return what people look at: how often it was corrected, and what is told against it."""
        return f"{self.corrections}:{self.told_state}:{self.told_minor}:{self.told_currency}"

    def step(self, name: str) -> str:
        """Return a step of it as it is booked: each correction books all of them anew."""
        return f"{name}:{self.corrections + 1}" if self.corrections else name


class MoneyRequestKind(models.TextChoices):
    """What nobody decides alone about money.

    Goodwill: a refund after the retirement. Otherwise: that an abnormal refund was paid by other
    means.
    """

    GOODWILL = "goodwill"
    OTHERWISE = "otherwise"


class MoneyRequestState(models.TextChoices):
    """What became of a request: only a second person makes it done."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


class MoneyRequest(models.Model):
    """What one person asks for and another one decides. ``refund``: the one it is about, or made.

    ``evidence``: where it can be read that the money was paid by other means.
    """

    kind = models.CharField(max_length=10, choices=MoneyRequestKind)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="money_requests")
    refund = models.ForeignKey(
        Refund, models.PROTECT, null=True, blank=True, related_name="money_requests"
    )
    amount_minor = models.BigIntegerField()
    reason = models.CharField(max_length=300)
    evidence = models.CharField(max_length=300, blank=True)
    state = models.CharField(
        max_length=8, choices=MoneyRequestState, default=MoneyRequestState.WAITING
    )
    asked_by = models.CharField(max_length=80)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="money_request_has_an_amount"
            ),
            models.CheckConstraint(
                condition=~Q(state=MoneyRequestState.DONE) | ~Q(decided_by=models.F("asked_by")),
                name="money_request_by_two",
            ),
            models.UniqueConstraint(
                fields=["payment", "kind"],
                condition=Q(state=MoneyRequestState.WAITING),
                name="money_request_one_waits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.payment_id}"


class NoticeState(models.TextChoices):
    """What became of a verified notice."""

    VERIFIED = "verified"
    APPLIED = "applied"
    PARKED = "parked"
    DEAD = "dead"


class Notification(models.Model):
    """The inbox: a verified notice is kept once, whatever happens next; no payer data."""

    gateway = models.CharField(max_length=20)
    merchant = models.CharField(max_length=80)
    notice_id = models.CharField(max_length=80)
    kind = models.CharField(max_length=40)
    payment_no = models.CharField(max_length=32, blank=True, db_index=True)
    # Where a notice names its payment by the gateway's own number alone.
    gateway_ref = models.CharField(max_length=80, blank=True)
    refund_no = models.CharField(max_length=40, blank=True)
    body_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=NoticeState, default=NoticeState.VERIFIED)
    attempts = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["gateway", "merchant", "notice_id"], name="notice_once")
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.notice_id}"


class RefusedNotices(models.Model):
    """How many notices were not believed: a count for each merchant, reason and day, no more."""

    gateway = models.CharField(max_length=20)
    # The merchant's key in the file, which its address for notices ends in.
    merchant_key = models.CharField(max_length=40)
    reason = models.CharField(max_length=20)
    day = models.DateField()
    count = models.BigIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        ordering = ["day", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "gateway", "merchant_key", "reason"], name="refused_notices_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.gateway} {self.merchant_key} {self.reason}"
