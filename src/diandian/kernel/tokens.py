"""Unguessable tokens for secret links, and short codes that people can read aloud.

Codes use Crockford's base 32 (no I, L, O, U) with a check character, so that a slip of the finger
is told apart from a forgery.
"""

import hashlib
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FORGIVEN = str.maketrans(
    {"O": "0", "I": "1", "L": "1", "U": "V", " ": "", "-": "", "–": "", "_": ""}
)
CODE_LENGTH = 12  # eleven random characters (55 bits) and one check character


def secret_token() -> str:
    """Return a URL-safe token of 128 random bits."""
    return secrets.token_urlsafe(16)


def _check_character(body: str) -> str:
    return ALPHABET[hashlib.sha256(f"DD-{body}".encode()).digest()[0] % 32]


def new_code() -> str:
    """Return a new certificate code: eleven random characters and a check character."""
    drawn = secrets.token_bytes(CODE_LENGTH - 1)
    body = "".join([ALPHABET[byte % 32] for byte in drawn])
    return body + _check_character(body)


def normalise_code(text: str) -> str:
    """Return the code as stored, forgiving case, spaces, dashes and O/0, I/1, L/1."""
    import unicodedata  # noqa: PLC0415 - full-width forms are rare; keep the import off the hot path

    return unicodedata.normalize("NFKC", text).upper().translate(_FORGIVEN)


def is_well_formed(code: str) -> bool:
    """Tell whether a normalised code has the right length, letters and check character."""
    return (
        len(code) == CODE_LENGTH
        and all(letter in ALPHABET for letter in code)
        and code[-1] == _check_character(code[:-1])
    )


def spaced_code(code: str) -> str:
    """Return the code in groups for reading: 7K3M-9QXD-2B4F."""
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"
