"""What happened and what is still to be told: trail and outbox, written with the change itself."""

from django.db import models


class AuditEntry(models.Model):
    """One act of a person or of the platform; append-only, each entry seals the one before."""

    at = models.DateTimeField()
    actor_ref = models.CharField(max_length=80)
    action = models.CharField(max_length=80)
    subject_ref = models.CharField(max_length=120, db_index=True)
    details = models.JSONField(default=dict)
    # Unique: two entries can never claim the same one before them, so the chain cannot fork.
    previous_hash = models.CharField(max_length=64, unique=True)
    entry_hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.action} {self.subject_ref}"


class OutboxState(models.TextChoices):
    """Where the delivery of an event stands."""

    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"


class OutboxEvent(models.Model):
    """An event to be handled at least once after the transaction that wrote it."""

    key = models.CharField(max_length=160, unique=True)
    kind = models.CharField(max_length=80)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=OutboxState, default=OutboxState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    available_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["available_at", "id"],
                condition=models.Q(state="pending"),
                name="outbox_waiting",
            ),
            models.Index(fields=["id"], condition=models.Q(state="dead"), name="outbox_given_up"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
