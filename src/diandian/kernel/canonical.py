"""Canonical JSON (RFC 8785) and its SHA-256, for receipts, certificates and idempotency."""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal


def _check(value: object) -> None:
    if isinstance(value, float | Decimal):
        raise TypeError("canonical JSON here holds no floats or Decimals: use strings or integers")
    if isinstance(value, Mapping):
        for item in value.values():
            _check(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)


def canonical_json(value: object) -> bytes:
    """Return RFC 8785 bytes of a value made of dict, list, str, int, bool and None.

    Sorting by code point equals RFC 8785's UTF-16 order for the ASCII keys that we use.
    Raises: TypeError on floats and Decimals.
    """
    _check(value)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def digest_hex(value: object) -> str:
    """Return the SHA-256 of the canonical JSON, in lower-case hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
