"""Parts that suppliers are owed, how they travel, what comes back of them, and payouts."""

from django.db import models
from django.db.models import F, Q

from diandian.kernel.money import Money


class Rail(models.TextChoices):
    """By which way the money travels: the gateway divides the payment, or a bank transfers."""

    GATEWAY = "gateway"
    BANK = "bank"


class LineKind(models.TextChoices):
    """Why a supplier is owed something, or owes: a claim is taken off its next payout."""

    SALE = "sale"
    COMPLETION = "completion"
    REMEDY = "remedy"
    CLAIM = "claim"
    # Money back that was our cost and left the account of a supplier who collects.
    ADVANCE = "advance"
    # Our fee, claimed by bank, that goes back to a supplier who collects.
    FEE_BACK = "fee_back"
    # What a supplier gave for a refund that did not happen.
    GIVEN_BACK = "given_back"
    # What was claimed of a part already, and its payout never reached the supplier.
    AGAIN = "again"


class LineState(models.TextChoices):
    """Where a part of a supplier stands; accepted is not paid, and unknown is not failed."""

    WAITING = "waiting"
    DUE = "due"
    QUEUED = "queued"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    PAID = "paid"
    FAILED = "failed"
    REVERSING = "reversing"
    REVERSED = "reversed"


# On their way: nobody else takes them up, and no batch lets go of them.
MOVING = ("queued", "submitted", "unknown", "reversing")


class RestState(models.TextChoices):
    """What a gateway holds of a payment of which nothing is divided; empty: nothing, or not known.

    Held: it is told that nothing will be. Refused: it did not take that; it lets go by itself.
    """

    HELD = "held"
    RELEASED = "released"
    REFUSED = "refused"


UNPAID = ("waiting", "due", "queued", "submitted", "unknown", "failed")


class BatchState(models.TextChoices):
    """Where a payout of many lines stands; who locks and who approves are two people."""

    DRAFT = "draft"
    LOCKED = "locked"
    APPROVED = "approved"
    SUBMITTED = "submitted"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    RECONCILED = "reconciled"
    CANCELLED = "cancelled"


class Batch(models.Model):
    """A payout, or a statement of what a gateway paid out: one supplier, one currency, one rail.

    ``payee`` and ``statement``: frozen copies, from the lock on. ``digest``: of the statement.
    ``net_minor``: what is paid, claims taken off.
    """

    number = models.CharField(max_length=32, unique=True)
    supplier_ref = models.CharField(max_length=60, db_index=True)
    currency = models.CharField(max_length=3)
    rail = models.CharField(max_length=8, choices=Rail)
    state = models.CharField(max_length=12, choices=BatchState, default=BatchState.DRAFT)
    payee = models.JSONField(default=dict)
    net_minor = models.BigIntegerField(default=0)
    statement = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    drafted_by = models.CharField(max_length=80)
    drafted_at = models.DateTimeField()
    locked_by = models.CharField(max_length=80, blank=True)
    locked_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.CharField(max_length=80, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    bank_ref = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by="")
                | (~Q(approved_by=F("locked_by")) & ~Q(approved_by=F("drafted_by"))),
                name="batch_by_two",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("draft", "cancelled")) | ~Q(digest=""),
                name="batch_locked_is_sealed",
            ),
            models.UniqueConstraint(
                fields=["supplier_ref", "currency", "rail"],
                condition=Q(state="draft"),
                name="batch_one_draft",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def net(self) -> Money:
        """Return what is paid."""
        return Money(self.net_minor, self.currency)


class Line(models.Model):
    """A supplier's part of one sale, or of a completed tonne, a remedy or a claim.

    ``source_ref``: the journal that it comes from, so that it is made once. ``supplier_minor`` is
    less than nothing for a claim. ``refunded_minor``: of the gross, what its guest got back;
    ``returned_minor``: of what the gateway or bank moves, what is not moved or came back for that.
    ``settlement``: who collected, as the payment says; "" where there is no payment. ``rest``: of
    one without a leg, where what its gateway held for legs stands.
    """

    source_ref = models.CharField(max_length=120, unique=True)
    owner_ref = models.CharField(max_length=80, db_index=True)
    kind = models.CharField(max_length=10, choices=LineKind)
    supplier_ref = models.CharField(max_length=60)
    project_code = models.CharField(max_length=40, blank=True)
    payment_no = models.CharField(max_length=32, blank=True, db_index=True)
    gateway = models.CharField(max_length=20, blank=True)
    settlement = models.CharField(max_length=16, blank=True)
    rail = models.CharField(max_length=8, choices=Rail)
    currency = models.CharField(max_length=3)
    gross_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(default=0)
    vat_minor = models.BigIntegerField(default=0)
    supplier_minor = models.BigIntegerField()
    refunded_minor = models.BigIntegerField(default=0)
    returned_minor = models.BigIntegerField(default=0)
    mass_g = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=LineState, default=LineState.WAITING)
    waits_for = models.CharField(max_length=20, blank=True)
    booked_on = models.DateField()
    due_from = models.DateTimeField()
    next_look_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    rest = models.CharField(max_length=8, choices=RestState, blank=True, default="")
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, blank=True, related_name="lines")
    disputed_at = models.DateTimeField(null=True, blank=True)
    disputed_by = models.CharField(max_length=80, blank=True)
    dispute_note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(gross_minor=F("supplier_minor") + F("fee_minor")),
                name="line_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(kind="claim", supplier_minor__lt=0)
                | (~Q(kind="claim") & Q(supplier_minor__gt=0)),
                name="line_claims_are_negative",
            ),
            # Of one order only one sale is ever settled.
            models.UniqueConstraint(
                fields=["owner_ref"], condition=Q(kind="sale"), name="line_once_per_order"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_look_at"],
                condition=Q(next_look_at__isnull=False),
                name="line_to_look_at",
            ),
            models.Index(fields=["project_code", "paid_at"], name="line_by_project"),
            models.Index(fields=["supplier_ref", "state"], name="line_by_supplier"),
        ]

    def __str__(self) -> str:
        return self.source_ref

    @property
    def gross(self) -> Money:
        """Return what the guest paid."""
        return Money(self.gross_minor, self.currency)

    @property
    def fee(self) -> Money:
        """Return our fee, its tax within."""
        return Money(self.fee_minor, self.currency)

    @property
    def supplier(self) -> Money:
        """Return the supplier's part."""
        return Money(self.supplier_minor, self.currency)

    @property
    def is_fee_leg(self) -> bool:
        """Tell whether the gateway divides off our fee, because the supplier collected."""
        return self.settlement == "gateway_split"

    @property
    def leg(self) -> Money:
        """Return what is moved: the supplier's part, or our fee; less what guests got back."""
        whole = self.fee if self.is_fee_leg else self.supplier
        return whole - Money(self.returned_minor, self.currency)

    @property
    def reached(self) -> Money:
        """Return what the supplier has, or will have, of the gross."""
        if self.is_fee_leg:
            back = self.refunded_minor - self.returned_minor
            return Money(self.supplier_minor - back, self.currency)
        return self.leg


