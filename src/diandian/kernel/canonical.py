"""Canonical JSON (RFC 8785) and its SHA-256, for receipts, certificates and idempotency."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

_PLAIN = frozenset({str, int, bool, type(None)})


def encode_plainly(value: object) -> bytes:
    """Return the same bytes with nothing but Python, as whoever checks a document may have it."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


_encode: Callable[[object], bytes]
try:
    import msgspec
except ImportError:
    _encode = encode_plainly
else:
    _encode = msgspec.json.Encoder(order="sorted").encode


def _check(value: object) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind in _PLAIN:
            continue
        if kind is dict or isinstance(item, Mapping):
            waiting.extend(item.values())  # type: ignore[attr-defined]
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        elif isinstance(item, float | Decimal):
            raise TypeError(
                "canonical JSON here holds no floats or Decimals: use strings or integers"
            )


def canonical_json(value: object, *, is_checked: bool = False) -> bytes:
    """Return RFC 8785 bytes of a value made of dict, list, str, int, bool and None.

    Sorting by code point equals RFC 8785's UTF-16 order for the ASCII keys that we use.
    ``is_checked``: somebody looked already that nothing else is in it.
    Raises: TypeError on floats and Decimals.
    """
    if not is_checked:
        _check(value)
    return _encode(value)


def digest_hex(value: object, *, is_checked: bool = False) -> str:
    """Return the SHA-256 of the canonical JSON, in lower-case hexadecimal."""
    return hashlib.sha256(canonical_json(value, is_checked=is_checked)).hexdigest()


def digest_lines(lines: Iterable[str]) -> tuple[int, str]:
    """Return how many lines there are, and the SHA-256 of all, each ended by a line feed."""
    digest, count = hashlib.sha256(), 0
    for line in lines:
        digest.update(line.encode() + b"\n")
        count += 1
    return count, digest.hexdigest()
