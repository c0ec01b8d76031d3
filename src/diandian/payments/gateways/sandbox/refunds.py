"""The sandbox's desk of refunds: those that take their time, and those that are made by hand.

A refund is done at once unless its payment was set to think about it; then it waits until somebody
decides that it arrived, failed or found no way home.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Literal, get_args

from diandian.payments.gateways.sandbox import movements, statement_peer
from diandian.payments.gateways.sandbox.peer import SignedNotice, TradeRefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from diandian.payments.gateways.sandbox.peer import Peer
    from diandian.payments.messages import RefundSnapshotState

End = Literal["succeeded", "failed", "abnormal"]
ENDS: tuple[End, ...] = get_args(End)

_TABLES = (
    "CREATE TABLE IF NOT EXISTS refund_thinks (payment_no TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS refund_stands (refund_no TEXT PRIMARY KEY, state TEXT NOT NULL)",
)


def _ready(peer: Peer) -> Peer:
    for table in _TABLES:
        peer.run(table, ())
    return peer


def think(peer: Peer, payment_no: str, *, thinks: bool = True) -> None:
    """Let further refunds of a payment wait until somebody decides, or be done at once again."""
    statement = "INSERT OR IGNORE INTO refund_thinks VALUES (?)"
    if not thinks:
        statement = "DELETE FROM refund_thinks WHERE payment_no = ?"
    _ready(peer).run(statement, (payment_no,))


def take(peer: Peer, refund_no: str, payment_no: str) -> None:
    """Let a refund wait that was just taken, where its payment is set so."""
    _ready(peer).run(
        "INSERT OR IGNORE INTO refund_stands"
        " SELECT ?, 'processing' FROM refund_thinks WHERE payment_no = ?",
        (refund_no, payment_no),
    )


def state_of(peer: Peer, refund_no: str) -> RefundSnapshotState:
    """Return where a refund stands."""
    rows = _ready(peer).run("SELECT state FROM refund_stands WHERE refund_no = ?", (refund_no,))
    return rows[0][0] if rows else "succeeded"


def decide(peer: Peer, refund_no: str, end: End, now: datetime) -> SignedNotice:
    """Let a refund that waits arrive, fail or find no way home; return the notice about it.

    One that failed is not counted in what went back any more.
    Raises: TradeRefusedError when it does not wait.
    """
    decided = _ready(peer).run(
        "UPDATE refund_stands SET state = ? WHERE refund_no = ?"
        " AND state IN ('processing', 'abnormal') RETURNING refund_no",
        (end, refund_no),
    )
    row = peer.refund_by_no(refund_no)
    if not decided or row is None:
        raise TradeRefusedError("not_waiting")
    if end == "failed":
        movements.note(peer, "refund_failed", refund_no, now)
        peer.run(
            "UPDATE trade SET refunded_minor = refunded_minor - ? WHERE payment_no = ?",
            (row.amount_minor, row.payment_no),
        )
    return notice(peer, row.payment_no, now)


def bring_back(peer: Peer, refund_no: str, now: datetime) -> SignedNotice:
    """Let a refund that arrived come back from the payer's bank; return the notice about it.

    Raises: TradeRefusedError when it did not arrive.
    """
    if state_of(peer, refund_no) != "succeeded":
        raise TradeRefusedError("not_done")
    peer.run("INSERT OR REPLACE INTO refund_stands VALUES (?, 'abnormal')", (refund_no,))
    return decide(peer, refund_no, "failed", now)


def mend(peer: Peer, refund_no: str) -> None:
    """Find another way home for a refund that is abnormal; it arrives at once."""
    _ready(peer).run(
        "UPDATE refund_stands SET state = 'succeeded' WHERE refund_no = ? AND state = 'abnormal'",
        (refund_no,),
    )


def by_hand(peer: Peer, payment_no: str, amount_minor: int, now: datetime) -> SignedNotice:
    """Give money back as somebody does in the gateway's own console; return the notice about it.

    Raises: TradeRefusedError.
    """
    trade = peer.by_no(payment_no)
    if trade is None:
        raise TradeRefusedError("not_found")
    refund_no = f"console-{secrets.token_hex(8)}"
    peer.refund(
        refund_no=refund_no,
        payment_no=payment_no,
        amount_minor=amount_minor,
        currency=trade.currency,
    )
    statement_peer.note_refund(peer, refund_no, now)
    return notice(peer, payment_no, now)


def notice(peer: Peer, payment_no: str, now: datetime) -> SignedNotice:
    """Return a notice that something happened to money that came. Raises: TradeRefusedError."""
    trade = peer.by_no(payment_no)
    if trade is None:
        raise TradeRefusedError("not_found")
    return peer.notice(trade, "refund.changed", now)
