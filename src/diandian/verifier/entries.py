"""The entries of the public log: what each type may hold, and nothing else.

The bytes of an entry are canonical JSON of one flat object. Everything is an identifier, a code, a
number or a hash, so that no name of a person can stand in it. *Source:* decision 0027, L5.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from diandian.kernel.canonical import canonical_json
from diandian.verifier.notes import NoteError, Verifier
from diandian.verifier.tiles import MAX_ENTRY_BYTES

SCHEMA = "diandian/log/1"
CUSTODIES = ("native", "external")
LANE_KINDS = ("sale", "buffer")
OUTCOMES = ("replaced", "buffer", "short")
# Beyond this, readers in JavaScript round integers.
MAX_INTEGER = 2**53 - 1
# How texts are made, for readers that check many entries at once.
ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}"
PURPOSE = r"[a-z0-9_.-]{1,40}"
SHA256_HEX = r"[0-9a-f]{64}"
_YEARS = range(1900, 2201)
_RANGE_PARTS = 3
_NAMED = 5

# Returns what is wrong with a value, or "".
_Rule = Callable[[Any], str]


class EntryError(ValueError):
    """This is no entry of the log; the text names the type, the member and what is wrong."""


def _pattern(pattern: str, what: str) -> _Rule:
    matches = re.compile(pattern, re.ASCII).fullmatch

    def check(value: object) -> str:
        return "" if type(value) is str and matches(value) else f"is not {what}"

    return check


def _integer(lowest: int, highest: int = MAX_INTEGER) -> _Rule:
    def check(value: object) -> str:
        fits = type(value) is int and lowest <= value <= highest
        return "" if fits else f"is not an integer from {lowest} to {highest}"

    return check


def _among(*values: str) -> _Rule:
    def check(value: object) -> str:
        return "" if type(value) is str and value in values else f"is not one of {values}"

    return check


def _flag(value: object) -> str:
    return "" if type(value) is bool else "is not true or false"


def _or_null(rule: _Rule) -> _Rule:
    def check(value: object) -> str:
        return "" if value is None else rule(value)

    return check


_is_day = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII).fullmatch
_is_instant = re.compile(r"[0-9-]{10}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII).fullmatch


# Entries that were made together have their days and instants in common.
@lru_cache(maxsize=1024)
def _is_real_day(text: str) -> bool:
    try:
        return bool(_is_day(text) and date.fromisoformat(text))
    except ValueError:
        return False


@lru_cache(maxsize=1024)
def _is_real_instant(text: str) -> bool:
    try:
        is_formed = _is_instant(text) and _is_day(text[:10])
        return bool(is_formed and datetime.fromisoformat(text))
    except ValueError:
        return False


def _day(value: object) -> str:
    fits = type(value) is str and _is_real_day(value)
    return "" if fits else "is not a day YYYY-MM-DD"


def _instant(value: object) -> str:
    fits = type(value) is str and _is_real_instant(value)
    return "" if fits else "is not an instant YYYY-MM-DDTHH:MM:SSZ"


def _vkey(value: object) -> str:
    try:
        if type(value) is str and Verifier.parse(value).vkey() == value:
            return ""
    except NoteError as error:
        return str(error)
    return "is not a key name+hash+key"


_code = _pattern(r"[a-z0-9-]{1,40}", "a code of a-z, 0-9 and -")
_purpose = _pattern(PURPOSE, "a code of a-z, 0-9 and _ . -")
_id = _pattern(ID, "an identifier")
_origin = _pattern(r"[A-Za-z0-9][A-Za-z0-9.:/_-]{0,119}", "the name of a log")
_prefix = _pattern(r"[A-Za-z0-9./_-]{0,120}", "a prefix of serial numbers")
# A registry's own number for what it did, as it stands in its records: no spaces, so no sentence.
_reference = _pattern(r"[A-Za-z0-9][A-Za-z0-9.:/_#()~+-]{0,119}", "a reference without spaces")
_sha256 = _pattern(SHA256_HEX, "a SHA-256 of 64 hexadecimal digits")
_gram, _serial, _count = _integer(0), _integer(1), _integer(0)


def _range_list(first: _Rule) -> _Rule:
    def check(value: object) -> str:
        if type(value) is not list or not value:
            return "is not a list with at least one range"
        for item in value:
            if type(item) is not list or len(item) != _RANGE_PARTS:
                return "holds something that is not [name, start_g, end_g]"
            name, start_g, end_g = item
            problem = first(name) or _gram(start_g) or _gram(end_g)
            if problem:
                return f"holds a part that {problem}"
            if start_g >= end_g:
                return f"holds a range from {start_g} to {end_g}, which has no grams"
        return ""

    return check


_ranges = _range_list(_id)
_lanes = _range_list(_among(*LANE_KINDS))
_HEAD: dict[str, _Rule] = {"origin": _origin, "size": _count, "root": _sha256}


def _previous(value: object) -> str:
    if type(value) is not dict or value.keys() != _HEAD.keys():
        return "is not the origin, size and root of another log"
    problems = (rule(value[member]) for member, rule in _HEAD.items())
    return next((f"has a part that {problem}" for problem in problems if problem), "")


_USE: dict[str, _Rule] = {"ref": _reference, "ranges": _ranges, "reason": _code}
_STOP: dict[str, _Rule] = {"batch": _id, "reason": _code}
_MEMBERS: dict[str, dict[str, _Rule]] = {
    "open": {"schema": _among(SCHEMA), "origin": _origin, "previous": _or_null(_previous)},
    "issue": {
        "batch": _id,
        "programme": _id,
        "project": _id,
        "prefix": _prefix,
        "first": _serial,
        "last": _serial,
        "vintage": _integer(_YEARS.start, _YEARS.stop - 1),
        "custody": _among(*CUSTODIES),
        "ex_ante": _flag,
        "lanes": _lanes,
        "sample": _flag,
    },
    "upstream": {
        "batch": _id,
        "first": _serial,
        "last": _serial,
        "reference": _reference,
        "retired_at": _instant,
        "evidence": _sha256,
        "simulated": _flag,
    },
    "retire": {
        "retirement": _id,
        "ranges": _ranges,
        "commit": _sha256,
        "purpose": _purpose,
        "claim_from": _or_null(_day),
        "claim_to": _or_null(_day),
        "replaces": _or_null(_id),
        "sample": _flag,
    },
    "cancel": _USE,
    "reversal": _USE,
    "freeze": _STOP,
    "thaw": _STOP,
    "recall": {"recall": _id, "batch": _id, "start_g": _gram, "end_g": _gram, "reason": _code},
    "remedy": {
        "recall": _id,
        "retirement": _id,
        "outcome": _among(*OUTCOMES),
        "replacement": _or_null(_id),
        "short_g": _gram,
    },
    "correction": {"retirement": _id, "commit": _sha256, "version": _integer(1)},
    "key": {"vkey": _vkey, "from": _instant},
    "close": {"size": _count, "root": _sha256},
}
TYPES = tuple(_MEMBERS)
_COMMON: dict[str, _Rule] = {"type": _among(*TYPES), "at": _instant}
_RULES = {kind: {**_COMMON, **members} for kind, members in _MEMBERS.items()}
# Pairs that must be in order: the first below the second, or not above it.
_RISING = (("start_g", "end_g"),)
_NOT_FALLING = (("first", "last"), ("claim_from", "claim_to"))


def members(kind: str) -> tuple[str, ...]:
    """Return the members of a type, each of which an entry has. Raises: KeyError."""
    return tuple(_RULES[kind])


def problem_of(kind: str, member: str, value: object) -> str:
    """Return what would be wrong with a member, or "": for forms that ask early.

    Raises: KeyError when the type has no such member.
    """
    return _RULES[kind][member](value)


def _order(body: Mapping[str, Any]) -> str:
    for low, high in _RISING:
        if low in body and body[low] >= body[high]:
            return f"{low} is not below {high}"
    for low, high in _NOT_FALLING:
        if body.get(low) is not None and body[high] is not None and body[low] > body[high]:
            return f"{low} is beyond {high}"
    return ""


def require(body: Mapping[str, Any], like: Mapping[str, Any] | None = None) -> None:
    """Refuse a body that is not an entry. Raises: EntryError.

    ``like``: a body that is an entry of this type. What both have as one object was looked at.
    """
    kind = body.get("type")
    rules = _RULES.get(kind) if type(kind) is str else None
    if rules is None:
        raise EntryError(f"there is no entry of type {str(kind)[:40]!r}")
    if body.keys() != rules.keys():
        missing = sorted(rules.keys() - body.keys())
        foreign = sorted(str(key)[:40] for key in body.keys() - rules.keys())[:_NAMED]
        raise EntryError(f"{kind}: missing {missing}, not listed {foreign}")
    for member, rule in rules.items():
        value = body[member]
        if like is not None and value is like[member] and type(value) is not list:
            continue
        problem = rule(value)
        if problem:
            raise EntryError(f"{kind}: {member} {problem}")
    problem = _order(body)
    if problem:
        raise EntryError(f"{kind}: {problem}")


def encode(body: Mapping[str, Any], like: Mapping[str, Any] | None = None) -> bytes:
    """Return the bytes of an entry; ``like``: as ``require``.

    Raises: EntryError for whatever is not listed.
    """
    require(body, like)
    # Nothing but what is listed is in it.
    data = canonical_json(body, is_checked=True)
    if len(data) > MAX_ENTRY_BYTES:
        raise EntryError(f"{body['type']}: {len(data)} bytes are more than an entry may have")
    return data


def decode(data: bytes) -> dict[str, Any]:
    """Return the body of an entry. Raises: EntryError, also for other than canonical bytes."""
    if len(data) > MAX_ENTRY_BYTES:
        raise EntryError("more bytes than an entry may have")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EntryError("not JSON") from error
    if not isinstance(body, dict):
        raise EntryError("not a JSON object")
    require(body)
    if canonical_json(body) != data:
        raise EntryError(f"{body['type']}: the bytes are not canonical")
    return body
