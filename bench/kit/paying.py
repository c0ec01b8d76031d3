"""The clients' process in the intake's part of ``./run bench retire``: they pay and wait.

Reads one line of JSON: how (``closed`` with a number of clients, or ``arrivals`` with a rate), and
the orders. Two such processes with four threads each pay, as many as the demo's server has; a wait
counts from the moment at which a client pays, or should, until the order is seen to be completed.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

_THREADS = 4
_LOOK_SECONDS = 0.003
# Nobody waits that long but for something that is broken.
_GIVE_UP_SECONDS = 120


class Clients:
    """Clients who pay through a few threads and look whether their orders are completed."""

    def __init__(self, orders: list[int]) -> None:
        self._orders = iter(orders)
        self._pool = ThreadPoolExecutor(_THREADS)
        self._asked: dict[int, tuple[float, Future[None]]] = {}
        self.waits_ms: list[float] = []

    @property
    def are_waiting(self) -> bool:
        """Tell whether somebody still waits."""
        return bool(self._asked)

    def pay(self, count: int, since: float) -> int:
        """Let so many pay who wanted to at a moment; return for how many there was an order."""
        found = list(islice(self._orders, count))
        for order_id in found:
            self._asked[order_id] = (since, self._pool.submit(_pay, order_id))
        return len(found)

    def look(self) -> int:
        """Note who is served by now; return how many. Raises: SystemExit after long waiting."""
        from diandian.orders.models import Order, OrderState  # noqa: PLC0415 - after set-up

        paid = []
        for order_id, (since, paying) in self._asked.items():
            if paying.done():
                paying.result()
                paid.append(order_id)
            if time.monotonic() - since > _GIVE_UP_SECONDS:
                raise SystemExit(f"Order {order_id} was not completed in {_GIVE_UP_SECONDS} s.")
        if not paid:
            return 0
        completed = Order.objects.filter(id__in=paid, state=OrderState.COMPLETED)
        done = list(completed.values_list("id", flat=True))
        moment = time.monotonic()
        self.waits_ms += [(moment - self._asked.pop(each)[0]) * 1000 for each in done]
        return len(done)


def _pay(order_id: int) -> None:
    from django.db import transaction  # noqa: PLC0415 - after set-up

    from diandian.flows.locks import lock_order  # noqa: PLC0415
    from kit import fulfilling  # noqa: PLC0415

    with transaction.atomic():
        fulfilling.pay(lock_order(order_id))


def _closed(clients: Clients, count: float) -> None:
    """Let each client pay the next order when its last one is completed."""
    clients.pay(int(count), time.monotonic())
    while clients.are_waiting:
        if done := clients.look():
            clients.pay(done, time.monotonic())
        else:
            time.sleep(_LOOK_SECONDS)


def _arrivals(clients: Clients, per_second: float) -> None:
    """Let orders be paid evenly, whether or not those before are completed."""
    due, more = time.monotonic(), 1
    while more or clients.are_waiting:
        while more and due <= time.monotonic():
            # From the moment at which it was due, so that a late client does not hide a wait.
            more, due = clients.pay(1, due), due + 1 / per_second
        clients.look()
        time.sleep(_LOOK_SECONDS)


def _lines() -> Iterator[tuple[str, float, list[int]]]:
    for line in sys.stdin:
        yield tuple(json.loads(line))


def main() -> None:
    """Play each line; answer with its seconds, its processor time and every wait."""
    django.setup()
    for how, given, orders in _lines():
        clients, began, used = Clients(orders), time.monotonic(), time.process_time()
        {"closed": _closed, "arrivals": _arrivals}[how](clients, given)
        told = {
            "seconds": time.monotonic() - began,
            "cpu_s": time.process_time() - used,
            "waits_ms": clients.waits_ms,
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
