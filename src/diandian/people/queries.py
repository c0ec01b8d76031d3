"""Reads of people, organisations and what they are to each other."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from diandian.people import rules
from diandian.people.errors import CodeGoneError, OrganisationNotFoundError
from diandian.people.models import Membership, Organisation, Person, SignInCode

_HOUR = timedelta(hours=1)


def person_by_id(person_id: int) -> Person | None:
    """Return a person, or None when erased meanwhile."""
    return Person.objects.filter(id=person_id).first()


def memberships_of(person: Person) -> list[Membership]:
    """Return what a person is to which organisations, with these."""
    rows = Membership.objects.filter(person=person).select_related("organisation")
    return list(rows.order_by("organisation__legal_name", "id"))


def members_of(organisation: Organisation) -> list[Membership]:
    """Return the people of an organisation, with these."""
    rows = Membership.objects.filter(organisation=organisation).select_related("person")
    return list(rows.order_by("id"))


def organisation_of_ref(ref: str) -> Organisation | None:
    """Return the organisation of an opaque reference; None when it is none."""
    kind, _, number = ref.partition(":")
    if kind != "organisation" or not number.isascii() or not number.isdigit():
        return None
    return Organisation.objects.filter(id=int(number[:18])).first()


def waiting_code(token: str, at: datetime) -> SignInCode:
    """Return a code that can still be typed. Raises: CodeGoneError."""
    found = SignInCode.objects.filter(token=token).first()
    gone = (
        found is None
        or found.used_at is not None
        or found.expires_at <= at
        or found.tries >= rules.CODE_TRIES
    )
    if found is None or gone:
        raise CodeGoneError(field="code")
    return found


def codes_within_the_hour(email: str, at: datetime) -> int:
    """Return how many codes went to an address in the last hour."""
    return SignInCode.objects.filter(email=email, created_at__gt=at - _HOUR).count()


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person and all that this person may touch."""

    person: Person
    memberships: tuple[Membership, ...]

    @property
    def organisations(self) -> list[Organisation]:
        """Return the person's organisations."""
        return [each.organisation for each in self.memberships]

    @property
    def refs(self) -> list[str]:
        """Return the references of the person's organisations."""
        return [each.organisation.ref for each in self.memberships]

    def role_in(self, organisation_ref: str) -> str:
        """Return the role in an organisation, "" for none."""
        for each in self.memberships:
            if each.organisation.ref == organisation_ref:
                return each.role
        return ""

    def organisation(self, ref: str) -> Organisation:
        """Return one of the person's own organisations. Raises: OrganisationNotFoundError."""
        for each in self.organisations:
            if each.ref == ref:
                return each
        raise OrganisationNotFoundError


def visitor(person: Person) -> Visitor:
    """Return a person with the memberships as they are now."""
    return Visitor(person, tuple(memberships_of(person)))
