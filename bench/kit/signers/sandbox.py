"""Notices as the sandbox signs them; its one merchant needs no facts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from diandian.kernel.clock import now
from diandian.payments.gateways.sandbox.peer import SIGNATURE_HEADER, TIMESTAMP_HEADER, Peer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IDS = ("demo",)
_DAY_MS = 86_400_000
_PEERS: list[Peer] = []


def merchant(folder: Path) -> dict[str, Any] | None:
    """Remember the sandbox's key; None: the house knows its merchant."""
    _PEERS[:] = [Peer(folder / "sandbox-gateway.sqlite3", folder / "keys")]
    return None


def keep_open() -> None:
    """Let what waits for its payment wait for another day: its end would be news, not a forgery."""
    _PEERS[0].run("UPDATE trade SET expires_ms = expires_ms + ?", (_DAY_MS,))


def sample(number: int, payment_no: str, inside: Callable[[bytes], bytes]) -> bytes:
    """Return the body of a notice that somebody paid."""
    facts = {"id": f"fuzz-{number}", "kind": "payment.succeeded", "payment_no": payment_no}
    facts |= {"merchant": "demo", "mode": "test"}
    return inside(json.dumps(facts | {"occurred_ms": int(now().timestamp()) * 1000}).encode())


def signed(body: bytes, shift: int = 0) -> tuple[dict[str, str], bytes]:
    """Return headers and body as the sandbox would send them."""
    stamp = str(int(now().timestamp()) + shift)
    signature = _PEERS[0].sign(b"notice", stamp.encode(), body)
    return {TIMESTAMP_HEADER: stamp, SIGNATURE_HEADER: signature}, body


def is_same(one: bytes, other: bytes) -> bool:
    """Tell whether a signature of one is right for the other."""
    return one == other
