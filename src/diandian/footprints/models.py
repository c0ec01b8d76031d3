"""Saved estimates of visits, a scene's inventory by versions, and who claims which line of either.

A line has one owner, the guest or the organiser; a split line has two parts, each with one owner.
*Source:* methodology, section 10.
"""

from django.db import models
from django.db.models import F, Q

from diandian.footprints import rules
from diandian.scenes.models import Scene


class Footprint(models.Model):
    """A guest's answers and the estimate made of them; reachable only by its secret token.

    Whose the travel is (``organiser_pct``) is fixed when it is saved; ``host_g`` are the
    organiser's grams of it, what is left is the guest's.
    """

    token = models.CharField(max_length=32, unique=True)
    scene = models.ForeignKey(Scene, models.PROTECT, related_name="footprints")
    answers = models.JSONField()
    estimate = models.JSONField()
    mass_g = models.BigIntegerField()
    low_g = models.BigIntegerField()
    high_g = models.BigIntegerField()
    # The version of the scene's facts that it was computed with.
    scene_version = models.PositiveIntegerField(default=1)
    organiser_pct = models.PositiveSmallIntegerField(default=0)
    host_g = models.BigIntegerField(default=0)
    # Lines that the guest counted in another scene first: its address by line; not sold here.
    elsewhere = models.JSONField(default=dict, blank=True)
    elsewhere_g = models.BigIntegerField(default=0)
    poster_mark = models.CharField(max_length=8, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(mass_g__gte=0), name="footprint_not_negative"),
            models.CheckConstraint(
                condition=Q(
                    host_g__gte=0,
                    elsewhere_g__gte=0,
                    host_g__lte=F("mass_g") - F("elsewhere_g"),
                    organiser_pct__lte=rules.ALL_PCT,
                ),
                name="footprint_parts_fit",
            ),
        ]

    def __str__(self) -> str:
        return f"footprint {self.id}"

    @property
    def guest_g(self) -> int:
        """Return the grams that the guest answers for here."""
        return self.mass_g - self.host_g - self.elsewhere_g

    @property
    def guest_high_g(self) -> int:
        """Return the guest's share of the upper end, rounded up to a gram."""
        if self.guest_g == self.mass_g:
            return self.high_g
        return -(-self.high_g * self.guest_g // self.mass_g)

    @property
    def is_hosts(self) -> bool:
        """Tell whether the organiser answers for all of the travel: the guest buys nothing."""
        return self.organiser_pct == rules.ALL_PCT


class Part(models.TextChoices):
    """Whose part of a line."""

    GUEST = "guest"
    HOST = "host"


class Claimant(models.TextChoices):
    """Who claims: the guest who pays, the organiser who covers, or a sponsor of either.

    A reference claims for a visit to another scene, where the same activity was counted first.
    """

    GUEST = "guest"
    HOST = "host"
    SPONSOR = "sponsor"
    REFERENCE = "reference"


class LineClaim(models.Model):
    """A part of a line of a footprint has at most one claimant: one gram, one claimant.

    It stands from the hold of the claimant's order; when the order ends unretired it goes.
    """

    footprint = models.ForeignKey(Footprint, models.PROTECT, related_name="claims")
    line_key = models.CharField(max_length=60)
    part = models.CharField(max_length=5, choices=Part, default=Part.GUEST)
    claimant_kind = models.CharField(max_length=9, choices=Claimant, default=Claimant.GUEST)
    claimant_ref = models.CharField(max_length=80)
    mass_g = models.BigIntegerField()
    claimed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["footprint", "line_key", "part"], name="line_part_claimed_once"
            ),
            models.CheckConstraint(condition=Q(mass_g__gte=0), name="claim_not_negative"),
        ]
        indexes = [
            # Guests' claims are found by their footprint; these few by their order.
            models.Index(
                fields=["claimant_ref"], condition=~Q(claimant_kind="guest"), name="claim_of_cover"
            )
        ]

    def __str__(self) -> str:
        return f"{self.footprint_id} {self.line_key} {self.part}"


class InventoryVersion(models.Model):
    """An organiser's inventory of a scene as computed lines, each with its owner.

    ``document``: see ``rules.inventory_document``. ``mass_g``: the organiser's lines. The open one
    is written anew until it is closed; what is closed stays, a correction is the next version.
    ``work``: see ``worksheet.Worksheet``; empty where a document came without one. ``revision``:
    how often it was written, so that nobody overwrites what they have not seen.
    """

    scene = models.ForeignKey(Scene, models.PROTECT, related_name="inventory_versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    work = models.JSONField(default=dict, blank=True)
    revision = models.PositiveIntegerField(default=0)
    mass_g = models.BigIntegerField()
    high_g = models.BigIntegerField()
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["scene", "number"]
        constraints = [
            models.UniqueConstraint(fields=["scene", "number"], name="inventory_number_once"),
            models.UniqueConstraint(
                fields=["scene"], condition=Q(closed_at=None), name="inventory_one_open"
            ),
            models.CheckConstraint(
                condition=Q(mass_g__gte=0, high_g__gte=F("mass_g")), name="inventory_mass_fits"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scene_id} v{self.number}"


class SiteClaim(models.Model):
    """Grams of a line of a scene's inventory: a run that begins where the one before it ends.

    The key is the scene and the line, not the version: what was claimed of a line stays claimed
    when a later version counts the line anew.
    """

    scene = models.ForeignKey(Scene, models.PROTECT, related_name="site_claims")
    version = models.ForeignKey(InventoryVersion, models.PROTECT, related_name="claims")
    line_key = models.CharField(max_length=120)
    start_g = models.BigIntegerField()
    mass_g = models.BigIntegerField()
    claimant_kind = models.CharField(max_length=9, choices=Claimant, default=Claimant.HOST)
    claimant_ref = models.CharField(max_length=80, db_index=True)
    claimed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scene", "line_key", "start_g"], name="site_gram_claimed_once"
            ),
            models.CheckConstraint(
                condition=Q(start_g__gte=0, mass_g__gt=0), name="site_claim_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scene_id} {self.line_key} {self.start_g}+{self.mass_g}"


class Evidence(models.Model):
    """A file that shows a number of a scene's inventory; its bytes lie below the data folder.

    ``digest``: its SHA-256. Erasing takes bytes and name away; the digest stays, since closed
    inventories name it.
    """

    scene = models.ForeignKey(Scene, models.PROTECT, related_name="evidence")
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=5)
    size_bytes = models.PositiveIntegerField()
    stored_path = models.CharField(max_length=120)
    added_by_ref = models.CharField(max_length=40)
    added_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["scene", "digest"], name="evidence_once"),
        ]

    def __str__(self) -> str:
        return f"{self.scene_id} {self.digest[:12]}"
