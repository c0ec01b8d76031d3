"""Which moves an order may make; everything else is refused."""

from datetime import timedelta

QUOTE_LIFETIME = timedelta(minutes=60)
PAYMENT_LIFETIME = timedelta(minutes=10)
# A guest on the password page may still succeed after the deadline (payments design, section 7).
HOLD_GRACE = timedelta(minutes=10)
# One order may hold a lane's worth at most; a guest's trip is far below.
ORDER_LIMIT_G = 1_000_000_000

_MOVES: dict[str, frozenset[str]] = {
    "awaiting_payment": frozenset({"paid", "cancelled", "expired", "review", "unfulfillable"}),
    "paid": frozenset({"completed", "unfulfillable", "review"}),
    "completed": frozenset({"review"}),
    "cancelled": frozenset({"paid", "unfulfillable", "review"}),
    "expired": frozenset({"paid", "unfulfillable", "review"}),
    "unfulfillable": frozenset({"refunded", "review"}),
    "refunded": frozenset(),
    "review": frozenset({"paid", "completed", "unfulfillable", "refunded", "cancelled"}),
}


def may_move(state: str, to: str) -> bool:
    """Tell whether an order in one state may go to another (payments design, section 4)."""
    return to in _MOVES.get(state, frozenset())
