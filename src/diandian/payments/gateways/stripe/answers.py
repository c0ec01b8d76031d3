"""Reads what Stripe says, and believes nothing about its shape; pure values.

Every reader raises MalformedError where a fact is missing, of another type, or out of bounds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from diandian.kernel.money import EXPONENTS
from diandian.payments import facts as facts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

# What is read alike at every gateway, under the names by which this one's answers are read.
Facts = facts_of.Facts
mapping, text = facts_of.mapping, facts_of.text
minor, amount = facts_of.minor, facts_of.amount
MalformedError = facts_of.MalformedError
NoAnswerError = facts_of.NoAnswerError

_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,40}")
_REF = re.compile(r"[A-Za-z0-9_]{1,80}")
_CURRENCY = re.compile(r"[a-z]{3}")
# The year 2100: no stamp of ours or of theirs lies beyond.
_LATEST_STAMP = 4_102_444_800


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of 2xx: ``facts`` of its JSON, ``body`` as it came; headers in small letters."""

    facts: Facts
    body: str
    headers: Mapping[str, str]


def items(facts: Facts) -> list[Facts]:
    """Return the entries of a list. Raises: MalformedError."""
    data = facts.get("data")
    if facts.get("object") != "list" or not isinstance(data, list):
        raise MalformedError("the answer is not a list")
    return [mapping(each, "an entry") for each in data]


def flag(facts: Facts, name: str) -> bool:
    """Return a truth value. Raises: MalformedError."""
    value = facts.get(name)
    if not isinstance(value, bool):
        raise MalformedError(f"{name} is neither true nor false")
    return value


def ref(facts: Facts, name: str = "id") -> str:
    """Return the gateway's name of a thing, expanded or not. Raises: MalformedError."""
    value = facts.get(name)
    if isinstance(value, dict):
        value = value.get("id")
    if not isinstance(value, str) or not _REF.fullmatch(value):
        raise MalformedError(f"{name} is no reference")
    return value


def is_ref(value: str) -> bool:
    """Tell whether a text may stand in an address as the gateway's name of a thing."""
    return _REF.fullmatch(value) is not None


def currency(facts: Facts, name: str = "currency") -> str:
    """Return an ISO 4217 code in capitals, known here or not. Raises: MalformedError."""
    value = facts.get(name)
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        raise MalformedError(f"{name} is no currency")
    return value.upper()


def is_known(code: str) -> bool:
    """Tell whether we know how many digits a currency has."""
    return code in EXPONENTS


def instant(facts: Facts, name: str = "created") -> datetime:
    """Return a stamp of whole seconds as an instant. Raises: MalformedError."""
    value = facts.get(name)
    if type(value) is not int or not 0 < value < _LATEST_STAMP:
        raise MalformedError(f"{name} is no instant")
    return datetime.fromtimestamp(value, UTC)


def noted(facts: Facts, name: str) -> str:
    """Return a number of ours from the metadata, "" where there is none that could be ours."""
    metadata = facts.get("metadata")
    value = metadata.get(name) if isinstance(metadata, dict) else None
    return value if isinstance(value, str) and _NUMBER.fullmatch(value) else ""


def our_number(value: object) -> str:
    """Return a text that could be a number of ours, else ""."""
    return value if isinstance(value, str) and _NUMBER.fullmatch(value) else ""
