"""Certificates: one signed record from which page, paper, picture and API all speak."""

from django.db import models
from django.db.models import Q

from diandian.registry.models import Retirement


class CertificateState(models.TextChoices):
    """Whether the certificate still stands."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


class Certificate(models.Model):
    """One version of a certificate: ``credential`` is the signed document, its subject the record.

    A code names the newest version; the ones before it stay as they were signed, superseded.
    ``promised_by``: while tonnes are only held outside, the day by which they will be retired.
    """

    code = models.CharField(max_length=12)
    version = models.PositiveSmallIntegerField(default=1)
    retirement = models.ForeignKey(Retirement, models.PROTECT, related_name="certificates")
    order_ref = models.CharField(max_length=80)
    credential = models.JSONField()
    sha256 = models.CharField(max_length=64)
    state = models.CharField(
        max_length=12, choices=CertificateState, default=CertificateState.CURRENT
    )
    state_reason = models.CharField(max_length=200, blank=True)
    design = models.CharField(max_length=40, default="indigo")
    promised_by = models.DateField(null=True, blank=True)
    issued_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="certificate_version_once"),
            models.UniqueConstraint(
                fields=["retirement"], condition=Q(state="current"), name="certificate_one_current"
            ),
        ]
        indexes = [
            # Of the field it would come twice on PostgreSQL, once for searching by a beginning.
            models.Index(fields=["order_ref"], name="certificate_by_order"),
            models.Index(
                fields=["promised_by", "id"],
                condition=Q(state="current", promised_by__isnull=False),
                name="certificate_promised",
            ),
        ]

    def __str__(self) -> str:
        return self.code
