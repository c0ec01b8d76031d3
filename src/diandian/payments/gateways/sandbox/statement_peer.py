"""The outside world's statements: what its books say a day was, as a signed file.

A part of the other company: it reads the sandbox's own file and knows a fee for each payment. What
else moves money (parts, chargebacks, payouts) is in ``movements`` and on statements of funds alone.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from diandian.kernel.clock import day_starts
from diandian.payments.gateways.sandbox import movements

if TYPE_CHECKING:
    from datetime import date

    from diandian.payments.gateways.sandbox.peer import Peer

COLUMNS = (
    *("kind", "ref", "our_no", "payment_no", "gross_minor", "fee_minor", "net_minor"),
    *("currency", "at_ms", "status"),
)
# The hour of the next day, in China, from which a statement can be had.
READY_HOUR = 10
_BASIS = 10_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS refund_time (
    refund_no TEXT PRIMARY KEY, done_ms INTEGER NOT NULL
) WITHOUT ROWID
"""
_PAID = (
    "SELECT token, payment_no, amount_minor, currency, paid_ms FROM trade WHERE merchant = ?"
    " AND state = 'succeeded' AND paid_ms >= ? AND paid_ms < ? ORDER BY paid_ms, payment_no"
)
# Money that its own people gave back has no time of ours: it counts on the day of the payment.
_BACK = (
    "SELECT refund.refund_no, refund.payment_no, refund.amount_minor, refund.currency,"
    " coalesce(refund_time.done_ms, trade.paid_ms) AS done_ms FROM refund"
    " JOIN trade ON trade.payment_no = refund.payment_no"
    " LEFT JOIN refund_time ON refund_time.refund_no = refund.refund_no"
    " WHERE trade.merchant = ? AND coalesce(refund_time.done_ms, trade.paid_ms) >= ?"
    " AND coalesce(refund_time.done_ms, trade.paid_ms) < ? ORDER BY done_ms, refund.refund_no"
)


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A statement as the sandbox sends it."""

    body: bytes
    signature: str


def note_refund(peer: Peer, refund_no: str, at: datetime) -> None:
    """Write down when money went back; the first time counts."""
    peer.run(_SCHEMA, ())
    peer.run("INSERT OR IGNORE INTO refund_time VALUES (?, ?)", (refund_no, _ms(at)))


def write_statement(
    peer: Peer, merchant: str, day: date, kind: str, *, fee_basis_points: int, now: datetime
) -> SignedFile | None:
    """Return the statement of a business day; None while there is none yet."""
    end = day_starts(day + timedelta(days=1))
    if now < end + timedelta(hours=READY_HOUR):
        return None
    peer.run(_SCHEMA, ())
    bounds = (merchant, _ms(day_starts(day)), _ms(end))
    rows: list[tuple[object, ...]] = []
    for token, payment_no, amount, currency, paid_ms in peer.run(_PAID, bounds):
        fee = (amount * fee_basis_points + _BASIS // 2) // _BASIS
        same = (currency, paid_ms, "succeeded")
        ref = str(token)[:12]
        if kind == "trades":
            rows.append(("payment", ref, payment_no, "", amount, fee, amount - fee, *same))
            continue
        rows.append(("payment", ref, payment_no, "", amount, 0, amount, *same))
        if fee:
            rows.append(("fee", ref, payment_no, "", -fee, 0, -fee, *same))
    for refund_no, payment_no, amount, currency, done_ms in peer.run(_BACK, bounds):
        same = (currency, done_ms, "succeeded")
        rows.append(("refund", refund_no, refund_no, payment_no, -amount, 0, -amount, *same))
    rows += movements.refunds_that_failed(peer, *bounds)
    if kind == "funds":
        rows += movements.parts(peer, *bounds)
        rows += movements.chargebacks(peer, *bounds)
        rows += movements.payouts(peer, *bounds)
    body = _file(rows)
    return SignedFile(body, peer.sign(b"statement", body))


def _file(rows: list[tuple[object, ...]]) -> bytes:
    """Write rows as CSV that ends with how many there are, so that a cut-off file shows."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    writer.writerow(["end", len(rows)])
    return out.getvalue().encode()


def instant(milliseconds: str) -> datetime:
    """Return the instant of a line."""
    return datetime.fromtimestamp(int(milliseconds) // 1000, UTC)


def _ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000
