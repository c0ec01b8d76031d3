"""Organisations and their people: each change in one transaction with its line in the trail.

Access is asked here and not only in pages, so that no other door can forget it.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit
from diandian.certificates.names import (
    MAX_LEGAL_CHARACTERS,
    UnprintableNameError,
    clean_display_name,
)
from diandian.kernel.clock import now
from diandian.people import access, actions, queries, rules
from diandian.people.errors import OrganisationNotFoundError
from diandian.people.models import Membership, Organisation, Person
from diandian.people.queries import Visitor


@transaction.atomic
def found(
    person: Person, *, legal_name: str, tax_number: str, country: str, at: datetime | None = None
) -> Organisation:
    """Write an organisation; who does it is its first owner.

    Raises: LegalNameError, TaxNumberError, CountryError, UnprintableNameError.
    """
    at = at or now()
    organisation = actions.found_organisation(
        person,
        legal_name=_printable(legal_name),
        tax_number=tax_number,
        country=country,
        at=at,
    )
    audit.record(
        actor_ref=person.ref, action="organisation.founded", subject_ref=organisation.ref, at=at
    )
    return organisation


@transaction.atomic
def describe(
    visitor: Visitor, organisation: Organisation, *, legal_name: str, tax_number: str, country: str
) -> Organisation:
    """Correct an organisation's facts; certificates keep the name they were issued in.

    Raises: as ``found``, NotAllowedError.
    """
    access.require(visitor, organisation.ref, "manage")
    before = {
        "legal_name": organisation.legal_name,
        "tax_number": organisation.tax_number,
        "country": organisation.country,
    }
    changed = actions.describe_organisation(
        organisation,
        legal_name=_printable(legal_name),
        tax_number=tax_number,
        country=country,
    )
    _record(visitor, "organisation.described", changed, {"before": before})
    return changed


def _printable(legal_name: str) -> str:
    """Return a legal name that a certificate can show, for it will stand on one."""
    name = rules.legal_name(legal_name)
    try:
        return rules.legal_name(clean_display_name(name, limit=MAX_LEGAL_CHARACTERS))
    except UnprintableNameError as error:
        error.field = "legal_name"
        raise


@transaction.atomic
def set_member(visitor: Visitor, organisation: Organisation, *, email: str, role: str) -> None:
    """Give an address a role, or change it. The same answer whether the address was known or not.

    Raises: EmailError, RoleError, NotAllowedError, LastOwnerError.
    """
    access.require(visitor, organisation.ref, "manage")
    member = actions.set_member(organisation, rules.normal_email(email), role, at=now())
    if member is not None:
        details = {"person": member.person.ref, "role": member.role}
        _record(visitor, "organisation.member_set", organisation, details)


@transaction.atomic
def remove_member(visitor: Visitor, organisation: Organisation, membership_id: int) -> None:
    """Take a member out; everybody may leave, only owners may send others away.

    Raises: OrganisationNotFoundError for members of others, NotAllowedError, LastOwnerError.
    """
    member = _member(organisation, membership_id)
    is_self = member.person_id == visitor.person.id
    access.require(visitor, organisation.ref, "read" if is_self else "manage")
    actions.remove_member(member)
    _record(visitor, "organisation.member_removed", organisation, {"person": member.person.ref})


def _member(organisation: Organisation, membership_id: int) -> Membership:
    for member in queries.members_of(organisation):
        if member.id == membership_id:
            return member
    raise OrganisationNotFoundError


def _record(
    visitor: Visitor, action: str, organisation: Organisation, details: Mapping[str, object]
) -> None:
    audit.record(
        actor_ref=visitor.person.ref,
        action=action,
        subject_ref=organisation.ref,
        details=details,
    )
