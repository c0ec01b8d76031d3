"""Base58 (Bitcoin alphabet) as multibase ``z…``, for signatures and Ed25519 keys.

*Source:* W3C Controlled Identifiers v1.0, sections on Multibase and Multikey.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_ED25519 = b"\xed\x01"
_MAX_LENGTH = 200


def encode(data: bytes) -> str:
    """Return bytes as ``z`` and base 58.

    >>> encode(bytes.fromhex("0000287fb4cd"))
    'z11233QC4'
    """
    value = int.from_bytes(data, "big")
    parts: list[str] = []
    while value:
        # Four digits of the large number at once, then two of a small one.
        value, four = divmod(value, 58**4)
        parts += _PAIRS[four % 58**2], _PAIRS[four // 58**2]
    text = "".join(reversed(parts)).lstrip(_ALPHABET[0])
    return "z" + _ALPHABET[0] * (len(data) - len(data.lstrip(b"\0"))) + text


def decode(text: str) -> bytes:
    """Return the bytes of a ``z…`` text. Raises: ValueError."""
    if not text.startswith("z") or len(text) > _MAX_LENGTH:
        raise ValueError("not a base58btc multibase text")
    body = text[1:]
    value = 0
    for letter in body:
        value = value * 58 + _ALPHABET.index(letter)  # ValueError on a foreign letter
    zeros = len(body) - len(body.lstrip("1"))
    return b"\0" * zeros + value.to_bytes((value.bit_length() + 7) // 8, "big")


def encode_key(key: Ed25519PublicKey) -> str:
    """Return a public key as Multikey text, ``z6Mk…``."""
    return encode(_ED25519 + key.public_bytes_raw())


def decode_key(text: str) -> Ed25519PublicKey:
    """Return a public key from 64 hexadecimal digits or Multikey text. Raises: ValueError."""
    text = text.strip()
    if text.startswith("z"):
        data = decode(text)
        if not data.startswith(_ED25519):
            raise ValueError("not an Ed25519 key")
        data = data.removeprefix(_ED25519)
    else:
        data = bytes.fromhex(text)
    return Ed25519PublicKey.from_public_bytes(data)
