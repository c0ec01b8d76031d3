"""What an outside registry issued, and what it has retired for us."""

from django.db import models
from django.db.models import F, Q

from diandian.registry.models.catalogue import Programme, Project
from diandian.registry.models.sites import ProjectSite


class SerialBlock(models.Model):
    """An issued run of serial numbers, ends included; blocks of a prefix never overlap (R4)."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="serial_blocks")
    prefix = models.CharField(max_length=120)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    raw = models.CharField(max_length=300)
    # The form in which ``raw`` is written; a programme may take up another one later.
    numbering = models.CharField(max_length=20, default="generic")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(first__gt=0) & Q(last__gte=F("first")), name="serial_block_order"
            ),
            models.UniqueConstraint(
                fields=["programme", "prefix", "first"], name="serial_block_once"
            ),
        ]

    def __str__(self) -> str:
        return self.raw


class BatchState(models.TextChoices):
    """Whether the batch may serve retirements; recalled is for ever."""

    DRAFT = "draft"
    OPEN = "open"
    FROZEN = "frozen"
    EXHAUSTED = "exhausted"
    CLOSED = "closed"
    RECALLED = "recalled"


class Custody(models.TextChoices):
    """Who keeps the outside account of the batch."""

    NATIVE = "native"
    EXTERNAL = "external"


class CreditClass(models.TextChoices):
    """What a credit is, in the order in which Chinese events are told to prefer them."""

    ALLOWANCE = "allowance"
    CCER = "ccer"
    PUHUI = "puhui"
    OTHER = "other"


class AdjustmentDeclaration(models.TextChoices):
    """What the host country said about a corresponding adjustment; words as in CAD Trust."""

    COMMITTED = "committed"
    NOT_REQUIRED = "not_required"
    UNKNOWN = "unknown"


class AdjustmentStatus(models.TextChoices):
    """How far a corresponding adjustment is; words as in CAD Trust."""

    NOT_STARTED = "not_started"
    PENDING = "pending"
    COMPLETED = "completed"


class CreditBatch(models.Model):
    """One issuance with one serial range."""

    public_id = models.CharField(max_length=40, unique=True)
    project = models.ForeignKey(Project, models.PROTECT, related_name="batches")
    serial_block = models.OneToOneField(SerialBlock, models.PROTECT, related_name="batch")
    vintage_year = models.PositiveSmallIntegerField()
    period_start = models.DateField()
    period_end = models.DateField()
    custody = models.CharField(max_length=10, choices=Custody)
    total_g = models.BigIntegerField()
    buffer_g = models.BigIntegerField(default=0)
    # Only verified tonnes may serve; an ex-ante batch counts zero (ISO 14068-1, 11.2 as read).
    is_ex_ante = models.BooleanField(default=False)
    verified_by = models.CharField(max_length=120, blank=True)
    verified_on = models.DateField(null=True, blank=True)
    verification_ref = models.CharField(max_length=120, blank=True)
    # What the report verified for the period, in all blocks together; null: not stated.
    verified_g = models.BigIntegerField(null=True, blank=True)
    evidence_sha256 = models.CharField(max_length=64, blank=True)
    site = models.ForeignKey(
        ProjectSite, models.PROTECT, null=True, blank=True, related_name="batches"
    )
    credit_class = models.CharField(max_length=10, choices=CreditClass, default=CreditClass.OTHER)
    recognition_evidence = models.CharField(max_length=300, blank=True)
    recognised_on = models.DateField(null=True, blank=True)
    recognition_sha256 = models.CharField(max_length=64, blank=True)
    adjustment_declaration = models.CharField(
        max_length=12, choices=AdjustmentDeclaration, default=AdjustmentDeclaration.UNKNOWN
    )
    adjustment_status = models.CharField(
        max_length=12, choices=AdjustmentStatus, default=AdjustmentStatus.NOT_STARTED
    )
    adjustment_reference = models.CharField(max_length=200, blank=True)
    adjustment_on = models.DateField(null=True, blank=True)
    ccp_label = models.BooleanField(default=False)
    ccp_reference = models.CharField(max_length=200, blank=True)
    ccp_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=BatchState, default=BatchState.DRAFT)
    source_ref = models.CharField(max_length=120, unique=True)
    is_sample = models.BooleanField(default=False)
    issued_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "credit batches"
        constraints = [
            models.CheckConstraint(condition=Q(total_g__gt=0), name="batch_has_grams"),
            models.CheckConstraint(
                condition=Q(buffer_g__gte=0) & Q(buffer_g__lte=F("total_g")),
                name="batch_buffer_inside",
            ),
            models.CheckConstraint(
                condition=Q(verified_g__isnull=True) | Q(verified_g__gt=0),
                name="batch_verified_grams",
            ),
            models.CheckConstraint(
                condition=Q(ccp_label=False) | (~Q(ccp_reference="") & Q(ccp_on__isnull=False)),
                name="batch_ccp_is_dated",
            ),
            models.CheckConstraint(
                condition=~Q(adjustment_status="completed")
                | (~Q(adjustment_reference="") & Q(adjustment_on__isnull=False)),
                name="batch_adjustment_is_dated",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class UpstreamRetirement(models.Model):
    """Whole tonnes that the outside registry has retired for us, with evidence (R10)."""

    batch = models.ForeignKey(CreditBatch, models.PROTECT, related_name="upstream_retirements")
    first_serial = models.BigIntegerField()
    last_serial = models.BigIntegerField()
    reference = models.CharField(max_length=120)
    registry_url = models.URLField(blank=True)
    retired_at = models.DateTimeField()
    evidence_sha256 = models.CharField(max_length=64)
    is_simulated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(last_serial__gte=F("first_serial")), name="upstream_order"
            ),
            models.UniqueConstraint(fields=["batch", "first_serial"], name="upstream_once"),
        ]

    def __str__(self) -> str:
        return self.reference
