"""How often one address may call, guess, count, download, sign in; in this process's memory.

A hall shares one address, so what guests do is counted generously, and wrong links and codes wait
only when they are wrong: a link that is right always works. Pages and API count misses together.
Addresses and names stay in memory for their window, unwritten.
*Source:* ``settings.*_PER_MINUTE``, ``settings.SIGN_IN_*`` and ``settings.NAME_REPORTS``.
"""

import time
from collections import Counter
from ipaddress import ip_address
from threading import Lock

from django.conf import settings
from django.http import HttpRequest

MINUTE = 60
SIGN_IN_SECONDS = 15 * MINUTE
_MOST_ADDRESSES = 50_000


class Window:
    """Counts by address (or name) in the present stretch of ``seconds``."""

    def __init__(self, seconds: int = MINUTE) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._present = 0
        self._counts: Counter[str] = Counter()

    def count(self, address: str, add: int = 1) -> int:
        """Add to an address and return its count in this stretch."""
        present = int(time.monotonic()) // self._seconds
        with self._lock:
            if present != self._present or len(self._counts) > _MOST_ADDRESSES:
                self._present = present
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
footprints = Window()
downloads = Window()
sign_in_failures = Window(SIGN_IN_SECONDS)
sign_in_codes = Window(SIGN_IN_SECONDS)
name_reports = Window(SIGN_IN_SECONDS)


def client_address(request: HttpRequest) -> str:
    """Return the caller's address; a forwarded one only from as many proxies as set."""
    proxies = settings.TRUSTED_PROXIES
    if proxies:
        forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
        if len(forwarded) >= proxies and forwarded[-proxies].strip():
            return forwarded[-proxies].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def client_ip(request: HttpRequest) -> str:
    """Return the caller's address for those who need a real one; "" where it is none."""
    try:
        return str(ip_address(client_address(request)))
    except ValueError:
        return ""


def too_many_calls(request: HttpRequest) -> bool:
    """Count this call and tell whether the address made too many in this minute."""
    return calls.count(client_address(request)) > settings.API_CALLS_PER_MINUTE


def one_miss_too_many(request: HttpRequest) -> bool:
    """Count a wrong code or link of this address; tell whether it had too many before."""
    return misses.count(client_address(request)) > settings.MISSES_PER_MINUTE


def too_many_footprints(request: HttpRequest) -> bool:
    """Count answers sent to a calculator; tell whether the address sent too many in this minute."""
    return footprints.count(client_address(request)) > settings.FOOTPRINTS_PER_MINUTE


def too_many_downloads(request: HttpRequest) -> bool:
    """Count a download of the register; tell whether the address made too many in this minute."""
    return downloads.count(client_address(request)) > settings.DOWNLOADS_PER_MINUTE


def too_many_name_reports(request: HttpRequest) -> bool:
    """Count a reported name; tell whether the address reported too many in this stretch."""
    return name_reports.count(client_address(request)) > settings.NAME_REPORTS


def _signing_in(request: HttpRequest, name: str) -> tuple[str, str]:
    return f"from {client_address(request)}", f"as {name.strip().casefold()[:150]}"


def too_many_failures(request: HttpRequest, name: str) -> bool:
    """Tell whether signing in failed too often, from this address or with this name."""
    return any(
        sign_in_failures.count(key, add=0) >= settings.SIGN_IN_FAILURES
        for key in _signing_in(request, name)
    )


def note_failure(request: HttpRequest, name: str) -> None:
    """Count a failed sign-in, for its address and for its name."""
    for key in _signing_in(request, name):
        sign_in_failures.count(key)


def too_many_codes(request: HttpRequest) -> bool:
    """Count a code asked for; tell whether the address asked for too many in this stretch."""
    return sign_in_codes.count(client_address(request)) > settings.SIGN_IN_CODES


def too_many_wrong_codes(request: HttpRequest) -> bool:
    """Tell whether too many wrong codes or passwords came from this address."""
    key = f"from {client_address(request)}"
    return sign_in_failures.count(key, add=0) >= settings.SIGN_IN_FAILURES


def note_wrong_code(request: HttpRequest) -> None:
    """Count a wrong code for its address."""
    sign_in_failures.count(f"from {client_address(request)}")
