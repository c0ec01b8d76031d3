"""Guessing secret links and codes is slow: wrong ones are counted by address and minute.

A hall full of guests shares one address, so only misses count, never pages that exist.
*Source:* ``settings.MISSES_PER_MINUTE``. Addresses stay in memory for a minute, unwritten.
"""

import time
from collections import Counter
from threading import Lock

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_MINUTE = 60
_MOST_ADDRESSES = 50_000


class _Window:
    """Misses by address in the present minute."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.minute = 0
        self.misses: Counter[str] = Counter()

    def count(self, address: str, add: int) -> int:
        minute = int(time.monotonic()) // _MINUTE
        with self.lock:
            if minute != self.minute or len(self.misses) > _MOST_ADDRESSES:
                self.minute = minute
                self.misses.clear()
            if add:
                self.misses[address] += add
            return self.misses[address]


_window = _Window()


def client_address(request: HttpRequest) -> str:
    """Return the visitor's address; a forwarded one only from as many proxies as set."""
    proxies = settings.TRUSTED_PROXIES
    if proxies:
        forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
        if len(forwarded) >= proxies and forwarded[-proxies].strip():
            return forwarded[-proxies].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def note_miss(request: HttpRequest) -> None:
    """Count a wrong code or link of this visitor's address."""
    _window.count(client_address(request), 1)


def too_many_misses(request: HttpRequest) -> bool:
    """Tell whether this address guessed wrong too often in this minute."""
    return _window.count(client_address(request), 0) >= settings.MISSES_PER_MINUTE


def forget_misses() -> None:
    """Forget all counts; between tests."""
    with _window.lock:
        _window.misses.clear()


def please_wait(request: HttpRequest) -> HttpResponse:
    """Answer 429 with a page that says when to try again."""
    response = render(request, "web/home/please_wait.html", status=429)
    response["Retry-After"] = str(_MINUTE)
    return response
