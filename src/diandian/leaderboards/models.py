"""Boards: who lit how many scenes. Only people who asked to be shown; never kilograms."""

from django.db import models

from diandian.leaderboards.rules import LONGEST_NOTE, REASONS
from diandian.scenes.models import Scene


class Lighting(models.Model):
    """A person who asked to be shown lit a scene on a day; one a day and scene counts."""

    guest_key = models.CharField(max_length=32)
    scene = models.ForeignKey(Scene, models.CASCADE, related_name="lightings")
    source_ref = models.CharField(max_length=80, unique=True)
    day = models.DateField()
    lit_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["guest_key", "scene", "day"], name="lighting_once_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.guest_key} {self.scene_id}"


class HiddenName(models.Model):
    """A person whose name an operator took off the boards; the trail says why, rows stay."""

    guest_key = models.CharField(max_length=32, unique=True)
    hidden_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.guest_key


class ReportState(models.TextChoices):
    """Open until an operator decides; gone: no board showed the name any more."""

    OPEN = "open"
    HIDDEN = "hidden"
    KEPT = "kept"
    GONE = "gone"


class NameReport(models.Model):
    """Somebody says that a name on the boards harms; who said it is not kept.

    ``name`` as the boards showed it then. Name and note are emptied with the decision.
    """

    guest_key = models.CharField(max_length=32, db_index=True)
    name = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=12, choices=[(reason, reason) for reason in REASONS])
    note = models.CharField(max_length=LONGEST_NOTE, blank=True)
    state = models.CharField(max_length=8, choices=ReportState, default=ReportState.OPEN)
    reported_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"report {self.id}"


class Standing(models.Model):
    """One row of a board ("people:all", "people:2026", "scene:12"): how many scenes, since when."""

    board = models.CharField(max_length=40)
    guest_key = models.CharField(max_length=32, db_index=True)
    display_name = models.CharField(max_length=60, blank=True)
    avatar_seed = models.PositiveIntegerField()
    scenes_lit = models.PositiveIntegerField()
    reached_at = models.DateTimeField()

    class Meta:
        ordering = ["-scenes_lit", "reached_at", "id"]
        constraints = [models.UniqueConstraint(fields=["board", "guest_key"], name="standing_once")]
        indexes = [
            models.Index(fields=["board", "-scenes_lit", "reached_at", "id"], name="standing_order")
        ]

    def __str__(self) -> str:
        return f"{self.board} {self.guest_key}"
