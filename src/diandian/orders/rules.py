"""Which moves an order may make, and how much is asked for; everything else is refused."""

import re
from datetime import datetime, timedelta

from diandian.kernel.mass import GRAMS_PER_KG
from diandian.orders.errors import KilogramsError

QUOTE_LIFETIME = timedelta(minutes=60)
PAYMENT_LIFETIME = timedelta(minutes=10)
# A guest on the password page may still succeed after the deadline (payments design, section 7).
HOLD_GRACE = timedelta(minutes=10)
# Less than this is too short for another attempt; gateways refuse deadlines that are nearer.
SHORTEST_ATTEMPT = timedelta(minutes=1)
# An unpaid order whose gateway says nothing definite for so long is for people.
NOBODY_KNOWS_AFTER = timedelta(hours=24)
# Until then its gateway is asked again after a pause that grows: while its hold has been over for
# less than so long, this pause; later the last one.
RELEASE_PAUSES = (
    (timedelta(minutes=5), timedelta(seconds=30)),
    (timedelta(hours=1), timedelta(minutes=5)),
)
LONGEST_RELEASE_PAUSE = timedelta(minutes=30)
# One order may hold a lane's worth at most; a guest's trip is far below.
ORDER_LIMIT_G = 1_000_000_000
_LARGEST_KG = ORDER_LIMIT_G // GRAMS_PER_KG
_MOST_CHARACTERS = 12
_WHOLE = re.compile("[0-9]+|[0-9]{1,3}(?:[ ,.'\u00a0\u202f][0-9]{3})+")

# Above this mass an order is large: a stranger who never pays could empty a project with it.
LARGE_ORDER_G = 1_000_000

# An allocator that said nothing for so long is taken to be gone; it speaks every half second.
LEASE_LASTS = timedelta(seconds=2)

# The longest that people may have a paid order wait on, from when they decide.
LONGEST_KEPT = timedelta(days=31)

# How long people may take to decide about an order under review; a clock for them, which decides
# nothing by itself.
REVIEW_WITHIN = timedelta(days=3)

_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=1)

_MOVES: dict[str, frozenset[str]] = {
    "awaiting_payment": frozenset({"paid", "cancelled", "expired", "review", "unfulfillable"}),
    "paid": frozenset({"completed", "unfulfillable", "review"}),
    # What is retired stays so, whatever happens to money that came on top.
    "completed": frozenset(),
    "cancelled": frozenset({"paid", "unfulfillable"}),
    "expired": frozenset({"paid", "unfulfillable"}),
    "unfulfillable": frozenset({"refunded"}),
    # A refund may come back days after it arrived.
    "refunded": frozenset({"unfulfillable"}),
    "review": frozenset({"paid", "unfulfillable", "cancelled"}),
}


def may_move(state: str, to: str) -> bool:
    """Tell whether an order in one state may go to another (payments design, section 4)."""
    return to in _MOVES.get(state, frozenset())


def hold_ends_at(created_at: datetime) -> datetime:
    """Return when an unpaid order is closed and its grams are freed, at the earliest."""
    return created_at + PAYMENT_LIFETIME + HOLD_GRACE


def attempt_ends_at(created_at: datetime, at: datetime) -> datetime | None:
    """Return the deadline of an attempt to pay that begins now; None when it is too late for one.

    No attempt outlives the hold of the order's grams.
    """
    end = min(at + PAYMENT_LIFETIME, hold_ends_at(created_at))
    return end if end - at >= SHORTEST_ATTEMPT else None


def waits(retire_after: datetime | None, at: datetime) -> bool:
    """Tell whether grams must not be retired yet; at the very instant they may."""
    return retire_after is not None and at < retire_after


def wait_after(failures: int) -> timedelta:
    """Return how long a paid order waits after failures: 30 s, 1 min, 2 min … at most an hour."""
    assert failures > 0, "nothing failed"
    doubled: int = 2 ** min(failures - 1, 10)
    return min(_FIRST_WAIT * doubled, _LONGEST_WAIT)


def large_limit_g(*, free_g: int, large_unpaid_g: int) -> int:
    """Return how much a large order may take, so that what large orders hold unpaid stays half.

    Units: grams. ``free_g``: what can be held now; ``large_unpaid_g``: what large orders hold
    unpaid already. Never below what any order may have.
    """
    return max(LARGE_ORDER_G, (free_g - large_unpaid_g) // 2)


def kilograms(typed: str) -> int:
    """Return whole kilograms; marks between thousands are forgiven, 1.5 is not taken for 15.

    Raises: KilogramsError.
    """
    text = typed.strip()
    right = len(text) <= _MOST_CHARACTERS and _WHOLE.fullmatch(text)
    kg = int(re.sub("[^0-9]", "", text)) if right else 0
    if not 1 <= kg <= _LARGEST_KG:
        raise KilogramsError(field="kg", limit=_LARGEST_KG)
    return kg
