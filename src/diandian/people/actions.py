"""Writes of people: codes, sign-in, organisations, members, erasing. The trail is kept by flows."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from diandian.kernel.tokens import secret_token
from diandian.people import queries, rules
from diandian.people.errors import CodeGoneError, LastOwnerError, TooManyCodesError, WrongCodeError
from diandian.people.models import Membership, Organisation, Person, Role, SignInCode

_KEPT = timedelta(hours=1)


def open_code(email: str, *, secret: str, at: datetime) -> tuple[SignInCode, str]:
    """Write a new code for an address (normalised); return its row and the six digits, once.

    The same for known and unknown addresses. Raises: TooManyCodesError.
    """
    if queries.codes_within_the_hour(email, at) >= rules.CODES_PER_HOUR:
        raise TooManyCodesError(field="email")
    code, token = rules.new_code(), secret_token()
    row = SignInCode.objects.create(
        token=token,
        email=email,
        code_key=rules.sealed(secret, "sign-in-code", token, code),
        created_at=at,
        expires_at=at + rules.CODE_LIFETIME,
    )
    return row, code


def forget_codes(*, at: datetime) -> int:
    """Remove codes, and the addresses with them, an hour after they were sent. Returns how many."""
    gone, _ = SignInCode.objects.filter(created_at__lte=at - _KEPT).delete()
    return gone


def use_code(token: str, typed: str, *, secret: str, at: datetime) -> str:
    """Use a code up and return the address that it proves. Works once, also for two at once.

    Each try is counted before it is looked at. Raises: CodeGoneError, WrongCodeError.
    """
    code = queries.waiting_code(token, at)
    live = SignInCode.objects.filter(id=code.id, used_at__isnull=True, expires_at__gt=at)
    if not live.filter(tries__lt=rules.CODE_TRIES).update(tries=F("tries") + 1):
        raise CodeGoneError(field="code")
    if not rules.matches(code.code_key, rules.typed_code(typed), token, secret=secret):
        raise WrongCodeError(field="code")
    if not live.update(used_at=at):
        raise CodeGoneError(field="code")
    return code.email


def welcome(email: str, *, at: datetime) -> tuple[Person, bool]:
    """Return the person of an address that was proved, and whether this is the first time."""
    person, _ = Person.objects.get_or_create(email=email, defaults={"created_at": at})
    is_first = bool(
        Person.objects.filter(id=person.id, agreed_at__isnull=True).update(agreed_at=at)
    )
    person.refresh_from_db()
    return person, is_first


def found_organisation(
    person: Person, *, legal_name: str, tax_number: str, country: str, at: datetime
) -> Organisation:
    """Write an organisation with its first owner. Raises: LegalNameError and its like."""
    facts = _facts(legal_name, tax_number, country)
    with transaction.atomic():
        organisation = Organisation.objects.create(**facts, created_at=at)
        Membership.objects.create(
            person=person, organisation=organisation, role=Role.OWNER, created_at=at
        )
    return organisation


def describe_organisation(
    organisation: Organisation, *, legal_name: str, tax_number: str, country: str
) -> Organisation:
    """Correct an organisation's facts; what was issued in its name stays as it was."""
    facts = _facts(legal_name, tax_number, country)
    Organisation.objects.filter(id=organisation.id).update(**facts)
    organisation.refresh_from_db()
    return organisation


def _facts(legal_name: str, tax_number: str, country: str) -> dict[str, str]:
    return {
        "legal_name": rules.legal_name(legal_name),
        "tax_number": rules.tax_number(tax_number),
        "country": rules.country(country),
    }


def set_member(
    organisation: Organisation, email: str, role: str, *, at: datetime
) -> Membership | None:
    """Give an address (normalised) a role, or change it. Idempotent: None when it had that role.

    Locks: the organisation. Raises: RoleError, LastOwnerError.
    """
    role = rules.role(role)
    with transaction.atomic():
        _lock(organisation)
        person, _ = Person.objects.get_or_create(email=email, defaults={"created_at": at})
        found = Membership.objects.filter(person=person, organisation=organisation).first()
        if found is not None and found.role == role:
            return None
        if found is None:
            return Membership.objects.create(
                person=person, organisation=organisation, role=role, created_at=at
            )
        _keep_an_owner(found)
        Membership.objects.filter(id=found.id).update(role=role)
        found.role = role
        return found


def remove_member(membership: Membership) -> None:
    """Take a person out of an organisation. Locks: the organisation. Raises: LastOwnerError."""
    with transaction.atomic():
        _lock(membership.organisation)
        _keep_an_owner(membership)
        Membership.objects.filter(id=membership.id).delete()


def _lock(organisation: Organisation) -> None:
    Organisation.objects.select_for_update().get(id=organisation.id)


def _keep_an_owner(membership: Membership) -> None:
    """Refuse to take the last owner's rights, in the caller's transaction."""
    owners = Membership.objects.filter(
        organisation_id=membership.organisation_id, role=Role.OWNER
    ).values_list("id", flat=True)
    if set(owners) == {membership.id}:
        raise LastOwnerError


def erase(person: Person) -> None:
    """Erase a person: address, codes and memberships. The number stays in the trail, alone.

    Organisations stay, also without people: scenes and certificates stand in their names.
    """
    with transaction.atomic():
        SignInCode.objects.filter(email=person.email).delete()
        Membership.objects.filter(person=person).delete()
        Person.objects.filter(id=person.id).delete()
