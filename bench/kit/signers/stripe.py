"""Notices as Stripe signs them: HMAC-SHA256 over the time, a dot and the very bytes."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any

from diandian.kernel.clock import now

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IDS = ("acct_1fuzz",)
_SECRET = "whsec_" + secrets.token_hex(16)


def merchant(folder: Path) -> dict[str, Any]:
    """Write made-up keys and return the facts of a merchant."""
    (folder / "stripe-key").write_text("rk_test_" + secrets.token_hex(12))
    (folder / "stripe-secret").write_text(_SECRET)
    return {
        "merchant": IDS[0],
        "settlement": "connect",
        "suppliers": ["*"],
        "options": {
            "api_key": f"file:{folder / 'stripe-key'}",
            "webhook_secret": f"file:{folder / 'stripe-secret'}",
            # Nobody answers there: a notice that is believed leads to a question that fails.
            "base_url": "http://127.0.0.1:9",
            "allow_base_url": "yes",
        },
    }


def sample(number: int, payment_no: str, inside: Callable[[bytes], bytes]) -> bytes:
    """Return the body of a notice that somebody paid."""
    session: dict[str, Any] = {"id": f"cs_test_{number}", "object": "checkout.session"}
    session |= {"client_reference_id": payment_no, "livemode": False}
    session |= {"metadata": {"payment_no": payment_no}, "payment_status": "paid"}
    event: dict[str, Any] = {"id": f"evt_fuzz_{number}", "object": "event", "livemode": False}
    event |= {"type": "checkout.session.completed", "created": int(now().timestamp())}
    return inside(json.dumps(event | {"data": {"object": session}}).encode())


def signed(body: bytes, shift: int = 0) -> tuple[dict[str, str], bytes]:
    """Return headers and body as Stripe would send them."""
    stamp = str(int(now().timestamp()) + shift)
    digest = hmac.new(_SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={digest}"}, body


def is_same(one: bytes, other: bytes) -> bool:
    """Tell whether a signature of one is right for the other."""
    return one == other
