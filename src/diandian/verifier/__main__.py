"""``python -m diandian.verifier FILE [--key KEY] [--proof FILE]``: check a certificate, offline.

Exit codes: 0 everything holds and the signature fits; 1 something is wrong; 2 the file or the key
cannot be read; 3 the record agrees with itself, but no key was given, so nobody vouches for it.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from diandian.verifier import certificate, credential, logged, multibase
from diandian.verifier.checks import Check
from diandian.verifier.notes import Verifier
from diandian.verifier.policy import Policy

_MAX_BYTES = 1_000_000


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return found


def read_document(path: Path) -> object:
    """Return the JSON of a certificate file, strictly. Raises: ValueError, OSError."""
    data = path.read_bytes()
    if len(data) > _MAX_BYTES:
        raise ValueError("the file is too large for a certificate")
    return json.loads(data.decode("utf-8"), object_pairs_hook=_once)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m diandian.verifier",
        description="Check a certificate's JSON file (attached to its PDF as certificate.json).",
    )
    parser.add_argument("file", type=Path, help="the certificate, as .json")
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        help="a public key: the issuer's (64 hexadecimal digits or z6Mk…), "
        "or the log's (name+hash+key); may be repeated",
    )
    parser.add_argument("--proof", type=Path, help="the proof that it stands in the public log")
    parser.add_argument("--policy", type=Path, help="whose cosignatures the proof needs")
    return parser.parse_args(argv)


class _Given(NamedTuple):
    """What the command line names, read."""

    document: object
    issuer: Ed25519PublicKey | None
    log_keys: list[Verifier]
    proof: str | None
    policy: Policy | None


def _text(path: Path | None) -> str | None:
    if path is None:
        return None
    data = path.read_bytes()
    if len(data) > _MAX_BYTES:
        raise ValueError("the file is too large")
    return data.decode("utf-8")


def _read(arguments: argparse.Namespace) -> _Given:
    """Return what was given. Raises: ValueError, OSError."""
    log_keys = [Verifier.parse(key) for key in arguments.key if "+" in key]
    issuers = [multibase.decode_key(key) for key in arguments.key if "+" not in key]
    if len(issuers) > 1:
        raise ValueError("one key of the issuer is enough")
    policy_text = _text(arguments.policy)
    policy = Policy.parse(policy_text) if policy_text is not None else None
    log_keys += policy.logs if policy is not None else ()
    if arguments.proof is not None and not log_keys:
        raise ValueError("--proof needs the log's key: give --key name+hash+key")
    document = read_document(arguments.file)
    issuer = issuers[0] if issuers else None
    return _Given(document, issuer, log_keys, _text(arguments.proof), policy)


def _print(checks: list[Check]) -> None:
    for check in checks:
        print("ok  " if check.ok else "FAIL", check)


def main(argv: list[str] | None = None) -> int:
    """Check one file, print every finding and return the exit code."""
    arguments = _arguments(argv)
    try:
        given = _read(arguments)
    except (OSError, ValueError, RecursionError) as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return 2
    checks = credential.checks(given.document, given.issuer)
    if checks[0].ok and isinstance(given.document, dict):
        record = credential.record_of(given.document)
        checks += certificate.checks(record)
        checks += logged.checks(record, given.proof, given.log_keys, given.policy)
    _print(checks)
    if not all(check.ok for check in checks):
        print("NOT VALID")
        return 1
    if given.issuer is None:
        print("The record agrees with itself. The signature was NOT checked: give --key.")
        return 3
    print("VALID: unaltered since it was signed, and every number follows from the others.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
