"""The public log: its entries in order, how far it was signed, and by which keys.

One log at a time is open. A closed one stays as it is, and the next begins where it ended: entries
of all logs have one numbering here (``position``), and an index within their own log.
*Source:* design of the registry, sections 3.1 and 5; L1, L2.
"""

from django.db import models
from django.db.models import F, Q


class LogHead(models.Model):
    """One log and how many entries it has. ``base``: the position of its first entry.

    The hottest row of all: whoever appends locks it, after every other lock, until the commit.
    """

    origin = models.CharField(max_length=200, primary_key=True)
    base = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    is_open = models.BooleanField(default=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    # Why its heads are not signed now: one of ``heads.trouble``, or nothing.
    refusal = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(base__gte=0) & Q(size__gte=0), name="log_head_counts"
            ),
            models.CheckConstraint(
                condition=Q(is_open=True, closed_at__isnull=True)
                | Q(is_open=False, closed_at__isnull=False),
                name="log_head_open_or_closed",
            ),
            models.UniqueConstraint(
                fields=["is_open"], condition=Q(is_open=True), name="log_head_one_open"
            ),
        ]

    def __str__(self) -> str:
        return self.origin


class LogEntry(models.Model):
    """One entry: ``body`` is the canonical JSON whose bytes are the leaf of the tree; for ever.

    ``ref`` names what it is about, so that nothing is entered twice; what may happen to a thing
    more than once (a freeze, a thaw) has none.
    """

    position = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=12)
    ref = models.CharField(max_length=160, null=True, unique=True)
    body = models.TextField()

    class Meta:
        ordering = ["position"]
        verbose_name_plural = "log entries"
        constraints = [
            models.CheckConstraint(condition=Q(position__gte=0), name="log_entry_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.kind}"


class LogCheckpoint(models.Model):
    """What was signed: one root for one size, each beginning where one earlier ended (L2).

    ``note``: the signed text as it is published, without cosignatures; ``cosignatures``: the lines
    that witnesses added, one each. ``root``: hexadecimal.
    """

    head = models.ForeignKey(LogHead, models.PROTECT, related_name="checkpoints")
    size = models.BigIntegerField()
    previous_size = models.BigIntegerField()
    root = models.CharField(max_length=64)
    note = models.TextField()
    cosignatures = models.TextField(blank=True)
    signed_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(previous_size__gte=0) & Q(size__gt=F("previous_size")),
                name="log_checkpoint_grows",
            ),
            models.UniqueConstraint(fields=["head", "size"], name="log_checkpoint_one_root"),
            models.UniqueConstraint(fields=["head", "previous_size"], name="log_checkpoint_chain"),
        ]

    def __str__(self) -> str:
        return f"{self.head_id} {self.size}"

    @property
    def full_note(self) -> str:
        """Return the signed text with all signatures that it has by now."""
        return self.note + self.cosignatures


class LogKey(models.Model):
    """A key that signs checkpoints until it is dropped; its private half is a file.

    ``vkey``: the public half as verifiers take it.
    """

    head = models.ForeignKey(LogHead, models.PROTECT, related_name="keys")
    vkey = models.CharField(max_length=400, unique=True)
    active_from = models.DateTimeField()
    drops_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.vkey
