"""E-mail addresses, codes and roles: what is right about them; pure.

A code has six digits, lives ten minutes, works once and survives five guesses: with the five codes
an hour that one address gets, a guesser needs years.
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from datetime import timedelta

from diandian.people.errors import (
    CountryError,
    EmailError,
    LegalNameError,
    RoleError,
    TaxNumberError,
)

CODE_DIGITS = 6
CODE_LIFETIME = timedelta(minutes=10)
CODE_TRIES = 5
CODES_PER_HOUR = 5
LONGEST_EMAIL = 254
LONGEST_LEGAL_NAME = 60

ROLES = ("owner", "editor", "viewer")
# What a role may do; everything else is refused.
_RIGHTS = {
    "owner": frozenset({"read", "write", "manage"}),
    "editor": frozenset({"read", "write"}),
    "viewer": frozenset({"read"}),
}
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_LOCAL = 64
_TAX_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9 ./-]{0,29}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_NOT_A_DIGIT = re.compile(r"[\s\u200b-\u200f-]+")


def normal_email(text: str) -> str:
    """Return an address as it is kept and compared: lower case, the domain in ASCII.

    Raises: EmailError; line breaks and other tricks on mail headers are no addresses.

    >>> normal_email("  Wan.Lin@Example.ORG ")
    'wan.lin@example.org'
    """
    if len(text) > 2 * LONGEST_EMAIL:
        raise EmailError(field="email")
    typed = unicodedata.normalize("NFKC", text).strip(" \t\u3000").lower()
    local, at, domain = typed.partition("@")
    try:
        host = domain.encode("idna").decode("ascii") if domain else ""
    except UnicodeError:
        host = ""
    labels = host.split(".")
    right = (
        at
        and len(local) <= _LONGEST_LOCAL
        and _LOCAL.fullmatch(local)
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
        and len(local) + len(host) < LONGEST_EMAIL
    )
    if not right:
        raise EmailError(field="email")
    return f"{local}@{host}"


def new_code() -> str:
    """Return six random digits."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def typed_code(text: str) -> str:
    """Return a code as it was meant: spaces and dashes left out, full-width digits made plain.

    >>> typed_code(" 123-456 ")
    '123456'
    """
    return _NOT_A_DIGIT.sub("", unicodedata.normalize("NFKC", text[:40]))


def sealed(secret: str, purpose: str, *parts: str) -> str:
    """Return a keyed digest: nobody finds code or address in it without the key of this site."""
    message = "\x00".join((purpose, *parts)).encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def matches(code_key: str, typed: str, token: str, *, secret: str) -> bool:
    """Tell whether the digits typed are those that were sent, without telling how nearly."""
    return hmac.compare_digest(code_key, sealed(secret, "sign-in-code", token, typed))


def legal_name(text: str) -> str:
    """Return a legal name with plain spaces. Raises: LegalNameError."""
    name = " ".join(unicodedata.normalize("NFC", text[:1000]).split())
    if not 2 <= len(name) <= LONGEST_LEGAL_NAME or not name.isprintable():  # noqa: PLR2004
        raise LegalNameError(field="legal_name", limit=LONGEST_LEGAL_NAME)
    return name


def tax_number(text: str) -> str:
    """Return a tax number in capitals, or nothing. Raises: TaxNumberError."""
    number = " ".join(unicodedata.normalize("NFKC", text[:200]).upper().split())
    if number and not _TAX_NUMBER.fullmatch(number):
        raise TaxNumberError(field="tax_number")
    return number


def country(text: str) -> str:
    """Return a country as two letters (ISO 3166-1). Raises: CountryError."""
    if not _COUNTRY.fullmatch(text):
        raise CountryError(field="country")
    return text


def role(text: str) -> str:
    """Return a role that exists. Raises: RoleError."""
    if text not in ROLES:
        raise RoleError(field="role")
    return text


def may(role_held: str, right: str) -> bool:
    """Tell whether a role has a right: read, write (scenes, paying), manage (people, names)."""
    return right in _RIGHTS.get(role_held, frozenset())
