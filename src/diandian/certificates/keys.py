"""The platform's signing key for certificates: from a file, or made at the first start of a demo.

Log key and certificate key are separate by design; this is the certificate key.
"""

from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from diandian.store import key_files

KEY_FILE = "certificate-ed25519.pem"


@cache
def signing_key() -> Ed25519PrivateKey:
    """Return the private key. Raises: SigningKeyMissingError in production without a key file."""
    return key_files.read_or_make(settings.KEYS_DIR / KEY_FILE, may_make=settings.TEST_MODE)


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
