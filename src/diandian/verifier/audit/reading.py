"""Reads entries quickly: most are retirements, and these are checked in compiled code.

A retirement that is not exactly as written here goes the careful way of ``entries.decode``, which
alone decides what is an entry.
"""

from datetime import date, datetime
from hashlib import blake2b
from typing import Annotated, Any, Literal

import msgspec

from diandian.verifier import entries

Id = Annotated[str, msgspec.Meta(pattern=rf"^{entries.ID}\Z")]
Gram = Annotated[int, msgspec.Meta(ge=0, le=entries.MAX_INTEGER)]
RETIRE_END = b',"type":"retire"}'


class Retire(msgspec.Struct, gc=False):
    """A retirement. The members are in the order of canonical JSON, so that it is written so."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    claim_from: date | None
    claim_to: date | None
    commit: Annotated[str, msgspec.Meta(pattern=rf"^{entries.SHA256_HEX}\Z")]
    purpose: Annotated[str, msgspec.Meta(pattern=rf"^{entries.PURPOSE}\Z")]
    ranges: Annotated[list[tuple[Id, Gram, Gram]], msgspec.Meta(min_length=1)]
    replaces: Id | None
    retirement: Id
    sample: bool
    type: Literal["retire"]


_decode = msgspec.json.Decoder(Retire).decode
_encode = msgspec.json.Encoder().encode


def quick_retire(data: bytes) -> Retire | None:
    """Return the retirement, or None where the careful way must decide."""
    try:
        found = _decode(data)
    except msgspec.DecodeError:
        return None
    if _encode(found) != data or found.at.microsecond:
        return None
    if found.claim_from is not None and found.claim_to is not None:
        return found if found.claim_from <= found.claim_to else None
    return found


def careful(data: bytes) -> dict[str, Any]:
    """Return the body of an entry of any type. Raises: EntryError."""
    return entries.decode(data)


def tag_of(name: str) -> int:
    """Return eight bytes of a retirement's name, as a number."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
