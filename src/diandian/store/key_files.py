"""Private keys in files: made whole or not at all, readable by their owner only."""

import os
import threading
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class SigningKeyMissingError(RuntimeError):
    """Production never invents a key: what is signed with it would die with the machine."""


def make(path: Path) -> None:
    """Make an Ed25519 key. Of two processes at once one wins, and both read the same key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # Written whole, then linked into place: two processes starting together end with one key.
    draft = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
    draft.touch(mode=0o600)
    draft.write_bytes(pem)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def read(path: Path) -> Ed25519PrivateKey:
    """Return the key of a file. Raises: OSError, ValueError where it holds no Ed25519 key."""
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path.name} holds another kind of key than Ed25519")  # noqa: TRY004
    return key


def read_or_make(path: Path, *, may_make: bool) -> Ed25519PrivateKey:
    """Return the key of a file, made if there is none and it may be.

    Raises: SigningKeyMissingError.
    """
    if not path.exists():
        if not may_make:
            raise SigningKeyMissingError(f"put an Ed25519 key in PEM form at {path}")
        make(path)
    return read(path)
