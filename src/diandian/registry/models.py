"""The book of credits: batches of serial-numbered tonnes, and which of their grams are used.

Grams of a batch have addresses 0 .. total_g; gram g lies in serial ``first + g // 1_000_000``.
The chain key makes a second use of any gram impossible in the database itself: a range begins only
where exactly one existing range of its lane ends, and each end is continued at most once.
*Source:* design of the registry, sections 2 and 3 (R1 to R8).
"""

from django.db import models
from django.db.models import F, Q

GRAMS_PER_CREDIT = 1_000_000
# A lane's addresses in one number line: lane id * 2^40 + gram. 2^40 g = 1.09 million tonnes a lane.
LANE_STRIDE = 2**40


class Programme(models.Model):
    """Who issues the credits and by which numbering."""

    code = models.CharField(max_length=20, unique=True)
    names = models.JSONField()
    level = models.CharField(max_length=20)
    serial_parser = models.CharField(max_length=20, default="generic")
    retires_whole_units = models.BooleanField(default=True)
    registry_url = models.URLField(blank=True)
    is_simulated = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.code


class Project(models.Model):
    """Where the reductions come from. Texts are {"zh-Hans": .., "en": .., "nl": ..}."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="projects")
    code = models.SlugField(max_length=40, unique=True)
    names = models.JSONField()
    category_names = models.JSONField()
    place_names = models.JSONField()
    descriptions = models.JSONField()
    supplier_names = models.JSONField()
    supplier_ref = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    methodology_code = models.CharField(max_length=60)
    country = models.CharField(max_length=2)
    region = models.CharField(max_length=10)
    latitude = models.DecimalField(max_digits=9, decimal_places=6)
    longitude = models.DecimalField(max_digits=9, decimal_places=6)
    is_active = models.BooleanField(default=True)
    is_sample = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.code


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


class LaneKind(models.TextChoices):
    """What the grams of a lane are for."""

    SALE = "sale"
    BUFFER = "buffer"


class Lane(models.Model):
    """A stretch ``[lo, hi)`` of a batch, used from ``lo`` upwards; ``cursor`` is the next gram.

    ``held_g`` grams beyond the cursor are promised to open orders: cursor + held_g never passes hi.
    """

    batch = models.ForeignKey(CreditBatch, models.PROTECT, related_name="lanes")
    kind = models.CharField(max_length=8, choices=LaneKind, default=LaneKind.SALE)
    lo = models.BigIntegerField()
    hi = models.BigIntegerField()
    cursor = models.BigIntegerField()
    held_g = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(lo__gte=0) & Q(hi__gt=F("lo")), name="lane_order"),
            models.CheckConstraint(condition=Q(hi__lt=LANE_STRIDE), name="lane_fits_its_stride"),
            models.CheckConstraint(
                condition=Q(cursor__gte=F("lo")) & Q(cursor__lte=F("hi")), name="lane_cursor_inside"
            ),
            models.CheckConstraint(
                condition=Q(held_g__gte=0) & Q(held_g__lte=F("hi") - F("cursor")),
                name="lane_never_oversold",
            ),
            models.UniqueConstraint(fields=["batch", "lo"], name="lane_start_once"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}[{self.lo},{self.hi})"


class Retirement(models.Model):
    """Grams used for a claim, for ever; the name stands in ``Beneficiary``, its commitment here.

    ``vintage_year`` is the oldest among its ranges; each range names its own batch.
    """

    public_id = models.CharField(max_length=32, unique=True)
    source_ref = models.CharField(max_length=80, unique=True)
    project = models.ForeignKey(Project, models.PROTECT, related_name="retirements")
    mass_g = models.BigIntegerField()
    vintage_year = models.PositiveSmallIntegerField()
    subject_commit = models.CharField(max_length=64)
    purpose = models.CharField(max_length=30)
    context_ref = models.CharField(max_length=80, blank=True)
    holder_kind = models.CharField(max_length=12, default="person")
    claim_from = models.DateField(null=True, blank=True)
    claim_to = models.DateField(null=True, blank=True)
    replaces = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by"
    )
    is_sample = models.BooleanField(default=False)
    retired_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(mass_g__gt=0), name="retirement_has_grams")
        ]
        indexes = [
            models.Index(fields=["project", "-id"], name="retirement_by_project"),
            models.Index(fields=["context_ref", "-id"], name="retirement_by_context"),
        ]

    def __str__(self) -> str:
        return self.public_id


class Beneficiary(models.Model):
    """In whose name a retirement stands, the only place with a name; erasing it keeps the proof."""

    retirement = models.OneToOneField(
        Retirement, models.PROTECT, primary_key=True, related_name="beneficiary"
    )
    salt = models.CharField(max_length=64)
    subject = models.JSONField(null=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "beneficiaries"

    def __str__(self) -> str:
        return f"beneficiary of {self.retirement_id}"


class AllocationKind(models.TextChoices):
    """What a range of grams was used for."""

    GENESIS = "genesis"
    RETIRE = "retire"
    CANCEL = "cancel"
    REVERSAL = "reversal"


class Allocation(models.Model):
    """A used range ``[start_g, end_g)`` of a lane, chained to the one before it.

    ``end_key`` = lane * 2^40 + end_g is unique; ``start_key`` is a one-to-one reference to the
    ``end_key`` where the range begins. Append-only.
    """

    lane = models.ForeignKey(Lane, models.PROTECT, related_name="allocations")
    kind = models.CharField(max_length=10, choices=AllocationKind)
    start_g = models.BigIntegerField()
    end_g = models.BigIntegerField()
    end_key = models.BigIntegerField(unique=True)
    start_key = models.OneToOneField(
        "self",
        models.PROTECT,
        to_field="end_key",
        db_column="start_key",
        null=True,
        related_name="continued_by",
    )
    retirement = models.ForeignKey(
        Retirement, models.PROTECT, null=True, blank=True, related_name="allocations"
    )
    source_ref = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end_key=F("lane_id") * LANE_STRIDE + F("end_g")),
                name="allocation_end_key",
            ),
            models.CheckConstraint(
                condition=Q(start_key__isnull=True)
                | Q(start_key=F("lane_id") * LANE_STRIDE + F("start_g")),
                name="allocation_start_key",
            ),
            models.CheckConstraint(
                # Beyond the stride a key would fall into the next lane's part of the number line.
                condition=Q(start_g__gte=0) & Q(end_g__gte=0) & Q(end_g__lt=LANE_STRIDE),
                name="allocation_fits_its_stride",
            ),
            models.CheckConstraint(
                condition=(
                    Q(
                        kind="genesis",
                        start_key__isnull=True,
                        start_g=F("end_g"),
                        retirement__isnull=True,
                    )
                    | (~Q(kind="genesis") & Q(start_key__isnull=False, start_g__lt=F("end_g")))
                ),
                name="allocation_genesis_or_link",
            ),
            models.CheckConstraint(
                condition=~Q(kind="retire") | Q(retirement__isnull=False),
                name="allocation_retire_has_retirement",
            ),
            models.UniqueConstraint(
                fields=["lane"], condition=Q(start_key__isnull=True), name="one_genesis_per_lane"
            ),
            models.UniqueConstraint(
                fields=["source_ref", "lane"],
                condition=~Q(source_ref=""),
                name="allocation_once_per_source",
            ),
        ]
        indexes = [
            # Cancellations are few: what is not one of them was retired.
            models.Index(fields=["lane"], condition=Q(kind="cancel"), name="allocation_cancelled")
        ]

    def __str__(self) -> str:
        return f"{self.lane_id}[{self.start_g},{self.end_g})"


class HoldState(models.TextChoices):
    """A hold ends used or released, once."""

    ACTIVE = "active"
    COMMITTED = "committed"
    USED = "used"
    RELEASED = "released"


class Holding(models.Model):
    """Grams of a lane set aside for an order; in ``Lane.held_g`` while active or committed."""

    lane = models.ForeignKey(Lane, models.PROTECT, related_name="holdings")
    owner_ref = models.CharField(max_length=80)
    mass_g = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=HoldState, default=HoldState.ACTIVE)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(mass_g__gt=0), name="holding_has_grams"),
            models.UniqueConstraint(fields=["owner_ref", "lane"], name="holding_once_per_lane"),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=Q(state="active"), name="holding_active_until"
            )
        ]

    def __str__(self) -> str:
        return f"{self.owner_ref} {self.mass_g} g"
