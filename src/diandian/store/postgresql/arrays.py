"""Columns of values as PostgreSQL's binary arrays, packed whole instead of value by value.

A hall's orders are written as columns; the driver's own way takes as long as writing the rows.
*Source:* PostgreSQL's binary format of arrays (``array_recv``): dimensions, whether there are
nulls, the elements' type, length and lower bound; then each element with its length.
"""

from itertools import chain, repeat
from struct import pack
from typing import Any

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_INT8, _TEXT = 20, 25
_INT8_ARRAY, _TEXT_ARRAY = 1016, 1009
_INT8_BYTES = 8
# Lengths of usual texts, made once.
_LENGTHS = [length.to_bytes(4) for length in range(1024)]
_NO_VALUE = b"\xff\xff\xff\xff"


class Integers(list[int | None]):
    """A column of integers."""


class Texts(list[str | None]):
    """A column of texts."""


def _head(oid: int, count: int, *, has_nulls: bool) -> bytes:
    return pack("!iiIii", 1, has_nulls, oid, count, 1)


class _IntegersDumper(Dumper):
    format = Format.BINARY
    oid = _INT8_ARRAY

    def dump(self, obj: Integers) -> bytes:
        count = len(obj)
        if None not in obj:
            pairs = chain.from_iterable(zip(repeat(_INT8_BYTES, count), obj, strict=True))
            return _head(_INT8, count, has_nulls=False) + pack("!" + "iq" * count, *pairs)
        parts = [_NO_VALUE if value is None else pack("!iq", _INT8_BYTES, value) for value in obj]
        return _head(_INT8, count, has_nulls=True) + b"".join(parts)


class _TextsDumper(Dumper):
    format = Format.BINARY
    oid = _TEXT_ARRAY

    def dump(self, obj: Texts) -> bytes:
        kinds = set(obj)
        has_nulls = None in kinds
        kinds.discard(None)
        texts: Any = kinds if has_nulls or 2 * len(kinds) <= len(obj) else obj
        if "\0" in "".join(texts):
            raise psycopg.DataError("PostgreSQL keeps no text with a zero byte in it")
        parts = _elements([text.encode() for text in texts])
        if texts is kinds:
            # What rows have in common is written once.
            known: dict[str | None, bytes] = {None: _NO_VALUE}
            known |= zip(kinds, map(bytes.__add__, parts[0::2], parts[1::2]), strict=True)
            parts = list(map(known.__getitem__, obj))
        return b"".join([_head(_TEXT, len(obj), has_nulls=has_nulls), *parts])


def _elements(encoded: list[bytes]) -> list[bytes]:
    """Return lengths and texts by turns."""
    lengths = list(map(len, encoded))
    parts = [b""] * (2 * len(encoded))
    if max(lengths, default=0) < len(_LENGTHS):
        parts[0::2] = map(_LENGTHS.__getitem__, lengths)
    else:
        parts[0::2] = [length.to_bytes(4) for length in lengths]
    parts[1::2] = encoded
    return parts


def register() -> None:
    """Teach the driver these two; before the first connection is made."""
    psycopg.adapters.register_dumper(Integers, _IntegersDumper)
    psycopg.adapters.register_dumper(Texts, _TextsDumper)
