"""Reads what Alipay says, and believes nothing about its shape; pure values.

Every reader raises MalformedError where a fact is missing, of another type, or out of bounds.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from diandian.kernel.clock import BUSINESS_ZONE
from diandian.kernel.money import Money
from diandian.payments import facts as facts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

# What is read alike at every gateway, under the names by which this one's answers are read.
Facts = facts_of.Facts
mapping, text = facts_of.mapping, facts_of.text
MalformedError = facts_of.MalformedError
# Its ``hint`` is the gateway's own code; of an answer without a valid signature only codes about
# the call itself (``isv.``) are told, for advice and for the next key.
NoAnswerError = facts_of.NoAnswerError
CURRENCY = "CNY"

_STAMP_FORM = "%Y-%m-%d %H:%M:%S"
_STAMP = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_AMOUNT = re.compile(r"-?[0-9]{1,11}(\.[0-9]{1,2})?")
_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REF = re.compile(r"[A-Za-z0-9_]{1,80}")
_WHITE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Part:
    """One member of an answer: its value, and the very text that a signature is over."""

    value: object
    raw: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A signed answer that says yes. ``raw``: the signed text; headers in small letters."""

    facts: Facts
    raw: str
    headers: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of what was signed."""
        return hashlib.sha256(self.raw.encode("utf-8", "surrogatepass")).hexdigest()


def parts(text: str) -> dict[str, Part]:
    """Return the members of a JSON object with their texts. Raises: MalformedError.

    The texts are found by reading the JSON, not by counting braces: a brace may stand in a value.
    """
    try:
        return _parts(text)
    except (ValueError, RecursionError, StopIteration, IndexError) as error:
        raise MalformedError("the answer is no JSON object") from error


def _parts(text: str) -> dict[str, Part]:
    decoder = json.JSONDecoder(object_pairs_hook=_once, parse_float=Decimal, parse_constant=_refuse)
    place = _expect(text, 0, "{")
    found: dict[str, Part] = {}
    while text[place] != "}":
        if found:
            place = _expect(text, place, ",")
        name, place = decoder.raw_decode(text, place)
        if not isinstance(name, str) or name in found:
            raise MalformedError("a name is no text, or stands there twice")
        begins = _expect(text, place, ":")
        value, ends = decoder.raw_decode(text, begins)
        found[name] = Part(value, text[begins:ends])
        place = _skip(text, ends)
    if _skip(text, place + 1) != len(text):
        raise MalformedError("something follows the answer")
    return found


def _skip(text: str, place: int) -> int:
    found = _WHITE.match(text, place)
    return found.end() if found else place


def _expect(text: str, place: int, sign: str) -> int:
    """Return the place after a sign and the white space around it."""
    place = _skip(text, place)
    if text[place] != sign:
        raise MalformedError(f"{sign} is missing")
    return _skip(text, place + 1)


def _once(pairs: list[tuple[str, object]]) -> Facts:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedError("a name stands there twice")
    return found


def _refuse(name: str) -> object:
    raise MalformedError(f"{name} is no number")


# -- facts ----------------------------------------------------------------------------------------


def items(facts: Facts, name: str) -> list[Facts]:
    """Return the objects of a list, none where there is no list. Raises: MalformedError."""
    value = facts.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedError(f"{name} is not a list")
    return [mapping(each, f"an entry of {name}") for each in value]


def text_or(facts: Mapping[str, object], name: str) -> str:
    """Return a short printable text, "" where there is none."""
    try:
        return text(facts, name)
    except MalformedError:
        return ""


def number(facts: Mapping[str, object], name: str) -> str:
    """Return a number that could be ours. Raises: MalformedError."""
    value = facts.get(name)
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise MalformedError(f"{name} is no number of ours")
    return value


def ref(facts: Mapping[str, object], name: str) -> str:
    """Return the gateway's name of a thing. Raises: MalformedError."""
    value = facts.get(name)
    if not isinstance(value, str) or not _REF.fullmatch(value):
        raise MalformedError(f"{name} is no reference")
    return value


def signed_minor(value: object, name: str = "amount") -> int:
    """Return yuan as fen, of either sign. Raises: MalformedError."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise MalformedError(f"{name} is no amount")
    written = _written(value)
    if not _AMOUNT.fullmatch(written):
        raise MalformedError(f"{name} is no amount")
    return Money.from_decimal(Decimal(written), CURRENCY).amount_minor


def _written(value: str | int | Decimal) -> str:
    if isinstance(value, int) and abs(value) >= 10**12:
        return ""  # the text of a huge number is refused by Python itself
    return value if isinstance(value, str) else str(value)


def minor(facts: Mapping[str, object], name: str) -> int:
    """Return yuan as fen, not below zero. Raises: MalformedError."""
    found = signed_minor(facts.get(name), name)
    if found < 0:
        raise MalformedError(f"{name} is below zero")
    return found


def yuan(amount: Money) -> str:
    """Return an amount as the gateway writes it: yuan with two decimals."""
    return f"{amount.decimal():.2f}"


def currency(facts: Mapping[str, object]) -> str:
    """Return the currency a payment was priced in; renminbi where none is named."""
    value = facts.get("trans_currency", CURRENCY)
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value):
        raise MalformedError("trans_currency is no currency")
    return value


def instant(facts: Mapping[str, object], name: str) -> datetime:
    """Return a stamp of Chinese time as an instant. Raises: MalformedError."""
    value = facts.get(name)
    if not isinstance(value, str) or not _STAMP.fullmatch(value):
        raise MalformedError(f"{name} is no instant")
    try:
        there = datetime.strptime(value, _STAMP_FORM).replace(tzinfo=BUSINESS_ZONE)
    except ValueError as error:
        raise MalformedError(f"{name} is no instant") from error
    return there.astimezone(UTC)


def stamp(at: datetime) -> str:
    """Return an instant as the gateway writes it: Chinese time, whole seconds, no zone."""
    return at.astimezone(BUSINESS_ZONE).strftime(_STAMP_FORM)
