"""Notices as Stripe signs them: HMAC-SHA256 over the time, a dot and the very bytes."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any

from diandian.kernel.clock import now

if TYPE_CHECKING:
    from pathlib import Path

_SECRET = "whsec_" + secrets.token_hex(16)


def merchant(folder: Path) -> dict[str, Any]:
    """Write made-up keys and return the facts of a merchant."""
    (folder / "stripe-key").write_text("rk_test_" + secrets.token_hex(12))
    (folder / "stripe-secret").write_text(_SECRET)
    return {
        "merchant": "acct_1fuzz",
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


def signed(body: bytes) -> dict[str, str]:
    """Return the headers with which Stripe would send these bytes."""
    stamp = str(int(now().timestamp()))
    digest = hmac.new(_SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={digest}"}


def sample(number: int) -> bytes:
    """Return the body of a lawful notice about a payment that is not there."""
    session = {"id": f"cs_test_{number}", "object": "checkout.session"}
    session |= {"client_reference_id": f"DDFUZZ{number}", "livemode": False}
    session |= {"metadata": {"payment_no": f"DDFUZZ{number}"}, "payment_status": "paid"}
    event = {"id": f"evt_fuzz_{number}", "object": "event", "livemode": False}
    event |= {"type": "checkout.session.completed", "created": int(now().timestamp())}
    return json.dumps(event | {"data": {"object": session}}).encode()
