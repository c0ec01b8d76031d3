"""What gateways say a day was, and how that agrees with us; opaque references to payments.

Statements and signatures are for ever; what the match says of an open day is written anew each
time, of a closed one never. No column names a payer.
"""

from django.db import models
from django.db.models import F, Q

from diandian.kernel.money import Money

# How our numbers of payouts begin, in statements and books.
NUMBER_PREFIX = "GP"


class DayState(models.TextChoices):
    """Where a gateway's day stands."""

    WAITING = "waiting"
    OPEN = "open"
    CLOSED = "closed"


class GatewayDay(models.Model):
    """One business day of one merchant at one gateway.

    ``problem``: why the last attempt to fetch brought nothing, as a code. ``figures`` and
    ``sha256``: what it was closed with.
    """

    gateway = models.CharField(max_length=20)
    mode = models.CharField(max_length=8)
    account = models.CharField(max_length=80)
    merchant_key = models.CharField(max_length=40)
    settlement = models.CharField(max_length=16)
    day = models.DateField()
    state = models.CharField(max_length=8, choices=DayState, default=DayState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=120, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    matched_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    figures = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-day", "gateway", "account"]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "mode", "account", "day"], name="gateway_day_once"
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) & ~Q(sha256="")
                | ~Q(state="closed") & Q(closed_at__isnull=True, sha256=""),
                name="gateway_day_closed_whole",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="gateway_day_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.merchant_key} {self.day.isoformat()}"


class StatementFile(models.Model):
    """A statement as it came. A later one of the same day and kind counts while the day is open.

    ``sha256``: of the file itself, which is kept on disk for a while only.
    """

    day = models.ForeignKey(GatewayDay, models.PROTECT, related_name="files")
    kind = models.CharField(max_length=8)
    sha256 = models.CharField(max_length=64)
    is_proven = models.BooleanField()
    size_bytes = models.BigIntegerField()
    lines = models.PositiveIntegerField()
    fetched_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["day", "kind", "sha256"], name="statement_file_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]}"


class StatementRow(models.Model):
    """A line of a statement, in minor units; what comes in is positive."""

    file = models.ForeignKey(StatementFile, models.PROTECT, related_name="rows")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10)
    gateway_ref = models.CharField(max_length=80, blank=True)
    our_no = models.CharField(max_length=64, blank=True)
    payment_no = models.CharField(max_length=32, blank=True)
    gross_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    at = models.DateTimeField()
    status = models.CharField(max_length=30, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="statement_row_once")
        ]
        indexes = [
            models.Index(fields=["our_no"], name="statement_row_by_no"),
            models.Index(fields=["gateway_ref"], name="statement_row_by_ref"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.gateway_ref or self.our_no}"


class MatchItem(models.Model):
    """A line, a fact of ours, or both, of one day and kind of statement, and its class.

    ``theirs_minor`` and ``ours_minor`` None: not there. ``seen``: the digest that a signature
    names. ``first_seen_at``: since when it is in this class.
    """

    day = models.ForeignKey(GatewayDay, models.PROTECT, related_name="items")
    statement_kind = models.CharField(max_length=8)
    key = models.CharField(max_length=120)
    kind = models.CharField(max_length=10)
    outcome = models.CharField(max_length=14)
    detail = models.CharField(max_length=20, blank=True)
    row = models.ForeignKey(StatementRow, models.PROTECT, null=True, blank=True, related_name="+")
    gateway_ref = models.CharField(max_length=80, blank=True)
    our_no = models.CharField(max_length=64, blank=True)
    theirs_minor = models.BigIntegerField(null=True, blank=True)
    fee_minor = models.BigIntegerField(null=True, blank=True)
    ours_minor = models.BigIntegerField(null=True, blank=True)
    at_stake_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    seen = models.CharField(max_length=64)
    first_seen_at = models.DateTimeField()
    owner_ref = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["day", "statement_kind", "key"], name="match_item_once")
        ]
        indexes = [models.Index(fields=["our_no"], name="match_item_by_no")]

    def __str__(self) -> str:
        return f"{self.key} {self.outcome}"


class Signature(models.Model):
    """Somebody's word that a difference is in order, about exactly what they saw."""

    day = models.ForeignKey(GatewayDay, models.PROTECT, related_name="signatures")
    statement_kind = models.CharField(max_length=8)
    key = models.CharField(max_length=120)
    seen = models.CharField(max_length=64)
    reason = models.CharField(max_length=300)
    actor_ref = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "statement_kind", "key", "seen", "actor_ref"],
                name="signature_once_a_person",
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.actor_ref}"


class PayoutState(models.TextChoices):
    """What became of a payout that somebody claims; what a statement proves is booked at once."""

    ASKED = "asked"
    BOOKED = "booked"
    REFUSED = "refused"


class GatewayPayout(models.Model):
    """Money that a gateway sent from our balance there to our bank, or took back when it returned.

    ``row``: the line that proves it; without one, two persons stand behind it. ``paid_on``: when it
    left the gateway. ``bank_ref``, ``bank_day``: the line of our bank on which it arrived, and
    ``arrived_by``, who found it there. ``undo_by``, ``undone_by``: who asked that a booking by
    people be undone, with ``reason``, and who undid it; then it is refused after all.
    """

    gateway = models.CharField(max_length=20)
    mode = models.CharField(max_length=8)
    account = models.CharField(max_length=80)
    merchant_key = models.CharField(max_length=40)
    payout_ref = models.CharField(max_length=80, blank=True)
    is_return = models.BooleanField(default=False)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    paid_on = models.DateField()
    row = models.ForeignKey(StatementRow, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=8, choices=PayoutState, default=PayoutState.ASKED)
    reason = models.CharField(max_length=300, blank=True)
    asked_by = models.CharField(max_length=80)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    bank_ref = models.CharField(max_length=80, blank=True)
    bank_day = models.DateField(null=True, blank=True)
    arrived_by = models.CharField(max_length=80, blank=True)
    undo_by = models.CharField(max_length=80, blank=True, default="")
    undone_by = models.CharField(max_length=80, blank=True, default="")
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(undone_by="")
                | (Q(state="refused") & ~Q(undo_by="") & ~Q(undone_by=F("undo_by"))),
                name="gateway_payout_undone_by_two",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="gateway_payout_has_an_amount"
            ),
            models.CheckConstraint(
                condition=~Q(state="booked")
                | Q(row__isnull=False)
                | (~Q(decided_by="") & ~Q(decided_by=F("asked_by"))),
                name="gateway_payout_by_two",
            ),
            models.UniqueConstraint(
                fields=["gateway", "mode", "account", "payout_ref", "is_return"],
                condition=~Q(payout_ref="") & ~Q(state="refused"),
                name="gateway_payout_once",
            ),
            models.UniqueConstraint(
                fields=["currency", "bank_ref", "is_return"],
                condition=~Q(bank_ref="") & ~Q(state="refused"),
                name="gateway_payout_bank_line_once",
            ),
        ]
        indexes = [
            models.Index(fields=["gateway", "account", "paid_on"], name="gateway_payout_by_day"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """Return our number of it."""
        return f"{NUMBER_PREFIX}{self.id}"

    @property
    def amount(self) -> Money:
        """Return how much went."""
        return Money(self.amount_minor, self.currency)
