"""The sandbox's desk of chargebacks: a payer's bank takes the money first and decides later."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Literal, get_args

from diandian.payments.gateways.sandbox import movements
from diandian.payments.gateways.sandbox.peer import SignedNotice, TradeRefusedError
from diandian.payments.gateways.sandbox.tables import DISPUTES
from diandian.payments.messages import DisputeSnapshot

if TYPE_CHECKING:
    from datetime import datetime

    from diandian.payments.gateways.sandbox.peer import Peer

Verdict = Literal["won", "lost"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


def _ready(peer: Peer) -> Peer:
    peer.run(DISPUTES, ())
    return peer


def begin(
    peer: Peer, payment_no: str, *, amount_minor: int, fee_minor: int = 0, now: datetime
) -> tuple[str, SignedNotice]:
    """Let a payer's bank take money back; return the number of it, and the notice about it.

    Raises: TradeRefusedError when the trade was not paid or the amount is more than that.
    """
    trade = peer.by_no(payment_no)
    if trade is None or trade.state(now) != "succeeded":
        raise TradeRefusedError("not_paid")
    if not 0 < amount_minor <= trade.amount_minor or fee_minor < 0:
        raise TradeRefusedError("amount")
    dispute_ref = f"sd_{secrets.token_hex(8)}"
    _ready(peer).run(
        "INSERT INTO dispute (dispute_ref, payment_no, amount_minor, currency, fee_minor)"
        " VALUES (?, ?, ?, ?, ?)",
        (dispute_ref, payment_no, amount_minor, trade.currency, fee_minor),
    )
    movements.note(peer, "dispute", dispute_ref, now)
    return dispute_ref, peer.notice(trade, "dispute.changed", now)


def end(peer: Peer, dispute_ref: str, verdict: Verdict, now: datetime) -> SignedNotice:
    """Let the bank decide, and decide otherwise later; return the notice about it.

    Raises: TradeRefusedError when there is no such chargeback.
    """
    rows = _ready(peer).run(
        "UPDATE dispute SET state = ? WHERE dispute_ref = ? RETURNING payment_no",
        (verdict, dispute_ref),
    )
    trade = peer.by_no(rows[0][0]) if rows else None
    if trade is None:
        raise TradeRefusedError("not_found")
    movements.note(peer, verdict, dispute_ref, now)
    return peer.notice(trade, "dispute.changed", now)


def facts_of(peer: Peer, payment_no: str) -> list[dict[str, Any]]:
    """Return the chargebacks of a trade, as they stand in a signed answer."""
    names = ("dispute_ref", "state", "amount_minor", "currency", "fee_minor")
    rows = _ready(peer).run(
        "SELECT dispute_ref, state, amount_minor, currency, fee_minor FROM dispute"
        " WHERE payment_no = ? ORDER BY dispute_ref",
        (payment_no,),
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def snapshots(facts: list[dict[str, Any]]) -> tuple[DisputeSnapshot, ...]:
    """Turn what a signed answer says about chargebacks into our words."""
    return tuple(DisputeSnapshot(**each) for each in facts)
