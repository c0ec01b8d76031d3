"""``python -m diandian.verifier FILE [--key KEY]``: check a certificate file, offline.

Exit codes: 0 everything holds and the signature fits; 1 something is wrong; 2 the file or the key
cannot be read; 3 the record agrees with itself, but no key was given, so nobody vouches for it.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from diandian.verifier import certificate, credential, multibase
from diandian.verifier.checks import Check

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
        "--key", default="", help="the issuer's public key: 64 hexadecimal digits or z6Mk…"
    )
    return parser.parse_args(argv)


def _print(checks: list[Check]) -> None:
    for check in checks:
        print("ok  " if check.ok else "FAIL", check)


def main(argv: list[str] | None = None) -> int:
    """Check one file, print every finding and return the exit code."""
    arguments = _arguments(argv)
    try:
        key = multibase.decode_key(arguments.key) if arguments.key else None
        document = read_document(arguments.file)
    except (OSError, ValueError, RecursionError) as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return 2
    checks = credential.checks(document, key)
    if checks[0].ok and isinstance(document, dict):
        checks += certificate.checks(credential.record_of(document))
    _print(checks)
    if not all(check.ok for check in checks):
        print("NOT VALID")
        return 1
    if key is None:
        print("The record agrees with itself. The signature was NOT checked: give --key.")
        return 3
    print("VALID: unaltered since it was signed, and every number follows from the others.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
