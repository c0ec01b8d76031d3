"""How often one address may call and guess, per minute, in the memory of this process.

Calls are counted generously, since a hall shares one address; wrong links and codes strictly, and
pages and API count them together. Addresses stay in memory for a minute, unwritten.
*Source:* ``settings.API_CALLS_PER_MINUTE`` and ``settings.MISSES_PER_MINUTE``.
"""

import time
from collections import Counter
from threading import Lock

from django.conf import settings
from django.http import HttpRequest

MINUTE = 60
_MOST_ADDRESSES = 50_000


class Window:
    """Counts by address in the present minute."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def count(self, address: str, add: int = 1) -> int:
        """Add to an address and return its count in this minute."""
        minute = int(time.monotonic()) // MINUTE
        with self._lock:
            if minute != self._minute or len(self._counts) > _MOST_ADDRESSES:
                self._minute = minute
                self._counts.clear()
            if add:
                self._counts[address] += add
            return self._counts[address]

    def forget(self) -> None:
        """Forget all counts; between tests."""
        with self._lock:
            self._counts.clear()


calls = Window()
misses = Window()


def client_address(request: HttpRequest) -> str:
    """Return the caller's address; a forwarded one only from as many proxies as set."""
    proxies = settings.TRUSTED_PROXIES
    if proxies:
        forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
        if len(forwarded) >= proxies and forwarded[-proxies].strip():
            return forwarded[-proxies].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def too_many_calls(request: HttpRequest) -> bool:
    """Count this call and tell whether the address made too many in this minute."""
    return calls.count(client_address(request)) > settings.API_CALLS_PER_MINUTE


def too_many_misses(request: HttpRequest) -> bool:
    """Tell whether this address guessed wrong too often in this minute."""
    return misses.count(client_address(request), add=0) >= settings.MISSES_PER_MINUTE


def note_miss(request: HttpRequest) -> None:
    """Count a wrong code or link of this address."""
    misses.count(client_address(request))
