"""Saved estimates of a person's visit, and who claims which line of them."""

from django.db import models
from django.db.models import Q

from diandian.scenes.models import Scene


class Footprint(models.Model):
    """A guest's answers and the estimate made of them; reachable only by its secret token."""

    token = models.CharField(max_length=32, unique=True)
    scene = models.ForeignKey(Scene, models.PROTECT, related_name="footprints")
    answers = models.JSONField()
    estimate = models.JSONField()
    mass_g = models.BigIntegerField()
    low_g = models.BigIntegerField()
    high_g = models.BigIntegerField()
    poster_mark = models.CharField(max_length=8, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(mass_g__gte=0), name="footprint_not_negative")
        ]

    def __str__(self) -> str:
        return f"footprint {self.id}"


class LineClaim(models.Model):
    """One line of a footprint has at most one claimant, for ever: one gram, one claimant."""

    footprint = models.ForeignKey(Footprint, models.PROTECT, related_name="claims")
    line_key = models.CharField(max_length=60)
    claimant_ref = models.CharField(max_length=80)
    mass_g = models.BigIntegerField()
    claimed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["footprint", "line_key"], name="line_claimed_once"),
            models.CheckConstraint(condition=Q(mass_g__gte=0), name="claim_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.footprint_id} {self.line_key}"
