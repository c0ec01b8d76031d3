"""The one cookie of the guest pages: a random key that ties this device's certificates together.

It is set only when an order is placed here, signed, out of reach of scripts, and says nothing else.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from diandian.kernel.tokens import secret_token

COOKIE = "guest"
_YEAR_SECONDS = 31_536_000
_LONGEST = 32


def guest_key_of(request: HttpRequest) -> str:
    """Return this device's key, or nothing when it has none or the cookie was altered."""
    key = request.get_signed_cookie(COOKIE, default="", max_age=_YEAR_SECONDS)
    return key if key and len(key) <= _LONGEST else ""


def key_for_order(request: HttpRequest) -> str:
    """Return this device's key, or a new one for its first order."""
    return guest_key_of(request) or secret_token()


def remember(request: HttpRequest, response: HttpResponse, guest_key: str) -> None:
    """Keep the key on this device for a year."""
    response.set_signed_cookie(
        COOKIE,
        guest_key,
        max_age=_YEAR_SECONDS,
        httponly=True,
        samesite="Lax",
        # By the address that guests use: behind a proxy the request itself looks plain.
        secure=settings.SESSION_COOKIE_SECURE or request.is_secure(),
    )
