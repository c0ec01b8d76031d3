"""Money moves as transfers: one debit, one credit, one amount; a row that cannot be unbalanced.

Indexes and constraints of texts stand in ``Meta``: those of fields come twice on PostgreSQL, once
for searching by a beginning, which nobody does here.

Account codes lead with the currency ("CNY:2010:supplier:17"), so that one plain check keeps both
sides in one currency on every database. *Source:* design of the registry, section 3.1; M1 to M6.
"""

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Left
from django.db.models.lookups import Exact


class Journal(models.Model):
    """One business event that moved money: once per ``source_ref``, corrected only by reversal."""

    source_ref = models.CharField(max_length=120)
    body_sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=40)
    owner_ref = models.CharField(max_length=80)
    # Hardly any journal reverses another: only those that do are indexed, by the constraint.
    reverses = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="reversals", db_index=False
    )
    business_day = models.DateField(db_index=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["source_ref"], name="journal_once"),
            models.UniqueConstraint(
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
                name="journal_reversed_once",
            ),
        ]
        indexes = [models.Index(fields=["owner_ref"], name="journal_of_owner")]

    def __str__(self) -> str:
        return self.source_ref


class Transfer(models.Model):
    """One amount from one account (credit) to another (debit), in minor units."""

    # That the journal is there is asked once a statement, by a guard (config).
    journal = models.ForeignKey(
        Journal, models.PROTECT, related_name="transfers", db_constraint=False
    )
    debit_code = models.CharField(max_length=80)
    credit_code = models.CharField(max_length=80)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="transfer_positive"),
            models.CheckConstraint(
                condition=~Q(debit_code=F("credit_code")), name="transfer_two_accounts"
            ),
            models.CheckConstraint(
                condition=Q(
                    Exact(Left("debit_code", 4), Concat(F("currency"), Value(":"))),
                    Exact(Left("credit_code", 4), Concat(F("currency"), Value(":"))),
                ),
                name="transfer_one_currency",
            ),
        ]
        indexes = [
            models.Index(fields=["debit_code"], name="transfer_by_debit"),
            models.Index(fields=["credit_code"], name="transfer_by_credit"),
        ]

    def __str__(self) -> str:
        return f"{self.debit_code} < {self.credit_code} {self.amount_minor}"


class ClosedDay(models.Model):
    """The books up to the end of a business day, closed: no journal can be booked there any more.

    Nearly always one day; ``first_day`` is earlier when days passed without a close. ``sha256``
    seals totals, journals and retirements and the closed day before, so that the chain cannot fork.
    """

    first_day = models.DateField()
    day = models.DateField(unique=True)
    totals = models.JSONField()
    journals = models.PositiveIntegerField()
    journals_sha256 = models.CharField(max_length=64)
    retirements = models.PositiveIntegerField()
    retirements_sha256 = models.CharField(max_length=64)
    previous_sha256 = models.CharField(max_length=64, unique=True, blank=True)
    sha256 = models.CharField(max_length=64, unique=True)
    closed_by = models.CharField(max_length=80)
    closed_at = models.DateTimeField()

    class Meta:
        ordering = ["day"]
        constraints = [
            models.CheckConstraint(condition=Q(day__gte=F("first_day")), name="closed_day_order")
        ]

    def __str__(self) -> str:
        return self.day.isoformat()


class LedgerCheckpoint(models.Model):
    """All that ever moved between two accounts up to the end of a closed day, in minor units.

    By day, not by number of a transfer: numbers are not given in the order of commits.
    """

    closed_day = models.ForeignKey(ClosedDay, models.PROTECT, related_name="checkpoints")
    currency = models.CharField(max_length=3)
    debit_code = models.CharField(max_length=80)
    credit_code = models.CharField(max_length=80)
    amount_minor = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["closed_day", "debit_code", "credit_code"], name="checkpoint_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.closed_day_id}: {self.debit_code} < {self.credit_code} {self.amount_minor}"


class SalesSwitch(models.Model):
    """A stop of all sales, or their reopening; the newest one counts, without any we sell.

    ``breaches``: what a close found, as it said it.
    """

    is_open = models.BooleanField()
    reason = models.CharField(max_length=500)
    breaches = models.JSONField(default=list)
    actor_ref = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "sales switches"

    def __str__(self) -> str:
        return f"{'open' if self.is_open else 'stopped'}: {self.reason}"
