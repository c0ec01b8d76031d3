"""The state machine of payments and refunds: rank never falls, except that paid always wins.

*Source:* payments design, sections 4 and 5.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from diandian.kernel.money import EXPONENTS, Money
from diandian.payments.messages import Capabilities, Snapshot

RANKS = {
    "created": 0,
    "submitted": 1,
    "unknown": 1,
    "pending": 2,
    "failed": 3,
    "closed": 3,
    "succeeded": 4,
}
FINAL_RANK = 3

REFUND_RANKS = {
    "requested": 0,
    "submitted": 1,
    "unknown": 1,
    "processing": 2,
    # Abnormal: accepted, but the money found no way home (a closed card); people must mend it.
    "abnormal": 3,
    "succeeded": 4,
    "failed": 4,
    # Abnormal, and paid by other means: the gateway has nothing more to say about it.
    "otherwise": 4,
}
REFUND_FINAL_RANK = 4
# Which refunds a gateway certainly counts in what went back of a payment, and which perhaps.
_COUNTED = ("processing", "succeeded")
_PERHAPS_COUNTED = ("requested", "submitted", "unknown", "abnormal", "otherwise")
# A refund that must wait for something else is looked at again after this long.
REFUND_WAITS = timedelta(minutes=1)

# What somebody works on at once is looked at again after this long, in case they crash.
FIRST_ATTEMPT = timedelta(seconds=5)
# After its deadline a payment may still succeed for this long (a guest on the password page).
GRACE = timedelta(minutes=10)
# Seconds after its creation at which a payment is asked about; then every five minutes.
_FIRST_QUERIES = (timedelta(seconds=5), timedelta(seconds=20), timedelta(seconds=80))
_THEN = timedelta(minutes=5)
_AFTER_GRACE = timedelta(days=1)
# A payment that no statement explains after so long is for people, not for the poller.
_GIVE_UP_ASKING = timedelta(days=30)

# What leaves room for the rest of an account's code.
_LONGEST_MERCHANT = 50

_NOTICE_DELAYS = tuple(timedelta(seconds=s) for s in (5, 15, 60, 300, 900, 3600))
NOTICE_ATTEMPTS_LIMIT = 30


def _next(ranks: dict[str, int], current: str, incoming: str) -> str | None:
    if current == incoming or ranks[incoming] < ranks[current]:
        return None
    if ranks[incoming] == ranks[current] and ranks[current] != ranks["unknown"]:
        return None
    return incoming


def next_state(current: str, incoming: str) -> str | None:
    """Return the state to take on, or None to stay: equal ranks move only between sent and unknown.

    Paid is the highest rank: a late success lifts a failed or closed payment.
    """
    return _next(RANKS, current, incoming)


def next_refund_state(current: str, incoming: str) -> str | None:
    """Return the state that a refund takes on, or None to stay.

    The rank falls only where what found no way home is tried again.
    """
    if (current, incoming) == ("abnormal", "processing"):
        return incoming
    return _next(REFUND_RANKS, current, incoming)


def is_refund_over(state: str) -> bool:
    """Tell whether a refund is nobody's turn any more."""
    return REFUND_RANKS[state] >= REFUND_FINAL_RANK


def is_final(state: str) -> bool:
    """Tell whether a payment's state is one that only a late success can change."""
    return RANKS[state] >= FINAL_RANK


def states_below(incoming: str) -> list[str]:
    """Return the states from which a payment may take on a new one."""
    return [state for state in RANKS if next_state(state, incoming)]


def next_query_at(
    state: str, *, created_at: datetime, expires_at: datetime, at: datetime
) -> datetime | None:
    """Return when to ask the gateway next, or None for never.

    Open payments: after 5, 20 and 80 seconds, then every 5 minutes until deadline and grace, then
    daily. Failed and closed ones: until deadline and grace, in case they succeed after all. Paid
    ones: never.
    """
    if state == "succeeded":
        return None
    if at < expires_at + GRACE:
        age = at - created_at
        early = next((delay for delay in _FIRST_QUERIES if delay > age), None)
        return at + _THEN if early is None else created_at + early
    if is_final(state) or at >= expires_at + _GIVE_UP_ASKING:
        return None
    return at + _AFTER_GRACE


def is_past_grace(link_ends_at: datetime, at: datetime) -> bool:
    """Tell whether a payment that its gateway does not know can no longer come into being."""
    return at >= link_ends_at + GRACE


