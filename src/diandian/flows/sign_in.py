"""Signing in at a desk with a code sent by e-mail, and erasing who once signed in.

An address that nobody knows is answered like any other: whoever receives the code may come in, and
the first time is when the account begins. The trail names people by number.
"""

from datetime import datetime

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction

from diandian.audit import actions as audit
from diandian.kernel.clock import now
from diandian.people import actions, rules
from diandian.people.models import Person, SignInCode


def ask(email: str, *, at: datetime | None = None) -> tuple[SignInCode, str]:
    """Open a code for an address as typed; the caller sends the digits to ``email`` of the row.

    Raises: EmailError, TooManyCodesError.
    """
    return actions.open_code(rules.normal_email(email), secret=settings.SECRET_KEY, at=at or now())


def sign_in(token: str, typed: str, *, at: datetime | None = None) -> Person:
    """Return the person whose code was typed. A code works once, for ten minutes, five tries.

    A wrong try is counted even though it is refused: not in one transaction with what follows.
    Raises: CodeGoneError, WrongCodeError.
    """
    at = at or now()
    email = actions.use_code(token, typed, secret=settings.SECRET_KEY, at=at)
    with transaction.atomic():
        person, is_first = actions.welcome(email, at=at)
        if is_first:
            audit.record(
                actor_ref=person.ref, action="person.joined", subject_ref=person.ref, at=at
            )
    return person


def forget_old(*, at: datetime | None = None) -> int:
    """Remove old codes and sessions that are over. Returns how many codes went."""
    SessionStore.clear_expired()
    return actions.forget_codes(at=at or now())


@transaction.atomic
def erase_person(person: Person, *, at: datetime | None = None) -> None:
    """Erase a person's address and memberships. Organisations, scenes and certificates stay."""
    ref = person.ref
    actions.erase(person)
    audit.record(actor_ref=ref, action="person.erased", subject_ref=ref, at=at or now())
