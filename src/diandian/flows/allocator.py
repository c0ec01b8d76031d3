"""One allocator per database retires what was paid, many orders a commit.

While an allocator leads, a request that heard of a payment leaves its order in the intake and waits
a moment for it. When none leads, the request fulfils its own order at once: the same function with
one order. Only speed depends on which of both happens.
*Source:* registry design, section 4.2.
"""

import time
from datetime import datetime

from diandian.flows import fulfil, log_guard, sales
from diandian.kernel.clock import now
from diandian.kernel.memory import Memory, ttl_cache
from diandian.orders import actions, queries, rules
from diandian.orders.models import OrderState
from diandian.store.leadership import Leadership

# Any number that nothing else in the database locks by.
_OFFICE = 3_687
# A page that waits looks again after each of these; all together 0.6 s.
_LOOKS_AFTER_SECONDS = (0.03, 0.04, 0.06, 0.07, 0.08, 0.08, 0.12, 0.12)
# After a page waited in vain no page waits for some seconds: orders that cannot be fulfilled must
# not keep every thread of the server.
_in_vain: Memory[bool] = Memory(seconds=5)


class Allocator:
    """A candidate for the office, in one thread. ``holder``: its name among all candidates."""

    def __init__(self, holder: str) -> None:
        self.holder = holder
        self._leadership = Leadership(_OFFICE)

    def lead(self, *, at: datetime | None = None) -> bool:
        """Take or keep the office, and say so to the others. False while somebody else has it."""
        if not self._leadership.take():
            return False
        is_locked = self._leadership.is_exclusive
        return actions.take_lease(self.holder, over_others=is_locked, at=at or now())

    def begin(self) -> None:
        """Begin a term: before its first retirement the log is compared anew with the outside."""
        log_guard.look_again()

    def allocate(self) -> int:
        """Fulfil what waits, at most 256 orders in one commit. Returns how many were fulfilled."""
        return fulfil.drain()

    def retire(self) -> None:
        """Leave the office, so that another takes over at once. Idempotent."""
        actions.end_lease(self.holder)
        self._leadership.give_up()


@ttl_cache(1)
def is_awake() -> bool:
    """Tell whether an allocator leads; as of a second ago at most."""
    beat = queries.allocator_beat()
    return beat is not None and now() - beat < rules.LEASE_LASTS


def see_to(order_id: int, *, at: datetime | None = None) -> None:
    """Have a paid order fulfilled: leave it to the allocator, or do it now where none leads."""
    if not is_awake():
        fulfil.fulfil_order(order_id, at=at)


def wait_for(order_id: int, token: str) -> str:
    """Wait a moment until a paid order is more than paid; return its state.

    A guest who is back from paying sees the certificate instead of a page that says "one moment".
    Raises: OrderNotFoundError.
    """
    state = str(OrderState.PAID)
    if sales.are_stopped():
        return state
    if not is_awake():
        # Whoever should have taken it is gone: it is fulfilled here, or was meanwhile.
        fulfil.fulfil_order(order_id)
        return queries.bare_order_by_token(token).state
    if _in_vain.get("") is not None:
        return state
    for seconds in _LOOKS_AFTER_SECONDS:
        time.sleep(seconds)
        state = queries.bare_order_by_token(token).state
        if state != OrderState.PAID:
            return state
    _in_vain.put("", value=True)
    return state
