"""The platform's signing key for certificates: from a file, or made at the first start of a demo.

Log key and certificate key are separate by design; this is the certificate key.
"""

import os
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

KEY_FILE = "certificate-ed25519.pem"


class SigningKeyMissingError(RuntimeError):
    """Production never invents a key: certificates signed with it would die with the machine."""


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # Written whole, then linked into place: two processes starting together end with one key.
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(pem)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


@cache
def signing_key() -> Ed25519PrivateKey:
    """Return the private key. Raises: SigningKeyMissingError in production without a key file."""
    path = settings.KEYS_DIR / KEY_FILE
    if not path.exists():
        if not settings.TEST_MODE:
            raise SigningKeyMissingError(f"put an Ed25519 key in PEM form at {path}")
        _make(path)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey), "the certificate key must be Ed25519"
    return key


def public_key() -> Ed25519PublicKey:
    """Return the public half, which anyone may have."""
    return signing_key().public_key()


def public_key_hex() -> str:
    """Return the raw public key in hexadecimal, as the stand-alone verifier takes it."""
    raw = public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return raw.hex()


def issuer() -> str:
    """Return the issuer's identifier: did:web of the platform's host."""
    return "did:web:" + settings.BASE_URL.split("://", 1)[-1].replace(":", "%3A").replace("/", ":")


def verification_method() -> str:
    """Return the identifier of the signing key."""
    return f"{issuer()}#{public_key_hex()[:16]}"
