"""One body of every type of entry of the log."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from diandian.verifier import notes

ORIGIN = "log.example/2026"
AT = "2026-11-28T08:00:00Z"
LOG = notes.Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"L" * 32))
HASH = "ab" * 32
TONNE = 1_000_000

BODIES = {
    "open": {"schema": "diandian/log/1", "origin": ORIGIN, "previous": None},
    "issue": {
        "batch": "B-1",
        "programme": "SIM",
        "project": "cookstoves",
        "prefix": "SIM-2024-",
        "first": 1,
        "last": 10,
        "vintage": 2024,
        "custody": "external",
        "ex_ante": False,
        "lanes": [["sale", 0, 9 * TONNE], ["buffer", 9 * TONNE, 10 * TONNE]],
        "sample": True,
    },
    "upstream": {
        "batch": "B-1",
        "first": 1,
        "last": 2,
        "reference": "UP-2026/17",
        "retired_at": AT,
        "evidence": HASH,
        "simulated": True,
    },
    "retire": {
        "retirement": "01J000000000000000000001",
        "ranges": [["B-1", 0, 137_000]],
        "commit": HASH,
        "purpose": "visit",
        "claim_from": "2026-11-27",
        "claim_to": "2026-11-28",
        "replaces": None,
        "sample": True,
    },
    "cancel": {"ref": "cancel:1", "ranges": [["B-1", 137_000, 138_000]], "reason": "spoilt"},
    "reversal": {
        "ref": "fire:1",
        "ranges": [["B-1", 9 * TONNE, 9 * TONNE + 5]],
        "reason": "fire",
    },
    "freeze": {"batch": "B-1", "reason": "review"},
    "thaw": {"batch": "B-1", "reason": "review-over"},
    "recall": {
        "recall": "R-1",
        "batch": "B-1",
        "start_g": 0,
        "end_g": 100_000,
        "reason": "withdrawn",
    },
    "remedy": {
        "recall": "R-1",
        "retirement": "01J000000000000000000001",
        "outcome": "short",
        "replacement": None,
        "short_g": 100_000,
    },
    "correction": {"retirement": "01J000000000000000000001", "commit": HASH, "version": 2},
    "key": {"vkey": LOG.vkey(), "from": AT},
    "close": {"size": 12, "root": HASH},
}


def body(kind, **changes):
    """Return a body of this type, with some members changed."""
    return {"type": kind, "at": AT, **BODIES[kind], **changes}
