"""What else moves money in the sandbox, with its time: parts, chargebacks, payouts to a bank.

A part of the other company. Rows are those of its statements: kind, its number, ours, the payment,
gross, fee, net, currency, time, word; what comes in for the merchant is positive.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from diandian.payments.gateways.sandbox.tables import DISPUTES, MOVED, PAYOUTS

if TYPE_CHECKING:
    from datetime import datetime

    from diandian.payments.gateways.sandbox.peer import Peer

Row = tuple[object, ...]

_FAILED = (
    "SELECT refund.refund_no, refund.payment_no, refund.amount_minor, refund.currency, moved.at_ms"
    " FROM moved JOIN refund ON refund.refund_no = moved.number"
    " JOIN trade ON trade.payment_no = refund.payment_no"
    " WHERE moved.what = 'refund_failed' AND trade.merchant = ?"
    " AND moved.at_ms >= ? AND moved.at_ms < ?"
    " ORDER BY moved.at_ms, refund.refund_no"
)
_LEGS = (
    "SELECT leg.split_no, leg.leg_no, leg.payment_no, leg.receiver, leg.amount_minor,"
    " trade.merchant, trade.currency, moved.at_ms"
    " FROM moved JOIN leg ON leg.leg_no = moved.number"
    " JOIN trade ON trade.payment_no = leg.payment_no"
    " WHERE moved.what = 'split' AND leg.state = 'succeeded' AND ? IN (trade.merchant,"
    " leg.receiver) AND moved.at_ms >= ? AND moved.at_ms < ? ORDER BY moved.at_ms, leg.leg_no"
)
_REVERSALS = (
    "SELECT reversal.reversal_no, leg.payment_no, reversal.amount_minor, trade.merchant,"
    " trade.currency, moved.at_ms"
    " FROM moved JOIN reversal ON reversal.reversal_no = moved.number"
    " JOIN leg ON leg.leg_no = reversal.leg_no JOIN trade ON trade.payment_no = leg.payment_no"
    " WHERE moved.what = 'reversal' AND ? IN (trade.merchant, leg.receiver)"
    " AND moved.at_ms >= ? AND moved.at_ms < ?"
    " ORDER BY moved.at_ms, reversal.reversal_no"
)
_DISPUTES = (
    "SELECT dispute.dispute_ref, dispute.payment_no, dispute.amount_minor, dispute.currency,"
    " dispute.fee_minor, moved.what, moved.at_ms"
    " FROM moved JOIN dispute ON dispute.dispute_ref = moved.number"
    " JOIN trade ON trade.payment_no = dispute.payment_no"
    " WHERE moved.what IN ('dispute', 'won') AND trade.merchant = ?"
    " AND moved.at_ms >= ? AND moved.at_ms < ?"
    " ORDER BY moved.at_ms, dispute.dispute_ref"
)
_PAYOUTS = (
    "SELECT payout_ref, amount_minor, currency, moved.what, moved.at_ms"
    " FROM moved JOIN payout ON payout.payout_ref = moved.number"
    " WHERE moved.what IN ('payout', 'payout_back') AND merchant = ?"
    " AND moved.at_ms >= ? AND moved.at_ms < ?"
    " ORDER BY moved.at_ms, payout_ref"
)


def _ready(peer: Peer) -> Peer:
    for table in (MOVED, PAYOUTS, DISPUTES):
        peer.run(table, ())
    return peer


def note(peer: Peer, what: str, number: str, at: datetime) -> None:
    """Write down when something moved money; the first time counts."""
    at_ms = int(at.timestamp()) * 1000
    _ready(peer).run("INSERT OR IGNORE INTO moved VALUES (?, ?, ?)", (what, number, at_ms))


def pay_out(peer: Peer, merchant: str, amount_minor: int, currency: str, at: datetime) -> str:
    """Send money of a merchant to its bank, as gateways do by themselves; return its number."""
    payout_ref = f"sp_{secrets.token_hex(8)}"
    _ready(peer).run(
        "INSERT INTO payout VALUES (?, ?, ?, ?)", (payout_ref, merchant, amount_minor, currency)
    )
    note(peer, "payout", payout_ref, at)
    return payout_ref


def return_payout(peer: Peer, payout_ref: str, at: datetime) -> None:
    """Let the bank send a payout back, whose account it does not know."""
    note(peer, "payout_back", payout_ref, at)


def _rows(peer: Peer, query: str, merchant: str, begin_ms: int, end_ms: int) -> list[Any]:
    return _ready(peer).run(query, (merchant, begin_ms, end_ms))


def refunds_that_failed(peer: Peer, merchant: str, begin_ms: int, end_ms: int) -> list[Row]:
    """Return what came back of refunds that found no way home."""
    return [
        ("refund", number, number, payment_no, amount, 0, amount, currency, at_ms, "returned")
        for number, payment_no, amount, currency, at_ms in _rows(
            peer, _FAILED, merchant, begin_ms, end_ms
        )
    ]


def parts(peer: Peer, merchant: str, begin_ms: int, end_ms: int) -> list[Row]:
    """Return the legs of payments and what was taken back of them, from one side's view."""
    rows: list[Row] = []
    for split_no, leg_no, payment_no, _, amount, payer, currency, at_ms in _rows(
        peer, _LEGS, merchant, begin_ms, end_ms
    ):
        net = -amount if payer == merchant else amount
        facts = (payment_no, net, 0, net, currency, at_ms, "split")
        rows.append(("split", f"sandbox-{leg_no}", split_no, *facts))
    for number, payment_no, amount, payer, currency, at_ms in _rows(
        peer, _REVERSALS, merchant, begin_ms, end_ms
    ):
        net = amount if payer == merchant else -amount
        facts = (payment_no, net, 0, net, currency, at_ms, "reversal")
        rows.append(("reversal", f"sandbox-{number}", number, *facts))
    return rows


def chargebacks(peer: Peer, merchant: str, begin_ms: int, end_ms: int) -> list[Row]:
    """Return what banks took, with its fee, and what they gave back of it."""
    rows: list[Row] = []
    for ref, payment_no, amount, currency, fee_minor, what, at_ms in _rows(
        peer, _DISPUTES, merchant, begin_ms, end_ms
    ):
        gross, fee = (-amount, fee_minor) if what == "dispute" else (amount, 0)
        facts = (payment_no, gross, fee, gross - fee, currency, at_ms, what)
        rows.append(("dispute", ref, "", *facts))
    return rows


def payouts(peer: Peer, merchant: str, begin_ms: int, end_ms: int) -> list[Row]:
    """Return what went to the merchant's bank, and what that sent back."""
    rows: list[Row] = []
    for ref, amount, currency, what, at_ms in _rows(peer, _PAYOUTS, merchant, begin_ms, end_ms):
        net = -amount if what == "payout" else amount
        rows.append(("payout", ref, "", "", net, 0, net, currency, at_ms, what))
    return rows
