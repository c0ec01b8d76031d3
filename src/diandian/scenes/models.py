"""Scenes: an event or a venue with its QR code, its boundary and what its host already covers."""

from datetime import date

from django.db import models


class SceneState(models.TextChoices):
    """Whether guests can open the scene; a submitted one waits for the operator."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class TravelOwner(models.TextChoices):
    """Who owns the guests' travel and stay; fixed before the scene opens."""

    GUEST = "guest"
    ORGANISER = "organiser"
    SPLIT = "split"


class CoverState(models.TextChoices):
    """What of the guests' own lines the organiser has claimed: nothing, some, or all for good."""

    NONE = "", "none"
    SOME = "some"
    ALL = "all"


class Sponsoring(models.TextChoices):
    """What companies may take over in a scene, as its host opened it; nothing at first."""

    NONE = "", "none"
    # Was open once, so that pages know where to look for sponsors.
    CLOSED = "closed"
    GUESTS = "guests"
    REST = "rest"
    BOTH = "both"


class ClaimStyle(models.TextChoices):
    """Which words may be used; the rules behind it live in ``claims``."""

    COMPENSATION = "compensation"
    CONTRIBUTION = "contribution"


class Scene(models.Model):
    """One event (with dates) or venue (without an end).

    ``names`` and the other texts are {"zh-Hans": .., "en": .., "nl": ..}. ``place_key`` is the city
    in the calculator's table; latitude and longitude are those of the site, in degrees.
    """

    slug = models.SlugField(max_length=40, unique=True)
    # Whose people may change it ("organisation:7"); empty for the operator's own scenes.
    organisation_ref = models.CharField(max_length=40, blank=True, default="", db_index=True)
    kind = models.CharField(max_length=40, db_index=True)
    state = models.CharField(max_length=12, choices=SceneState, default=SceneState.DRAFT)
    names = models.JSONField()
    host_names = models.JSONField()
    venue_names = models.JSONField()
    place_key = models.CharField(max_length=60)
    city_names = models.JSONField()
    country = models.CharField(max_length=2)
    region = models.CharField(max_length=10)
    latitude = models.DecimalField(max_digits=9, decimal_places=6)
    longitude = models.DecimalField(max_digits=9, decimal_places=6)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    expected_guests = models.PositiveIntegerField(default=0)
    # The host's own estimate of the whole boundary; 0 = not stated.
    stated_total_g = models.BigIntegerField(default=0)
    factor_set = models.CharField(max_length=20)
    method_version = models.CharField(max_length=10, default="m1")
    with_non_co2 = models.BooleanField(default=True)
    travel_owner = models.CharField(max_length=12, choices=TravelOwner, default=TravelOwner.GUEST)
    # The organiser's part of a split, in per cent; 0 where nothing is split.
    travel_organiser_pct = models.PositiveSmallIntegerField(default=0)
    # Kept here so that a guest's purchase learns of a cover without a statement of its own.
    cover_state = models.CharField(
        max_length=4, choices=CoverState, default=CoverState.NONE, blank=True
    )
    cover_ref = models.CharField(max_length=80, blank=True, default="")
    # The scene it takes place in, such as its hotel, and the sources that are counted there.
    inside = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="scenes_inside"
    )
    inside_sources = models.JSONField(default=list, blank=True)
    sponsoring = models.CharField(
        max_length=6, choices=Sponsoring, default=Sponsoring.NONE, blank=True
    )
    # The secret address at which a company sponsors without signing in; "" while nobody may.
    sponsor_token = models.CharField(max_length=32, blank=True, default="")
    claim_style = models.CharField(
        max_length=14, choices=ClaimStyle, default=ClaimStyle.CONTRIBUTION
    )
    audience = models.CharField(max_length=12, default="unknown")
    is_sample = models.BooleanField(default=False)
    search_text = models.TextField(blank=True)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    # The secret address at which a scene can be looked at before guests may.
    test_token = models.CharField(max_length=32, blank=True, default="")
    # Questions that the host composed from known activities (kind "other" only); {} for none.
    composed = models.JSONField(default=dict, blank=True)
    # Which version of its facts is in force; corrections count on, see ``SceneVersion``.
    version = models.PositiveIntegerField(default=1)
    # What the operator asked to change when the scene went back to its host.
    returned_because = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering = ["-starts_on", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__isnull=True)
                | models.Q(ends_on__gte=models.F("starts_on")),
                name="scene_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(stated_total_g__gte=0), name="scene_total_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    travel_owner="split",
                    travel_organiser_pct__gte=1,
                    travel_organiser_pct__lte=99,
                )
                | (~models.Q(travel_owner="split") & models.Q(travel_organiser_pct=0)),
                name="scene_travel_split",
            ),
            models.CheckConstraint(
                condition=models.Q(sponsoring__in=("", "closed"), sponsor_token="")
                | (~models.Q(sponsoring__in=("", "closed")) & ~models.Q(sponsor_token="")),
                name="scene_sponsor_link",
            ),
            models.CheckConstraint(
                condition=models.Q(inside__isnull=True, inside_sources=[])
                | (models.Q(inside__isnull=False) & ~models.Q(inside=models.F("id"))),
                name="scene_not_inside_itself",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def place_and_days(self) -> tuple[str, date, date | None]:
        """Return where and when it is, to see whether it meets another: see ``rules.meet``."""
        return self.place_key, self.starts_on, self.ends_on

    @property
    def is_open_to_sponsors(self) -> bool:
        """Tell whether a company may take over anything now."""
        return self.sponsoring not in {Sponsoring.NONE, Sponsoring.CLOSED}

    @property
    def organiser_pct(self) -> int:
        """Return the organiser's part of the guests' travel and stay, in per cent."""
        if self.travel_owner == TravelOwner.SPLIT:
            return self.travel_organiser_pct
        return 100 if self.travel_owner == TravelOwner.ORGANISER else 0


class VersionState(models.TextChoices):
    """What became of a correction; only an approved one has a number."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    TAKEN_BACK = "taken_back"


class SceneVersion(models.Model):
    """One version of a published scene's facts, or a correction that waits to become one.

    ``facts``: see ``facts.facts_of``. ``note``: why the host corrects. ``answer``: why the operator
    refused. The first version is written down when the second comes into force.
    """

    scene = models.ForeignKey(Scene, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=VersionState, default=VersionState.PROPOSED)
    facts = models.JSONField()
    note = models.CharField(max_length=300, blank=True, default="")
    answer = models.CharField(max_length=300, blank=True, default="")
    proposed_by_ref = models.CharField(max_length=80, blank=True, default="")
    proposed_at = models.DateTimeField()
    decided_by_ref = models.CharField(max_length=80, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["scene", "id"]
        constraints = [
            models.UniqueConstraint(fields=["scene", "number"], name="scene_version_once"),
            models.UniqueConstraint(
                fields=["scene"],
                condition=models.Q(state="proposed"),
                name="scene_one_correction_waits",
            ),
            models.CheckConstraint(
                condition=models.Q(state="approved", number__isnull=False)
                | (~models.Q(state="approved") & models.Q(number__isnull=True)),
                name="scene_version_approved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scene_id} v{self.number or '?'}"


class Poster(models.Model):
    """One printed placement of the QR; its mark tells placements apart and nothing about people."""

    scene = models.ForeignKey(Scene, models.CASCADE, related_name="posters")
    mark = models.SlugField(max_length=8)
    label = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scene", "mark"], name="poster_mark_once")]

    def __str__(self) -> str:
        return f"{self.scene_id}:{self.mark}"


class InventoryLine(models.Model):
    """A part of the host's inventory; the host pays for it when ``covered``. Units: grams."""

    scene = models.ForeignKey(Scene, models.CASCADE, related_name="inventory")
    category = models.CharField(max_length=10)
    names = models.JSONField()
    mass_g = models.BigIntegerField()
    mass_per_guest_g = models.BigIntegerField(default=0)
    covered = models.BooleanField(default=False)
    evidence = models.CharField(max_length=12, default="estimated")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(mass_g__gte=0) & models.Q(mass_per_guest_g__gte=0),
                name="inventory_positive",
            )
        ]

    def __str__(self) -> str:
        return f"{self.scene_id} {self.category}"


class ReductionMeasure(models.Model):
    """What the host did to emit less; guests see confirmed ones only.

    ``ref``: the measure of the scene's inventory that it shows, "" for none.
    """

    scene = models.ForeignKey(Scene, models.CASCADE, related_name="measures")
    category = models.CharField(max_length=10)
    names = models.JSONField()
    avoided_g = models.BigIntegerField(default=0)
    confirmed = models.BooleanField(default=False)
    ref = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["scene", "ref"], condition=~models.Q(ref=""), name="measure_shown_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.scene_id} {self.category}"
