"""What one person asks for and a second one decides."""

from django.db import models
from django.db.models import F, Q

from diandian.registry.models.batches import CreditBatch


class RequestState(models.TextChoices):
    """A request waits, and then was done or refused."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


class CancellationRequest(models.Model):
    """Free grams that somebody asks to cancel; another person confirms or refuses."""

    batch = models.ForeignKey(CreditBatch, models.PROTECT, related_name="cancellation_requests")
    mass_g = models.BigIntegerField()
    reason = models.CharField(max_length=40)
    note = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=8, choices=RequestState, default=RequestState.WAITING)
    asked_by = models.CharField(max_length=80)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(mass_g__gt=0), name="cancellation_has_grams"),
            models.CheckConstraint(
                condition=~Q(state="done") | ~Q(decided_by=F("asked_by")),
                name="cancellation_by_two",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at__isnull=True)
                | (~Q(state="waiting") & ~Q(decided_by="") & Q(decided_at__isnull=False)),
                name="cancellation_decided_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.mass_g} g"
