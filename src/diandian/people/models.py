"""Who signs in at a desk: an e-mail address and nothing else; organisations and their people."""

from django.db import models


class Person(models.Model):
    """One e-mail address (normalised). The trail knows a person by number, never by address."""

    email = models.CharField(max_length=254, unique=True)
    created_at = models.DateTimeField()
    # When the person agreed that the address is kept; empty until the first sign-in.
    agreed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        """Return how trail and other rooms name this person."""
        return f"person:{self.id}"


class Organisation(models.Model):
    """A legal person, as its people state it; ``country`` is ISO 3166-1, two letters."""

    legal_name = models.CharField(max_length=60)
    tax_number = models.CharField(max_length=30, blank=True)
    country = models.CharField(max_length=2)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["legal_name", "id"]

    def __str__(self) -> str:
        return self.legal_name

    @property
    def ref(self) -> str:
        """Return how scenes and orders name this organisation."""
        return f"organisation:{self.id}"


class Role(models.TextChoices):
    """What a member may do; the rights are in ``rules``."""

    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"


class Membership(models.Model):
    """One person's role in one organisation."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["person", "organisation"], name="membership_once")
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.organisation_id}: {self.role}"


class SignInCode(models.Model):
    """A code that was sent, of which only a keyed digest stands here; gone an hour later.

    ``token`` is the secret address of the page that asks for this code.
    """

    token = models.CharField(max_length=32, unique=True)
    email = models.CharField(max_length=254, db_index=True)
    code_key = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(db_index=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"code {self.id}"
