"""What a day was: the balance transactions of the account, page by page, in our form.

The gateway signs no file. What is read came over TLS from the account that our key is proven to
open, and the list must be whole: no gap, nothing twice, nothing of another day.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING

from diandian.kernel.clock import day_starts
from diandian.payments.gateways.stripe import answers, client
from diandian.payments.gateways.stripe.answers import MalformedError, NoAnswerError
from diandian.payments.messages import Rejected
from diandian.payments.statements import NOT_READY, Statement, StatementLine

if TYPE_CHECKING:
    from datetime import date, datetime

    from diandian.payments.gateways.stripe.answers import Facts
    from diandian.payments.messages import MerchantContext
    from diandian.payments.statements import LineKind, StatementKind

# A movement is in the list at once; an hour is for clocks and lists that lag.
_READY_AFTER = timedelta(hours=1)
_MOST_PAGES = 2_000

_KINDS: dict[str, LineKind] = {
    "charge": "payment",
    "payment": "payment",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund",
    "payment_failure_refund": "refund",
    "stripe_fee": "fee",
    "stripe_fx_fee": "fee",
    "tax_fee": "fee",
    "transfer": "split",
    "transfer_refund": "reversal",
    "transfer_cancel": "reversal",
    "transfer_failure": "reversal",
    "payout": "payout",
    "payout_cancel": "payout",
    "payout_failure": "payout",
}
# Of the type "adjustment" only the category tells what it is.
_CATEGORIES: dict[str, LineKind] = {
    "dispute": "dispute",
    "dispute_reversal": "dispute",
    "refund_failure": "refund",
    "fee": "fee",
}
_KEPT = ("id", "object", "amount", "currency", "created", "status", "metadata")
_TRADES = frozenset({"payment", "refund"})
_NUMBERS: dict[LineKind, str] = {
    "payment": "payment_no",
    "refund": "refund_no",
    "split": "split_no",
    "reversal": "reversal_no",
}


def fetch(context: MerchantContext, day: date, kind: StatementKind, *, at: datetime) -> Statement:
    """Return the statement of a business day. Raises: NoAnswerError, MalformedError."""
    begins, ends = day_starts(day), day_starts(day + timedelta(days=1))
    if at < ends + _READY_AFTER:
        raise NoAnswerError(Rejected(NOT_READY))
    span = {"gte": int(begins.timestamp()), "lt": int(ends.timestamp())}
    params = {"created": span, "expand": ["data.source"]}
    lines: list[StatementLine] = []
    kept: list[str] = []
    for _, moves in client.pages(
        context, "/v1/balance_transactions", params, at=at, limit=_MOST_PAGES
    ):
        for move in moves:
            if not begins <= answers.instant(move) < ends:
                raise MalformedError("a movement of another day")
            kept.append(_kept(move))
            line = _line(move, kind)
            if line is not None:
                lines.append(line)
    raw = "\n".join(reversed(kept)).encode()
    return Statement(
        day=day,
        kind=kind,
        lines=tuple(reversed(lines)),
        raw=raw,
        sha256=hashlib.sha256(raw).hexdigest(),
        is_proven=True,
    )


def _kept(move: Facts) -> str:
    """Return a movement as it came, less what the thing behind it says of the payer."""
    source = move.get("source")
    if isinstance(source, dict):
        move = move | {"source": {name: source[name] for name in _KEPT if name in source}}
    return json.dumps(move, sort_keys=True)


def _line(move: Facts, kind: StatementKind) -> StatementLine | None:
    line_kind = _kind(move)
    if kind == "trades" and line_kind not in _TRADES:
        return None
    source = move.get("source")
    thing = source if isinstance(source, dict) else {}
    gross, fee, code = _money(move, thing, kind)
    if line_kind == "fee" and thing.get("object") == "dispute":
        # What a chargeback costs more, or gave back of its cost: of the chargeback, with no money.
        line_kind, gross, fee = "dispute", 0, fee - gross
    return StatementLine(
        kind=line_kind,
        gateway_ref=answers.ref(move, "source") if source is not None else answers.ref(move),
        our_no=answers.noted(thing, _NUMBERS.get(line_kind, "payment_no")),
        gross_minor=gross,
        fee_minor=fee,
        net_minor=gross - fee,
        currency=code,
        at=answers.instant(move),
        status=answers.text(move, "type"),
        payment_no=answers.noted(thing, "payment_no") if line_kind == "refund" else "",
        # What was made in the console, or by a payer's bank, bears no number of ours.
        payment_ref=_charge_of(thing) if line_kind in {"refund", "dispute"} else "",
    )


def _charge_of(thing: Facts) -> str:
    """Return the charge of a refund or chargeback, "" where it names none."""
    return answers.ref(thing, "charge") if thing.get("charge") else ""


def _kind(move: Facts) -> LineKind:
    category = move.get("reporting_category")
    if answers.text(move, "type") == "adjustment" and isinstance(category, str):
        return _CATEGORIES.get(category, "other")
    return _KINDS.get(answers.text(move, "type"), "other")


def _money(move: Facts, thing: Facts, kind: StatementKind) -> tuple[int, int, str]:
    """Return gross, fee and currency: of funds as the balance has it, of trades as the guest paid.

    The two differ where the gateway converted; the fee is then in the balance's currency, and so
    stands in the funds alone.
    """
    gross, fee = answers.minor(move, "amount"), answers.minor(move, "fee")
    if answers.minor(move, "net") != gross - fee:
        raise MalformedError("a movement does not add up")
    code = answers.currency(move)
    if kind == "funds" or "currency" not in thing or answers.currency(thing) == code:
        return gross, fee, code
    paid = answers.amount(thing, "amount")
    return (paid if gross >= 0 else -paid), 0, answers.currency(thing)
