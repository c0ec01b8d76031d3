"""Reads entries quickly: most are retirements, and these are checked in compiled code.

A retirement that is not exactly as written here goes the careful way of ``entries.decode``, which
alone decides what is an entry.
"""

import re
from collections.abc import Container
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec

from diandian.verifier import entries

Gram = Annotated[int, msgspec.Meta(ge=0, le=entries.MAX_INTEGER)]
RETIRE_END = b',"type":"retire"}'
# Any fixed number does; a prime spreads names well.
_TAGS = 2**61 - 1


class Retire(msgspec.Struct, gc=False):
    """A retirement. The members are in the order of canonical JSON, so that it is written so."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    claim_from: date | None
    claim_to: date | None
    commit: str
    purpose: str
    ranges: Annotated[list[tuple[str, Gram, Gram]], msgspec.Meta(min_length=1)]
    replaces: str | None
    retirement: str
    sample: bool
    type: Literal["retire"]


_decode = msgspec.json.Decoder(Retire).decode
_encode = msgspec.json.Encoder().encode
# Four texts a line each: none of them can hold a line's end.
_fits = re.compile(
    rf"{entries.SHA256_HEX}\n{entries.PURPOSE}\n{entries.ID}\n(?:{entries.ID})?", re.ASCII
).fullmatch


def quick_retire(data: bytes, batches: Container[str]) -> Retire | None:
    """Return the retirement of known batches, or None where the careful way must decide."""
    try:
        found = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    texts = f"{found.commit}\n{found.purpose}\n{found.retirement}\n{found.replaces or ''}"
    if not _fits(texts) or found.replaces == "" or _encode(found) != data or found.at.microsecond:
        return None
    for name, start_g, end_g in found.ranges:
        if name not in batches or start_g >= end_g:
            return None
    if found.claim_from is not None and found.claim_to is not None:
        return found if found.claim_from <= found.claim_to else None
    return found


def careful(data: bytes) -> dict[str, Any]:
    """Return the body of an entry of any type. Raises: EntryError."""
    return entries.decode(data)


def tag_of(name: str) -> int:
    """Return a retirement's name as a number below 2^61; equal names have equal numbers."""
    return int.from_bytes(name.encode(), "little") % _TAGS
