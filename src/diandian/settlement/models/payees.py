"""Where suppliers receive money."""

from django.db import models
from django.db.models import F, Q


class PayeeKind(models.TextChoices):
    """How a supplier receives money. ``account``: its own at a payment gateway."""

    ACCOUNT = "account"
    IBAN = "iban"
    CN_BANK = "cn_bank"


class PayeeState(models.TextChoices):
    """A detail waits for a second person, is in force, was replaced, or was refused."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REPLACED = "replaced"
    REFUSED = "refused"


class Payee(models.Model):
    """Where a supplier receives money; a change is a new row. ``detail`` stands in no log or page.

    ``gateway``: of an account there; "" for banks. ``active_from``: not used before.
    """

    supplier_ref = models.CharField(max_length=60, db_index=True)
    kind = models.CharField(max_length=8, choices=PayeeKind)
    gateway = models.CharField(max_length=20, blank=True)
    detail = models.JSONField()
    state = models.CharField(max_length=10, choices=PayeeState, default=PayeeState.WAITING)
    proposed_by = models.CharField(max_length=80)
    proposed_at = models.DateTimeField()
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    active_from = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=("waiting", "refused"))
                | (~Q(decided_by="") & ~Q(decided_by=F("proposed_by"))),
                name="payee_by_two",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("waiting", "refused")) | Q(active_from__isnull=False),
                name="payee_has_a_beginning",
            ),
            models.UniqueConstraint(
                fields=["supplier_ref", "gateway"],
                condition=Q(state="waiting"),
                name="payee_one_waits",
            ),
        ]

    def __str__(self) -> str:
        return f"payee {self.id}"
