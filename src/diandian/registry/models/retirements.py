"""Grams used for a claim, and in whose name."""

from django.db import models
from django.db.models import Q

from diandian.registry.models.catalogue import Project


class Retirement(models.Model):
    """Grams used for a claim, for ever; the name stands in ``Beneficiary``, its commitment here.

    ``vintage_year`` is the oldest among its ranges; each range names its own batch. ``replaces``:
    the retirement whose recalled grams this one stands for; one may need several.
    """

    public_id = models.CharField(max_length=32)
    source_ref = models.CharField(max_length=80)
    # That the project is there is asked once a statement, by a guard (config); the index below
    # begins with it.
    project = models.ForeignKey(
        Project, models.PROTECT, related_name="retirements", db_constraint=False, db_index=False
    )
    mass_g = models.BigIntegerField()
    vintage_year = models.PositiveSmallIntegerField()
    subject_commit = models.CharField(max_length=64)
    purpose = models.CharField(max_length=30)
    context_ref = models.CharField(max_length=80, blank=True)
    holder_kind = models.CharField(max_length=12, default="person")
    claim_from = models.DateField(null=True, blank=True)
    claim_to = models.DateField(null=True, blank=True)
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="replacements", db_index=False
    )
    is_sample = models.BooleanField(default=False)
    retired_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(mass_g__gt=0), name="retirement_has_grams"),
            # Of fields these would come twice on PostgreSQL, once for searching by a beginning.
            models.UniqueConstraint(fields=["public_id"], name="retirement_public_id_once"),
            models.UniqueConstraint(fields=["source_ref"], name="retirement_once"),
        ]
        indexes = [
            models.Index(fields=["project", "-id"], name="retirement_by_project"),
            models.Index(fields=["context_ref", "-id"], name="retirement_by_context"),
            # Hardly any retirement stands for another: only those that do are indexed.
            models.Index(
                fields=["replaces"],
                condition=Q(replaces__isnull=False),
                name="retirement_by_replaced",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Beneficiary(models.Model):
    """In whose name a retirement stands, the only place with a name; erasing it keeps the proof."""

    retirement = models.OneToOneField(
        Retirement,
        models.PROTECT,
        primary_key=True,
        related_name="beneficiary",
        db_constraint=False,
    )
    salt = models.CharField(max_length=64)
    subject = models.JSONField(null=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "beneficiaries"

    def __str__(self) -> str:
        return f"beneficiary of {self.retirement_id}"
