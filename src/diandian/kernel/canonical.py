"""Canonical JSON (RFC 8785) and its SHA-256, for receipts, certificates and idempotency."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping

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
    waiting: list[object] = [[value]]
    while waiting:
        holder = waiting.pop()
        if type(holder) is not list and isinstance(holder, Mapping):
            holder = holder.values()
        for item in holder:  # type: ignore[attr-defined]
            kind = type(item)
            if kind in _PLAIN:
                continue
            if kind is dict or kind is list or isinstance(item, Mapping | list | tuple):
                waiting.append(item)
            elif not isinstance(item, str | int):
                # A float, a Decimal, a day: each reader would write it in another way.
                raise TypeError(
                    f"canonical JSON here holds no {kind.__name__}: use strings or integers"
                )


def canonical_json(value: object, *, is_checked: bool = False) -> bytes:
    """Return RFC 8785 bytes of a value made of dict, list, str, int, bool and None.

    Sorting by code point equals RFC 8785's UTF-16 order for the ASCII keys that we use.
    ``is_checked``: somebody looked already that nothing else is in it.
    Raises: TypeError on floats, Decimals and everything else.
    """
    if not is_checked:
        _check(value)
    try:
        return _encode(value)
    except TypeError:  # subclasses of text, keys that are numbers
        return encode_plainly(value)


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
