"""Notices as the sandbox signs them; its one merchant needs no facts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from diandian.kernel.clock import now
from diandian.payments.gateways.sandbox.peer import SIGNATURE_HEADER, TIMESTAMP_HEADER, Peer

if TYPE_CHECKING:
    from pathlib import Path

_PEERS: list[Peer] = []


def merchant(folder: Path) -> dict[str, Any] | None:
    """Remember the sandbox's key; None: the house knows its merchant."""
    _PEERS[:] = [Peer(folder / "sandbox-gateway.sqlite3", folder / "keys")]
    return None


def signed(body: bytes) -> dict[str, str]:
    """Return the headers with which the sandbox would send these bytes."""
    stamp = str(int(now().timestamp()))
    return {
        TIMESTAMP_HEADER: stamp,
        SIGNATURE_HEADER: _PEERS[0].sign(b"notice", stamp.encode(), body),
    }


def sample(number: int) -> bytes:
    """Return the body of a lawful notice about a payment that is not there."""
    facts = {"id": f"fuzz-{number}", "kind": "payment.succeeded", "payment_no": f"DDFUZZ{number}"}
    facts |= {"merchant": "demo", "mode": "test"}
    return json.dumps(facts | {"occurred_ms": int(now().timestamp()) * 1000}).encode()
