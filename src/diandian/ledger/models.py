"""Money moves as transfers: one debit, one credit, one amount; a row that cannot be unbalanced.

Account codes lead with the currency ("CNY:2010:supplier:17"), so that one plain check keeps both
sides in one currency on every database. *Source:* design of the registry, section 3.1; M1 to M6.
"""

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat


class Journal(models.Model):
    """One business event that moved money: once per ``source_ref``, corrected only by reversal."""

    source_ref = models.CharField(max_length=120, unique=True)
    body_sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=40)
    owner_ref = models.CharField(max_length=80, db_index=True)
    reverses = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="reversed_by"
    )
    business_day = models.DateField(db_index=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.source_ref


class Transfer(models.Model):
    """One amount from one account (credit) to another (debit), in minor units."""

    journal = models.ForeignKey(Journal, models.PROTECT, related_name="transfers")
    debit_code = models.CharField(max_length=80, db_index=True)
    credit_code = models.CharField(max_length=80, db_index=True)
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
                condition=Q(debit_code__startswith=Concat(F("currency"), Value(":")))
                & Q(credit_code__startswith=Concat(F("currency"), Value(":"))),
                name="transfer_one_currency",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.debit_code} < {self.credit_code} {self.amount_minor}"
