"""What was recalled of a batch, and what was done for each retirement that it stands behind."""

from django.db import models
from django.db.models import F, Q

from diandian.registry.models.batches import CreditBatch
from diandian.registry.models.retirements import Retirement


class RecallKind(models.TextChoices):
    """Invalid: the credits never were what they said. Reversal: their carbon is back in the air."""

    INVALID = "invalid"
    REVERSAL = "reversal"


class RecallState(models.TextChoices):
    """Opened by one person, at work once a second one approved; dropped when nobody did."""

    OPENED = "opened"
    RUNNING = "running"
    DONE = "done"
    DROPPED = "dropped"


class Recall(models.Model):
    """Grams ``[start_g, end_g)`` of a batch that no longer stand; what is public of them is here.

    ``texts``: why, by language. ``sources``: codes of further projects that may replace, in order.
    ``batch_was``: the batch's state before. ``position``: the chain key that the work has reached.
    """

    public_id = models.CharField(max_length=40, unique=True)
    batch = models.ForeignKey(CreditBatch, models.PROTECT, related_name="recalls")
    start_g = models.BigIntegerField()
    end_g = models.BigIntegerField()
    kind = models.CharField(max_length=8, choices=RecallKind)
    reason = models.CharField(max_length=40)
    texts = models.JSONField()
    sources = models.JSONField(default=list)
    state = models.CharField(max_length=8, choices=RecallState, default=RecallState.OPENED)
    batch_was = models.CharField(max_length=10)
    opened_by = models.CharField(max_length=80)
    opened_at = models.DateTimeField()
    approved_by = models.CharField(max_length=80, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    position = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(start_g__gte=0) & Q(end_g__gt=F("start_g")), name="recall_has_grams"
            ),
            models.CheckConstraint(
                condition=~Q(approved_by=F("opened_by")), name="recall_by_two_people"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("opened", "dropped"), approved_at__isnull=True)
                | (
                    Q(state__in=("running", "done"), approved_at__isnull=False) & ~Q(approved_by="")
                ),
                name="recall_works_when_approved",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class RemedyOutcome(models.TextChoices):
    """Grams made good from the batch's buffer, or by a replacement, or openly short."""

    BUFFER = "buffer"
    REPLACED = "replaced"
    SHORT = "short"


class Remedy(models.Model):
    """One step for one retirement that a recall meets; append-only, steps count from 1.

    ``affected_g``: all its grams that were recalled. ``remedied_g``: made good by this step.
    ``short_g``: still open after it. ``root``: the retirement that somebody holds a certificate of,
    at the beginning of the chain of replacements.
    """

    recall = models.ForeignKey(Recall, models.PROTECT, related_name="remedies")
    retirement = models.ForeignKey(Retirement, models.PROTECT, related_name="remedies")
    root = models.ForeignKey(Retirement, models.PROTECT, related_name="remedies_of_chain")
    step = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=8, choices=RemedyOutcome)
    affected_g = models.BigIntegerField()
    remedied_g = models.BigIntegerField()
    short_g = models.BigIntegerField()
    replacement = models.OneToOneField(
        Retirement, models.PROTECT, null=True, blank=True, related_name="remedy_made"
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "remedies"
        constraints = [
            models.UniqueConstraint(
                fields=["recall", "retirement", "step"], name="remedy_step_once"
            ),
            models.CheckConstraint(
                condition=Q(step__gte=1, remedied_g__gte=0, short_g__gte=0)
                & Q(affected_g__gte=F("remedied_g") + F("short_g"), affected_g__gt=0),
                name="remedy_within_what_was_recalled",
            ),
            models.CheckConstraint(
                condition=Q(outcome="short", remedied_g=0, replacement__isnull=True)
                | Q(outcome="buffer", remedied_g__gt=0, replacement__isnull=True)
                | Q(outcome="replaced", remedied_g__gt=0, replacement__isnull=False),
                name="remedy_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(short_g__gt=0), name="remedy_open"),
        ]

    def __str__(self) -> str:
        return f"{self.recall_id}: {self.retirement_id} step {self.step}"
