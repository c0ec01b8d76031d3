"""The shipped sample record, in many states, signed by a key of the tests."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import diandian.certificates
from diandian.verifier import credential

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SAMPLE = json.loads(
    (Path(diandian.certificates.__file__).parent / "designs" / "sample_record.json").read_text()
)


def record(**changes):
    """Return the sample record; ``a__b=1`` changes record["a"]["b"]."""
    made = copy.deepcopy(SAMPLE)
    for path, value in changes.items():
        *way, last = path.split("__")
        target = made
        for key in way:
            target = target[key]
        target[last] = value
    return made


def held(**changes):
    """Return a record that is paid and not yet retired."""
    state = {
        "state": "held", "retired_at": None, "retire_by": "2026-12-01", "claim__level": "L1",
    }  # fmt: skip
    return record(**(state | changes))


def lump_sum(**changes):
    """Return a record of a company's lump sum, without scene or estimate."""
    sum_of = {"purpose": "lump_sum", "scene": None, "estimate": None, "dots": {"goods": 124}}
    return record(**(sum_of | changes))


def sign(made, **facts):
    """Return the credential around a record."""
    return credential.sign(
        made,
        issuer="did:web:diandian.example",
        key=KEY,
        verification_method="did:web:diandian.example#test",
        created=datetime(2026, 11, 27, 8, tzinfo=UTC),
        **facts,
    )
