"""How the sandbox divides a received payment, and takes parts back; in the file of its bank.

It refuses what gateways refuse: too early, more than is there, more than its ratio, a number used
for something else, and to take back what a receiver has no more. ``split`` in the options of a
merchant says whether the supplier's part is passed on ("supplier") or our fee divided off ("fee").
"""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from diandian.payments import messages as port
from diandian.payments import splits
from diandian.payments.gateways.sandbox import movements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diandian.payments.gateways.sandbox.peer import Peer, Trade
    from diandian.payments.messages import MerchantContext, Outcome

_WHOLE = 10_000
_SUPPLIER = splits.SplitTerms(_WHOLE, wait_seconds=60, can_reverse=True, pays_supplier=True)
_FEE = splits.SplitTerms(
    3_000, wait_seconds=60, can_reverse=True, pays_supplier=False, holds_rest=True
)
# Receivers that a set-up can be tried with: one that fails for good, one that has nothing left.
CLOSED_RECEIVER = "closed"
EMPTY_RECEIVER = "empty"


def terms(context: MerchantContext) -> splits.SplitTerms:
    """Return how payments at this merchant may be divided."""
    return _FEE if context.options.get("split") == "fee" else _SUPPLIER


def split(
    peer: Peer, context: MerchantContext, request: splits.SplitRequest, *, at: datetime
) -> Outcome[splits.SplitSnapshot]:
    """Divide a payment at once, or release what is held. Idempotent by: the numbers."""
    try:
        refusal = _write_legs(peer, terms(context), request, at)
        if refusal is not None:
            return refusal
        for leg in request.legs:
            movements.note(peer, "split", leg.leg_no, at)
        if not request.legs:
            movements.note(peer, "released", request.split_no, at)
            return port.Done(splits.SplitSnapshot("succeeded", request.split_no, ()))
    except sqlite3.Error as error:
        return port.Unknown(str(error))
    return query_split(peer, request)


def _write_legs(
    peer: Peer, agreed: splits.SplitTerms, request: splits.SplitRequest, at: datetime
) -> port.Rejected | None:
    trade = peer.by_no(request.payment_no)
    if trade is None or trade.state(at) != "succeeded" or trade.paid_ms is None:
        return port.Rejected("not_paid")
    paid_at = datetime.fromtimestamp(trade.paid_ms / 1000, UTC)
    if (at - paid_at).total_seconds() < agreed.wait_seconds:
        return port.Rejected("too_early", retryable=True)
    with peer.writing() as bank:
        taken = dict(
            bank.execute(
                "SELECT leg_no, amount_minor - back_minor FROM leg"
                " WHERE payment_no = ? AND state <> 'failed'",
                (request.payment_no,),
            ).fetchall()
        )
        known = dict(_legs(bank, request))
        fresh = [leg for leg in request.legs if leg.leg_no not in known]
        if any(known[leg.leg_no] != _facts(leg) for leg in request.legs if leg.leg_no in known):
            return port.Rejected("number_reused")
        wanted = sum(taken.values()) + sum(leg.amount.amount_minor for leg in fresh)
        if fault := _fault(trade, fresh, wanted, agreed):
            return port.Rejected(fault)
        for leg in fresh:
            state = "failed" if leg.receiver == CLOSED_RECEIVER else "succeeded"
            bank.execute(
                "INSERT INTO leg VALUES (?, ?, ?, ?, ?, ?, 0)",
                (
                    *(leg.leg_no, request.split_no, request.payment_no, leg.receiver),
                    *(leg.amount.amount_minor, state),
                ),
            )
    return None


def _fault(
    trade: Trade, fresh: list[splits.SplitLeg], wanted_minor: int, agreed: splits.SplitTerms
) -> str:
    """Return why so much of a payment cannot be divided; "" when it can."""
    faults = {
        "currency": any(leg.amount.currency != trade.currency for leg in fresh),
        "not_enough": wanted_minor > trade.amount_minor - trade.refunded_minor,
        "over_ratio": wanted_minor * _WHOLE > trade.amount_minor * agreed.cap_basis_points,
    }
    return next((name for name, is_so in faults.items() if is_so), "")


def _legs(
    bank: sqlite3.Connection, request: splits.SplitRequest
) -> Iterator[tuple[str, tuple[str, int]]]:
    for leg in request.legs:
        for receiver, amount_minor in bank.execute(
            "SELECT receiver, amount_minor FROM leg WHERE leg_no = ?", (leg.leg_no,)
        ):
            yield leg.leg_no, (receiver, amount_minor)


def _facts(leg: splits.SplitLeg) -> tuple[str, int]:
    return leg.receiver, leg.amount.amount_minor


def query_split(peer: Peer, request: splits.SplitRequest) -> Outcome[splits.SplitSnapshot]:
    """Answer, signed, where the legs of a division stand."""
    try:
        rows = peer.run(
            "SELECT leg_no, state, amount_minor FROM leg WHERE split_no = ?", (request.split_no,)
        )
    except sqlite3.Error as error:
        return port.Unknown(str(error))
    if not rows:
        return port.Rejected(port.NOT_FOUND)
    body = json.dumps(rows).encode()
    if not peer.is_signed(peer.sign(b"answer", body), b"answer", body):
        return port.Unknown("unsigned answer")
    legs = tuple(
        splits.LegSnapshot(
            leg_no,
            state,
            amount_minor,
            leg_ref=f"sandbox-{leg_no}",
            reason="receiver closed" if state == "failed" else "",
        )
        for leg_no, state, amount_minor in rows
    )
    failed = any(leg.state == "failed" for leg in legs)
    return port.Done(
        splits.SplitSnapshot("failed" if failed else "succeeded", request.split_no, legs)
    )


def reverse(
    peer: Peer, request: splits.ReversalRequest, *, at: datetime
) -> Outcome[splits.ReversalSnapshot]:
    """Take a leg back at once. Idempotent by: the reversal's number."""
    amount_minor = request.amount.amount_minor
    if request.receiver.startswith(EMPTY_RECEIVER):
        return port.Rejected("receiver_short")
    try:
        with peer.writing() as bank:
            known = bank.execute(
                "SELECT leg_no, amount_minor FROM reversal WHERE reversal_no = ?",
                (request.reversal_no,),
            ).fetchone()
            if known is not None and tuple(known) != (request.leg_no, amount_minor):
                return port.Rejected("number_reused")
            if known is None:
                taken = bank.execute(
                    "UPDATE leg SET back_minor = back_minor + ?1 WHERE leg_no = ?2"
                    " AND state = 'succeeded' AND back_minor + ?1 <= amount_minor",
                    (amount_minor, request.leg_no),
                ).rowcount
                if not taken:
                    return port.Rejected("not_reversible")
                bank.execute(
                    "INSERT INTO reversal VALUES (?, ?, ?)",
                    (request.reversal_no, request.leg_no, amount_minor),
                )
        movements.note(peer, "reversal", request.reversal_no, at)
    except sqlite3.Error as error:
        return port.Unknown(str(error))
    return query_reversal(peer, request)


def query_reversal(peer: Peer, request: splits.ReversalRequest) -> Outcome[splits.ReversalSnapshot]:
    """Answer where a reversal stands; it is done at once."""
    try:
        rows = peer.run(
            "SELECT amount_minor FROM reversal WHERE reversal_no = ?", (request.reversal_no,)
        )
    except sqlite3.Error as error:
        return port.Unknown(str(error))
    if not rows:
        return port.Rejected(port.NOT_FOUND)
    return port.Done(splits.ReversalSnapshot("succeeded", request.reversal_no, rows[0][0]))
