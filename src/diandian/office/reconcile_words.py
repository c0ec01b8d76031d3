"""What a statement's day and its differences say at the desk: in words, with what to do next."""

from typing import Any

from django.utils.translation import get_language, gettext

from diandian.flows.reconcile_proof import Proof
from diandian.kernel.errors import N_
from diandian.kernel.money import EXPONENTS, Money
from diandian.reconciliation.models import GatewayDay, MatchItem
from diandian.reconciliation.queries import Difference
from diandian.ui.format import money

STATES = {
    "waiting": N_("waits for its statement"),
    "open": N_("open"),
    "closed": N_("closed"),
}
KINDS = {
    "payment": N_("payment"),
    "refund": N_("refund"),
    "fee": N_("fee"),
    "split": N_("part of a supplier"),
    "reversal": N_("part taken back"),
    "dispute": N_("dispute"),
    "payout": N_("payout to our bank"),
    "other": N_("other"),
}
OUTCOMES = {
    "matched": N_("agrees"),
    "missing_here": N_("on the statement only"),
    "missing_there": N_("in our books only"),
    "amount_diff": N_("another amount"),
    "fee_diff": N_("another fee"),
    "status_diff": N_("another state"),
    "duplicate": N_("listed twice"),
    "timing": N_("waits for the next statement"),
}
# What it means, and what to do.
ADVICE = {
    "missing_here": N_(
        "The gateway moved money that our books do not have. It was asked about it already."
        " Look the number up at the gateway: perhaps somebody paid or refunded there by hand."
    ),
    "missing_there": N_(
        "We booked money that the gateway does not list, neither on this day nor on the next three."
        " Look the number up at the gateway before anything is paid out for it."
    ),
    "amount_diff": N_(
        "Both sides know it, with another amount or currency. Compare it with the order; a coupon"
        " of the gateway may explain it."
    ),
    "fee_diff": N_(
        "The fee is not the one agreed, does not add up, or was booked otherwise before. Compare it"
        " with the contract and ask the gateway."
    ),
    "status_diff": N_(
        "One side says done and the other says not. Look the number up at the gateway, then fetch"
        " the day again."
    ),
    "duplicate": N_(
        "The statement lists it more than once. If the gateway charged twice, the guest gets it"
        " back; if the file is wrong, ask for a new one and fetch the day again."
    ),
    "timing": N_(
        "It happened near midnight or is still on its way. The next statements are looked at first;"
        " nothing needs to be done for three days."
    ),
}
DETAILS = {
    "not_paid_here": N_("not paid as far as we know"),
    "not_paid_there": N_("not paid as the gateway says"),
    "failed_here": N_("failed as far as we know"),
    "open_here": N_("still on its way as far as we know"),
    "currency": N_("another currency"),
    "arithmetic": N_("gross less fee is not net"),
    "rate": N_("not the agreed rate"),
    "booked_otherwise": N_("booked with another fee before"),
    "no_number": N_("without a number of ours"),
    "other_day": N_("on the statement of another day"),
    "came_back": N_("taken off and given back"),
    "fee_alone": N_("the fee of a chargeback, by itself"),
    "suppliers_own": N_("the supplier's own money"),
    "entered_by_hand": N_("entered by hand under another number: undo what is wrong"),
}
PROBLEMS = {
    "not_ready": N_("The statement is not there yet."),
    "not_offered": N_("The gateway offers no statement."),
    "digest": N_("The file is not what its digest says. Nothing of it was read."),
    "other_day": N_("The file is of another day. Nothing of it was read."),
    "pending": N_("The gateway is still making the statement."),
    "merchant_gone": N_("This merchant is not set up any more."),
    "error": N_("It could not be matched; the log says why."),
}


def state(day: GatewayDay) -> str:
    """Return where a day stands."""
    return gettext(STATES[day.state])


def problem(code: str) -> str:
    """Return why there is no statement; nothing when there is no reason."""
    if not code:
        return ""
    if code in PROBLEMS:
        return gettext(PROBLEMS[code])
    if code.startswith("unknown"):
        cause = code.partition(":")[2].strip()
        return gettext("No whole statement came (%(cause)s). Nothing of it was read.") % {
            "cause": cause
        }
    return gettext("The gateway refused (%(code)s).") % {"code": code}


def amount(amount_minor: int | None, currency: str) -> str:
    """Return an amount as people read it; a dash for none."""
    if amount_minor is None:
        return "–"
    if currency not in EXPONENTS:
        return f"{amount_minor} {currency}"
    return money(Money(amount_minor, currency), get_language() or "en")


def row(item: MatchItem) -> dict[str, Any]:
    """Return a line of the table of both sides."""
    return {
        "item": item,
        "kind": gettext(KINDS.get(item.kind, item.kind)),
        "outcome": gettext(OUTCOMES[item.outcome]),
        "detail": gettext(DETAILS[item.detail]) if item.detail in DETAILS else "",
        "theirs": amount(item.theirs_minor, item.currency),
        "ours": amount(item.ours_minor, item.currency),
        "fee": amount(item.fee_minor, item.currency) if item.fee_minor else "–",
    }


def difference(found: Difference) -> dict[str, Any]:
    """Return a difference with what it means, what to do, and its signatures."""
    return row(found.item) | {
        "advice": gettext(ADVICE[found.item.outcome]),
        "owner": found.item.owner_ref.removeprefix("operator:"),
        "at_stake": amount(found.item.at_stake_minor, found.item.currency),
        "signatures": [
            (each.actor_ref.removeprefix("operator:"), each) for each in found.signatures
        ],
        "is_open": found.is_open,
        "needs_two": found.needed > 1,
    }


def proof(found: Proof) -> dict[str, str]:
    """Return the proof of a balance as its table shows it."""
    currency = found.currency
    return {
        "ledger": amount(found.ledger_minor, currency),
        "stated": amount(found.stated_minor, currency),
        "since": amount(found.since_minor, currency),
        "left": amount(found.left_minor, currency) if found.left_minor else "",
    }


def cells_of(item: MatchItem) -> dict[str, object]:
    """Return what a table for spreadsheets says of an item."""
    return {
        "statement": item.statement_kind,
        "kind": item.kind,
        "class": item.outcome,
        "detail": item.detail,
        "gateway_ref": item.gateway_ref,
        "our_no": item.our_no,
        "theirs_minor": item.theirs_minor,
        "ours_minor": item.ours_minor,
        "fee_minor": item.fee_minor,
        "currency": item.currency,
        "since": item.first_seen_at.isoformat(),
        "owner": item.owner_ref,
    }
