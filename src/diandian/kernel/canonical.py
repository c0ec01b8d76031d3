"""Canonical JSON (RFC 8785) and its SHA-256, for receipts, certificates and idempotency."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

_WRITER = msgspec.json.Encoder(order="sorted")
_PLAIN = frozenset({str, int, bool, type(None)})


def _check(value: object) -> None:
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind in _PLAIN:
            continue
        if kind is dict:
            waiting.extend(item.values())
        elif kind is list:
            waiting.extend(item)
        elif isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        elif isinstance(item, float | Decimal):
            raise TypeError(
                "canonical JSON here holds no floats or Decimals: use strings or integers"
            )


def canonical_json(value: object) -> bytes:
    """Return RFC 8785 bytes of a value made of dict, list, str, int, bool and None.

    Sorting by code point equals RFC 8785's UTF-16 order for the ASCII keys that we use.
    Raises: TypeError on floats and Decimals.
    """
    _check(value)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def written(value: object) -> bytes:
    """Return ``canonical_json`` of a value in which the caller found only plain JSON; it is faster.

    Nothing is refused here: other types would be written in some form.
    """
    return _WRITER.encode(value)


def digest_hex(value: object) -> str:
    """Return the SHA-256 of the canonical JSON, in lower-case hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def digest_lines(lines: Iterable[str]) -> tuple[int, str]:
    """Return how many lines there are, and the SHA-256 of all, each ended by a line feed."""
    digest, count = hashlib.sha256(), 0
    for line in lines:
        digest.update(line.encode() + b"\n")
        count += 1
    return count, digest.hexdigest()
