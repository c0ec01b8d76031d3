"""The stretches of a batch, the chain of their used ranges, and what is set aside of them."""

from django.db import models
from django.db.models import F, Q

from diandian.registry.models.batches import CreditBatch
from diandian.registry.models.retirements import Retirement

# A lane's addresses in one number line: lane id * 2^40 + gram. 2^40 g = 1.09 million tonnes a lane.
LANE_STRIDE = 2**40


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

    # That lane and retirement are there is asked once a statement, by guards (config).
    lane = models.ForeignKey(Lane, models.PROTECT, related_name="allocations", db_constraint=False)
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
        Retirement,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="allocations",
        db_constraint=False,
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
