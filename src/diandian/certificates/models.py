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
    """``credential`` is the signed document; its subject is the record."""

    code = models.CharField(max_length=12, unique=True)
    version = models.PositiveSmallIntegerField(default=1)
    retirement = models.ForeignKey(Retirement, models.PROTECT, related_name="certificates")
    order_ref = models.CharField(max_length=80, db_index=True)
    credential = models.JSONField()
    sha256 = models.CharField(max_length=64)
    state = models.CharField(
        max_length=12, choices=CertificateState, default=CertificateState.CURRENT
    )
    state_reason = models.CharField(max_length=200, blank=True)
    design = models.CharField(max_length=40, default="indigo")
    issued_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["retirement"], condition=Q(state="current"), name="certificate_one_current"
            )
        ]

    def __str__(self) -> str:
        return self.code
