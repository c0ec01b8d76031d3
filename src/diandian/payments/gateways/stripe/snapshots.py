"""Turns charges and sessions into our snapshot of a payment.

A charge carries our number in its metadata and in its transfer group, so the list of a group tells
at once, and completely, whether money came. A session tells about a payment before that.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from diandian.payments.gateways.stripe import answers, client
from diandian.payments.messages import DisputeSnapshot, Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from diandian.payments.gateways.stripe.answers import Facts
    from diandian.payments.messages import DisputeState, MerchantContext, SnapshotState

# Of an inquiry (warning_*) no money moves; it is no chargeback yet.
_DISPUTES: dict[str, DisputeState] = {
    "needs_response": "open",
    "under_review": "open",
    "won": "won",
    "lost": "lost",
}
_SESSIONS: dict[str, SnapshotState] = {"open": "pending", "expired": "closed"}
# A session that is complete and not paid hangs on its intent.
_INTENTS: dict[str, SnapshotState] = {
    "processing": "pending",
    "requires_action": "pending",
    "requires_payment_method": "failed",
    "canceled": "closed",
}
_GONE_REFUNDS = frozenset({"failed", "canceled"})


def charges_of(context: MerchantContext, payment_no: str, *, at: datetime) -> list[Facts]:
    """Return every charge of a payment, the newest first. Raises: NoAnswerError, MalformedError."""
    params = {
        "transfer_group": payment_no,
        "expand": ["data.balance_transaction", "data.refunds"],
    }
    return client.listed(context, "/v1/charges", params, at=at)


def is_paid(charge: Facts) -> bool:
    """Tell whether a charge brought its money. Raises: MalformedError."""
    return answers.text(charge, "status") == "succeeded" and answers.flag(charge, "captured")


def paid_charge(charges: Sequence[Facts]) -> Facts | None:
    """Return the first charge that brought money. Raises: MalformedError."""
    return next((charge for charge in reversed(charges) if is_paid(charge)), None)


def of_charges(
    context: MerchantContext, charges: Sequence[Facts], *, at: datetime
) -> Snapshot | None:
    """Return what the charges of a payment say; None where no money came or is on its way.

    Were there ever two that brought money, the sum differs from the payment and people look at it.
    Raises: NoAnswerError, MalformedError.
    """
    paid = [charge for charge in reversed(charges) if is_paid(charge)]
    if paid:
        return _succeeded(context, paid, at=at)
    waiting = [charge for charge in charges if answers.text(charge, "status") == "pending"]
    return _plain(context, waiting[0], "pending", "amount") if waiting else None


def of_dead_charges(context: MerchantContext, charges: Sequence[Facts]) -> Snapshot:
    """Return what declined charges say whose session is long over. Raises: MalformedError."""
    return _plain(context, charges[0], "closed", "amount")


def of_session(context: MerchantContext, session: Facts, *, at: datetime) -> Snapshot:
    """Return what a session says. Raises: NoAnswerError, MalformedError."""
    state = _SESSIONS.get(answers.text(session, "status"))
    if state is None:
        intent = answers.mapping(session.get("payment_intent"), "payment_intent")
        charge = intent.get("latest_charge")
        if answers.text(session, "payment_status") == "paid" and isinstance(charge, dict):
            found = of_charges(context, [charge], at=at)
            if found is not None:
                return found
        state = _INTENTS.get(answers.text(intent, "status"), "pending")
    return _plain(context, session, state, "amount_total")


def _succeeded(context: MerchantContext, paid: Sequence[Facts], *, at: datetime) -> Snapshot:
    first = paid[0]
    currencies = {answers.currency(charge) for charge in paid}
    if len(currencies) != 1:
        raise answers.MalformedError("two charges of two currencies")
    fees = [_fee(charge) for charge in paid]
    return Snapshot(
        state="succeeded",
        payment_no=answers.noted(first, "payment_no"),
        merchant=context.account,
        mode=_mode(first),
        amount_minor=sum(answers.amount(charge, "amount") for charge in paid),
        currency=currencies.pop(),
        gateway_ref=answers.ref(first),
        paid_at=answers.instant(first),
        refunded_minor=sum(_refunded(charge) for charge in paid),
        raw_digest=_digest(paid),
        fee_minor=None if None in fees else sum(fee or 0 for fee in fees),
        disputes=tuple(each for charge in paid for each in _disputes(context, charge, at=at)),
    )


def _plain(context: MerchantContext, facts: Facts, state: SnapshotState, amount: str) -> Snapshot:
    return Snapshot(
        state=state,
        payment_no=answers.noted(facts, "payment_no"),
        merchant=context.account,
        mode=_mode(facts),
        amount_minor=answers.amount(facts, amount),
        currency=answers.currency(facts),
        gateway_ref=answers.ref(facts),
        paid_at=None,
        refunded_minor=0,
        raw_digest=_digest([facts]),
    )


def _mode(facts: Facts) -> str:
    return "live" if answers.flag(facts, "livemode") else "test"


def _digest(facts: Sequence[Facts]) -> str:
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).hexdigest()


def _fee(charge: Facts) -> int | None:
    """Return the gateway's fee, where it is known already and in the currency of the charge."""
    moved = charge.get("balance_transaction")
    if not isinstance(moved, dict) or answers.currency(moved) != answers.currency(charge):
        return None
    return answers.amount(moved, "fee")


def _refunded(charge: Facts) -> int:
    """Return all that went back or is on its way, whoever asked for it."""
    seen = 0
    if isinstance(charge.get("refunds"), dict):
        for refund in answers.items(charge["refunds"]):
            if answers.text(refund, "status") not in _GONE_REFUNDS:
                seen += answers.amount(refund, "amount")
    return max(seen, answers.amount(charge, "amount_refunded"))


def _disputes(context: MerchantContext, charge: Facts, *, at: datetime) -> list[DisputeSnapshot]:
    if not answers.flag(charge, "disputed"):
        return []
    found = client.listed(context, "/v1/disputes", {"charge": answers.ref(charge)}, at=at)
    known = [each for each in found if answers.text(each, "status") in _DISPUTES]
    return [_dispute(each) for each in known]


def _dispute(dispute: Facts) -> DisputeSnapshot:
    code = answers.currency(dispute)
    moves = dispute.get("balance_transactions")
    fees = [
        # What is given back of a fee, as in some that are won, the statement tells.
        max(0, answers.minor(move, "fee"))
        for move in (moves if isinstance(moves, list) else [])
        if isinstance(move, dict) and answers.currency(move) == code
    ]
    return DisputeSnapshot(
        dispute_ref=answers.ref(dispute),
        state=_DISPUTES[answers.text(dispute, "status")],
        amount_minor=answers.amount(dispute, "amount"),
        currency=code,
        fee_minor=sum(fees),
    )