def link_ends_at(
    *, created_at: datetime, expires_at: datetime, shortest_life_seconds: int
) -> datetime:
    """Return when the link to a payment is dead at the latest, by what its gateway allows.

    A gateway whose payments live longer than ours may have been asked for this one as late as at
    our deadline; only closing there, or waiting until then, ends it.
    """
    life = timedelta(seconds=shortest_life_seconds)
    return expires_at if created_at + life <= expires_at else expires_at + life


def is_fresh(instruction: Mapping[str, Any], at: datetime) -> bool:
    """Tell whether a kept instruction can still be followed; else it is asked for again."""
    if not instruction:
        return False
    until = instruction.get("valid_until")
    return not until or at < datetime.fromisoformat(until)


def next_notice_attempt_at(attempts: int, at: datetime) -> datetime | None:
    """Return when to try a parked notice again, or None when people must look."""
    if attempts >= NOTICE_ATTEMPTS_LIMIT:
        return None
    return at + _NOTICE_DELAYS[min(attempts, len(_NOTICE_DELAYS) - 1)]


def next_refund_query_at(created_at: datetime, at: datetime) -> datetime:
    """Return when to ask for a refund next: soon at first, hourly after a quarter of an hour."""
    age = at - created_at
    if age < timedelta(minutes=1):
        return at + timedelta(seconds=5)
    if age < timedelta(minutes=15):
        return at + timedelta(minutes=1)
    return at + timedelta(hours=1)


def external_minor(refunded_minor: int, known_minor: int, ours: Iterable[tuple[str, int]]) -> int:
    """Return how much of a payment went back without a call of ours, in minor units.

    ``refunded_minor``: all that went back, as the gateway says. ``known_minor``: what is known
    already to be not ours. ``ours``: state and amount of each of our refunds. Whether the gateway
    counts one of ours is not always known: what may be ours is never taken for somebody else's,
    and what is known stays as long as it may be true.
    """
    sure = perhaps = 0
    for state, amount_minor in ours:
        sure += amount_minor if state in _COUNTED else 0
        perhaps += amount_minor if state in _PERHAPS_COUNTED else 0
    most = max(0, refunded_minor - sure)
    least = max(0, most - perhaps)
    return min(max(known_minor, least), most)


def refund_may_go_at(sent_at: Iterable[datetime], gap_seconds: int) -> datetime | None:
    """Return from when a refund may be sent, given when others of its payment were; None: now."""
    latest = max(sent_at, default=None)
    return None if latest is None else latest + timedelta(seconds=gap_seconds)


def next_dispute_state(current: str, incoming: str) -> str | None:
    """Return the state that a dispute takes on, or None to stay: what was decided stays decided."""
    return incoming if current == "open" and incoming != "open" else None


def contradicts(current: str, incoming: str) -> bool:
    """Tell whether a dispute that was decided is told to have ended the other way."""
    return {current, incoming} == {"won", "lost"}


def takes_over(current: str, incoming: str) -> str:
    """Return how a dispute stands once people take over what is told; open tells no decision."""
    return current if incoming == "open" else incoming


def mismatches(
    snapshot: Snapshot, *, payment_no: str, merchant: str, mode: str, amount: Money
) -> tuple[str, ...]:
    """Name every fact in which a snapshot differs from the payment that it claims to be.

    An amount that is not told differs only where money came.
    """
    pairs = {
        "payment_no": (snapshot.payment_no, payment_no),
        "merchant": (snapshot.merchant, merchant),
        "mode": (snapshot.mode, mode),
        "amount": (snapshot.amount_minor, amount.amount_minor),
        "currency": (snapshot.currency, amount.currency),
    }
    if not snapshot.is_amount_told and snapshot.state != "succeeded":
        del pairs["amount"], pairs["currency"]
    return tuple(name for name, (theirs, ours) in pairs.items() if theirs != ours)


def may_follow(snapshot: Snapshot, mismatch: tuple[str, ...]) -> bool:
    """Tell whether a payment takes on the state of an answer that differs in some facts.

    Not when the answer is about another payment, or test money; nor when it says that money came
    which cannot be booked: of a currency that is unknown here, or at a nameless merchant.
    """
    if {"payment_no", "mode"} & set(mismatch):
        return False
    if snapshot.state != "succeeded":
        return True
    has_place = ":" not in snapshot.merchant and 0 < len(snapshot.merchant) <= _LONGEST_MERCHANT
    return has_place and snapshot.amount_minor > 0 and snapshot.currency in EXPONENTS


def is_in_range(amount: Money, capabilities: Capabilities) -> bool:
    """Tell whether a gateway takes a payment of this amount; nothing takes zero."""
    low, high = capabilities.limits_minor.get(amount.currency, (1, 0))
    return max(low, 1) <= amount.amount_minor <= high
