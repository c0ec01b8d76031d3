"""Faults on order: the next answers of a path go wrong in a way that was asked for.

``kind`` is one of ``KINDS``; ``times`` how often; ``path`` a beginning of the path, ``method`` may
narrow it. With effect means: the peer did what it was asked, only its answer is lost.
"""

import json
import threading
import time

KINDS = {
    "timeout_with_effect",
    "timeout_without_effect",
    "reset_with_effect",
    "reset_without_effect",
    "status",
    "html",
    "unsigned",
    "signature",
    "other_key",
    "unknown_key",
    "empty",
    "stale",
    "tampered",
    "altered",
    "garbage",
    "slow",
    "half_closed",
    "endless",
    "truncated",
    "redirect",
    "drip",
}
BEFORE = {"timeout_without_effect", "reset_without_effect", "status"}


class Faults:
    def __init__(self):
        self.lock, self.waiting, self.hits = threading.Lock(), [], 0

    def add(self, order):
        if order.get("kind") not in KINDS:
            raise ValueError(f"kind is not one of {sorted(KINDS)}")
        with self.lock:
            self.waiting.append({"times": 1, "path": "/", "method": ""} | order)

    def clear(self):
        with self.lock:
            self.waiting.clear()

    def next(self, method, path):
        """Return the fault that waits for a request, used up by one."""
        if not self.waiting:
            return {}
        with self.lock:
            for order in self.waiting:
                if path.startswith(order["path"]) and order["method"] in {"", method}:
                    order["times"] -= 1
                    self.hits += 1
                    if order["times"] <= 0:
                        self.waiting.remove(order)
                    return order
        return {}


def altered(body, changes):
    """Return a body with some facts changed, named by their way: ``amount.total``."""
    facts = json.loads(body)
    for way, value in changes.items():
        *outer, last = way.split(".")
        place = facts
        for name in outer:
            place = place[name]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return json.dumps(facts, ensure_ascii=False).encode()


def wait(order):
    time.sleep(order.get("milliseconds", 2_500) / 1000)
