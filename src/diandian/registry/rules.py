"""Which batches may serve, which grams go first, and how a name is sealed; pure.

*Source:* design of the registry, sections 2 (R8 to R10), 3.3 and 5.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from diandian.kernel.canonical import canonical_json

_SUBJECT_DOMAIN = b"diandian/subject/v1"
_SALT_BYTES = 32
_UUID_BYTES, _LOW_62 = 10, (1 << 62) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireRequest:
    """What to retire and in whose name.

    ``owner_ref`` names the holds to use, ``source_ref`` makes the retirement once. ``subject``
    holds strings and integers; it stays with the beneficiary, the public sees its commitment.
    """

    owner_ref: str
    source_ref: str
    subject: Mapping[str, object]
    purpose: str
    context_ref: str = ""
    holder_kind: str = "person"
    claim_from: date | None = None
    claim_to: date | None = None
    is_sample: bool = False
    replaces_id: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """The free grams of one lane, and the age that decides its turn."""

    lane_id: int
    free_g: int
    issued_at: datetime


def refusal_to_serve(
    *, state: str, is_ex_ante: bool, verified_by: str, verified_on: date | None
) -> str | None:
    """Return why a batch may not serve now, or None when it may (R9).

    Ex-ante credits count zero: only verified reductions are sold.
    """
    if is_ex_ante:
        return "ex_ante"
    if not verified_by or verified_on is None:
        return "unverified"
    return None if state == "open" else state


def plan_hold(stretches: Iterable[Stretch], mass_g: int) -> list[tuple[int, int]]:
    """Share a mass among lanes, oldest issuance first; returned as (lane, grams) in lane order.

    The lane order is the lock order. An empty plan means that the stretches do not suffice.
    """
    assert mass_g > 0, "nothing to plan"
    plan, missing_g = [], mass_g
    for stretch in sorted(stretches, key=lambda stretch: (stretch.issued_at, stretch.lane_id)):
        take_g = min(stretch.free_g, missing_g)
        if take_g > 0:
            plan.append((stretch.lane_id, take_g))
            missing_g -= take_g
    assert missing_g >= 0, "never more than asked"
    return sorted(plan) if missing_g == 0 else []


def running_ranges(start_g: int, masses_g: Sequence[int]) -> list[tuple[int, int]]:
    """Lay masses end to end from a start: the ranges touch and never overlap.

    >>> running_ranges(250, [100, 50])
    [(250, 350), (350, 400)]
    """
    assert all(mass_g > 0 for mass_g in masses_g), "every range has grams"
    ranges, at_g = [], start_g
    for mass_g in masses_g:
        ranges.append((at_g, at_g + mass_g))
        at_g += mass_g
    return ranges


def split_evenly(total: int, parts: int, unit: int) -> list[tuple[int, int]]:
    """Cut ``[0, total)`` into stretches at whole units; the last one takes the remainder."""
    assert total > 0, "nothing to cut"
    step = max(unit, total // parts // unit * unit)
    cuts = [step * number for number in range(parts) if step * number < total]
    return list(zip(cuts, [*cuts[1:], total], strict=True))


def covers(spans: Iterable[tuple[int, int]], first: int, last: int) -> bool:
    """Tell whether spans, ends included, together hold every number from first to last."""
    wanted = first
    for start, end in sorted(spans):
        if start > wanted:
            break
        wanted = max(wanted, end + 1)
    return wanted > last


def new_salts(count: int) -> list[str]:
    """Return as many salts: 32 random bytes each, in hexadecimal."""
    drawn = secrets.token_hex(_SALT_BYTES * count)
    return [drawn[at : at + 2 * _SALT_BYTES] for at in range(0, len(drawn), 2 * _SALT_BYTES)]


def subject_commit(salt: str, subject: Mapping[str, object]) -> str:
    """Seal a subject so that whoever knows salt and subject can prove it, and nobody else guess it.

    *Source:* design of the registry, section 5. Erasing the salt makes the seal unlinkable.
    """
    salt_bytes = bytes.fromhex(salt)
    assert len(salt_bytes) == _SALT_BYTES, "the salt has 32 bytes"
    return hashlib.sha256(_SUBJECT_DOMAIN + salt_bytes + canonical_json(subject)).hexdigest()


def new_public_ids(count: int, at: datetime) -> list[str]:
    """Return version 7 UUIDs in 32 hexadecimal digits: sorted by time, not guessable.

    *Source:* RFC 9562, section 5.7.
    """
    milliseconds = int(at.timestamp() * 1000)
    assert 0 <= milliseconds < 1 << 48, "an instant of these millennia"
    head = milliseconds << 80 | 7 << 76
    drawn = secrets.token_bytes(_UUID_BYTES * count)
    parts = (
        int.from_bytes(drawn[begin : begin + _UUID_BYTES])
        for begin in range(0, len(drawn), _UUID_BYTES)
    )
    # Twelve random bits beside the version, sixty-two behind the variant; the rest is not used.
    return [
        f"{head | (part >> 62 & 0xFFF) << 64 | 2 << 62 | part & _LOW_62:032x}" for part in parts
    ]