class SplitState(models.TextChoices):
    """One order to a gateway to divide a payment; a failed one is followed by another number."""

    QUEUED = "queued"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    PAID = "paid"
    FAILED = "failed"


class Split(models.Model):
    """One leg of one payment; both numbers are committed before the gateway hears of them.

    ``sent_at``: when its newest sending began, committed before the gateway hears of that.
    """

    split_no = models.CharField(max_length=40, unique=True)
    leg_no = models.CharField(max_length=40, unique=True)
    line = models.ForeignKey(Line, models.PROTECT, related_name="splits")
    receiver = models.CharField(max_length=120)
    amount_minor = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=SplitState, default=SplitState.QUEUED)
    leg_ref = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="split_positive"),
            models.UniqueConstraint(
                fields=["line"], condition=~Q(state="failed"), name="split_one_living"
            ),
        ]
        # A day of a gateway is read by when its legs were made.
        indexes = [models.Index(fields=["created_at"], name="split_by_age")]

    def __str__(self) -> str:
        return self.split_no


class ReturnWay(models.TextChoices):
    """How a part follows a refund: not paid at all, taken back, or claimed from the supplier.

    Owed: our fee that was claimed by bank goes back to the supplier by bank.
    """

    FORGONE = "forgone"
    REVERSED = "reversed"
    CLAIMED = "claimed"
    OWED = "owed"


class Return(models.Model):
    """What a refund takes from one line, once per refund. ``amount_minor``: of the line's leg.

    ``refund_minor``: of the gross, what the guest gets. ``cause``: goodwill or dispute. The number
    is committed before a gateway hears of it. ``given_back_at``: since when its refund does not
    happen; what came back is settled with the supplier by bank.
    """

    return_no = models.CharField(max_length=48, unique=True)
    line = models.ForeignKey(Line, models.PROTECT, related_name="returns")
    split = models.ForeignKey(Split, models.PROTECT, null=True, blank=True, related_name="returns")
    way = models.CharField(max_length=8, choices=ReturnWay)
    amount_minor = models.BigIntegerField()
    refund_minor = models.BigIntegerField()
    cause = models.CharField(max_length=10)
    state = models.CharField(max_length=10, choices=SplitState, default=SplitState.QUEUED)
    reason = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    given_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0, refund_minor__gt=0), name="return_positive"
            ),
            models.CheckConstraint(
                condition=~Q(way="reversed") | Q(split__isnull=False), name="return_of_a_split"
            ),
        ]

    def __str__(self) -> str:
        return self.return_no

    @property
    def amount(self) -> Money:
        """Return what of the line's leg is to come back."""
        return Money(self.amount_minor, self.line.currency)


class BatchFile(models.Model):
    """An export of an approved batch for a bank; from the second on it says that it is a copy."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="files")
    copy_number = models.PositiveIntegerField()
    form = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    exported_by = models.CharField(max_length=80)
    exported_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "copy_number"], name="batch_file_once")
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.copy_number}"
