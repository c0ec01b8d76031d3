"""What an outside registry issued, and what it has retired for us."""

from django.db import models
from django.db.models import F, Q

from diandian.registry.models.catalogue import Programme, Project


class SerialBlock(models.Model):
    """An issued run of serial numbers, ends included; blocks of a prefix never overlap (R4)."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="serial_blocks")
    prefix = models.CharField(max_length=120)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    raw = models.CharField(max_length=300)

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
    """Whether the batch may serve retirements."""

    DRAFT = "draft"
    OPEN = "open"
    FROZEN = "frozen"
    EXHAUSTED = "exhausted"
    CLOSED = "closed"


class Custody(models.TextChoices):
    """Who keeps the outside account of the batch."""

    NATIVE = "native"
    EXTERNAL = "external"


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
    recognition_evidence = models.CharField(max_length=300, blank=True)
    corresponding_adjustment = models.CharField(max_length=40, default="none")
    state = models.CharField(max_length=10, choices=BatchState, default=BatchState.DRAFT)
    source_ref = models.CharField(max_length=120, unique=True)
    is_sample = models.BooleanField(default=False)
    issued_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(total_g__gt=0), name="batch_has_grams"),
            models.CheckConstraint(
                condition=Q(buffer_g__gte=0) & Q(buffer_g__lte=F("total_g")),
                name="batch_buffer_inside",
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
