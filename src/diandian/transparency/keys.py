"""The keys that sign the log's heads, apart from the certificate key.

Every file ``log-*.pem`` in the folder of keys is one; which of them sign, the database says.
"""

from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from diandian.store import key_files
from diandian.transparency.models import LogKey
from diandian.verifier.notes import Signer, Verifier

FIRST_FILE = "log-ed25519.pem"


def first_key() -> Ed25519PrivateKey:
    """Return the key of a log that has none yet.

    Raises: SigningKeyMissingError in production without a file.
    """
    path = Path(settings.KEYS_DIR) / FIRST_FILE
    return key_files.read_or_make(path, may_make=settings.TEST_MODE)


def make_another(at: datetime) -> tuple[Ed25519PrivateKey, Path]:
    """Make a key because an operator asked for it; return it with its file."""
    path = Path(settings.KEYS_DIR) / f"log-ed25519-{at:%Y%m%dT%H%M%S}.pem"
    key_files.make(path)
    return key_files.read(path), path


def vkey_of(origin: str, key: Ed25519PrivateKey) -> str:
    """Return the public half as verifiers take it; its name is that of the log."""
    return Signer(origin, key).vkey()


def signers(origin: str, rows: list[LogKey]) -> list[Signer]:
    """Return the signers of keys, in their order. Raises: SigningKeyMissingError."""
    found = {}
    for path in sorted(Path(settings.KEYS_DIR).glob("log-*.pem")):
        signer = Signer(origin, key_files.read(path))
        found[signer.vkey()] = signer
    missing = [row.vkey for row in rows if row.vkey not in found]
    if missing:
        raise key_files.SigningKeyMissingError(
            f"no file log-*.pem in {settings.KEYS_DIR} holds the key {missing[0]}"
        )
    return [found[row.vkey] for row in rows]


def verifiers(rows: list[LogKey]) -> list[Verifier]:
    """Return the public halves of keys."""
    return [Verifier.parse(row.vkey) for row in rows]


def first_verifier(origin: str) -> Verifier:
    """Return the public half of the first key. Raises: SigningKeyMissingError."""
    return Signer(origin, first_key()).verifier
