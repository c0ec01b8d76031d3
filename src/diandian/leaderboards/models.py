"""Boards: who lit how many scenes. Only people who asked to be shown; never kilograms."""

from django.db import models

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
