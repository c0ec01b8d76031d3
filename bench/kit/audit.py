"""After the killing: lets everything come to its end, and compares books, bank and buyers.

The end of unpaid orders is twenty minutes away; the flows are told that it is later.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

_ROUNDS, _MORE_EACH_ROUND = 8, timedelta(minutes=22)
# The sample has one payment that is nobody's, for the operator's desk.
_OF_THE_SAMPLE = "SAMPLE-NOT-OURS"
_ENDS = {"completed", "expired", "cancelled", "refunded"}


def drain() -> None:
    """Do the worker's work until nothing changes any more."""
    from diandian.flows import expiry, fulfil, payment_events, refund  # noqa: PLC0415
    from diandian.kernel.clock import now  # noqa: PLC0415

    for turn in range(_ROUNDS):
        at = now() + turn * _MORE_EACH_ROUND
        for work in (
            payment_events.retry_notices,
            payment_events.poll_due,
            fulfil.drain,
            refund.continue_refunds,
            expiry.release_expired,
        ):
            while work(256, at=at):
                pass


def _orders() -> dict[str, dict[str, Any]]:
    """Return every order by its payment numbers' owner, with what the tables say of it."""
    from django.db import connection  # noqa: PLC0415

    found: dict[str, dict[str, Any]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.id, o.token, o.state, o.mass_g, o.idempotency_key, q.total_minor,"
            " (SELECT count(*) FROM registry_retirement r"
            "  WHERE r.source_ref = 'order:' || o.id || ':retirement'),"
            " (SELECT coalesce(sum(a.end_g - a.start_g), 0) FROM registry_allocation a"
            "  JOIN registry_retirement r ON r.id = a.retirement_id"
            "  WHERE r.source_ref = 'order:' || o.id || ':retirement'),"
            " (SELECT count(*) FROM certificates_certificate c"
            "  WHERE c.order_ref = 'order:' || o.id AND c.state = 'current')"
            " FROM orders_order o JOIN orders_quote q ON q.id = o.quote_id"
        )
        names = ("id", "token", "state", "mass_g", "key", "total", "retired", "used_g", "papers")
        for row in cursor.fetchall():
            found[f"order:{row[0]}"] = dict(zip(names, row, strict=True))
        cursor.execute("SELECT payment_no, owner_ref FROM payments_payment")
        for number, owner in cursor.fetchall():
            found[owner].setdefault("payments", []).append(number)
    return found


def compare(told: list[dict[str, Any]]) -> list[str]:
    """Return every fault: by the bank's own file, by what buyers were told, by the tables."""
    from django.conf import settings  # noqa: PLC0415

    orders = _orders()
    with sqlite3.connect(settings.SANDBOX_STORE) as bank:
        trades = {
            row[0]: row[1:]
            for row in bank.execute(
                "SELECT payment_no, amount_minor, state, refunded_minor FROM trade"
            )
        }
    faults = []
    known: set[str] = set()
    for ref, order in orders.items():
        numbers = [number for number in order.get("payments", ()) if number in trades]
        known.update(numbers)
        taken = sum(trades[number][0] for number in numbers if trades[number][1] == "succeeded")
        net = taken - sum(trades[number][2] for number in numbers)
        done = order["state"] == "completed"
        if order["state"] not in _ENDS:
            faults.append(f"{ref} is still {order['state']}")
        if net != (order["total"] if done else 0):
            faults.append(f"{ref} is {order['state']} and the bank keeps {net}")
        if (order["retired"], order["used_g"], order["papers"]) != (
            (1, order["mass_g"], 1) if done else (0, 0, 0)
        ):
            faults.append(f"{ref} is {order['state']}: {order}")
    faults += [
        f"the bank took {number}, and no order has it"
        for number, trade in trades.items()
        if trade[1] == "succeeded" and number not in known | {_OF_THE_SAMPLE}
    ]
    by_token = {order["token"]: order for order in orders.values()}
    for line in told:
        order = by_token.get(line["id"], {})
        if (order.get("key"), order.get("mass_g")) != (f"api:{line['key']}", line["mass_g"]):
            faults.append(f"a buyer was told of {line}, found {order}")
        elif line["state"] == "completed" != order["state"]:
            faults.append(f"a buyer was told completed, but it is {order['state']}")
    # Orders of the sample data have keys of another kind.
    bought = [order for order in orders.values() if (order["key"] or "").startswith("api:")]
    if len(told) != len(bought):
        faults.append(f"buyers know of {len(told)} orders, the tables of {len(bought)}")
    return faults


def main() -> None:
    """Drain and audit; end with one line of JSON."""
    django.setup()
    from diandian.flows import invariants  # noqa: PLC0415
    from diandian.orders.models import Order  # noqa: PLC0415

    folder = Path(os.environ["DIANDIAN_DATA_DIR"])
    told = [
        json.loads(line)
        for path in sorted(folder.glob("told-*"))
        for line in path.read_text().splitlines()
    ]
    before = Counter(Order.objects.values_list("state", flat=True))
    drain()
    faults = [str(breach) for breach in invariants.check()] + compare(told)
    states = Counter(Order.objects.values_list("state", flat=True))
    found = {"states": dict(states), "before_draining": dict(before)}
    print(json.dumps({**found, "faults": len(faults), "first": faults[:20]}))


if __name__ == "__main__":
    sys.exit(main())
