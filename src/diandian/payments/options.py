"""What adapters read from a merchant's options: addresses, limits of time, keys; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from diandian.payments import carrier
from diandian.payments.carrier import Limits
from diandian.payments.facts import MalformedError, NoAnswerError
from diandian.payments.messages import Rejected, SecretMissingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from diandian.payments.messages import MerchantContext

    K = TypeVar("K")

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def seconds(text: str, longest: int) -> int | None:
    """Return a limit of time, ``longest`` where none is given; None: it is no such limit."""
    if not text:
        return longest
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(longest))
    found = int(text) if is_number else 0
    return found if 0 < found <= longest else None


def limits(context: MerchantContext, *, largest_bytes: int) -> Limits:
    """Return the limits of a call; options may lower those of time, and never lift them."""
    given = context.options
    longest = carrier.CONNECT_SECONDS, carrier.READ_SECONDS
    connect = seconds(given.get("connect_seconds", ""), longest[0]) or longest[0]
    whole = seconds(given.get("read_seconds", ""), longest[1]) or longest[1]
    return Limits(connect, whole, largest_bytes)


# -- addresses ------------------------------------------------------------------------------------


def is_safe(url: str) -> bool:
    """Tell whether nobody on the way reads what goes to an address."""
    try:
        parts = urlsplit(url)
        is_reachable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    is_own = parts.scheme == "http" and parts.hostname in _LOOPBACK
    return is_reachable and (parts.scheme == "https" or is_own)


def is_base(url: str) -> bool:
    """Tell whether an address is ``https://HOST``, or of this machine, and nothing besides."""
    if not is_safe(url):
        return False
    parts = urlsplit(url)
    return not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)


def may_be_elsewhere(context: MerchantContext) -> bool:
    """Tell whether calls may go to another host than the official one, which would see them all."""
    return context.mode == "test" or context.options.get("allow_base_url") == "yes"


def own_base(context: MerchantContext) -> str:
    """Return the address that is named in place of the official one, "" for none."""
    return context.options.get("base_url", "").rstrip("/")


def base_url(context: MerchantContext, official: str) -> str:
    """Return where calls go: the official host, or another where that is allowed."""
    own = own_base(context)
    return own if own and may_be_elsewhere(context) and is_base(own) else official


def is_for_notices(url: str) -> bool:
    """Tell whether gateways can send notices to an address: over TLS, nothing behind a mark."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and not {"?", "#"} & set(url)


# -- lists and keys -------------------------------------------------------------------------------


def listed(text: str) -> tuple[str, ...]:
    """Return the parts of a text with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def present(context: MerchantContext, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the options of a key: the first, and others where one replaces the other."""
    return tuple(name for name in names if name == names[0] or context.options.get(name))


def keys(
    context: MerchantContext,
    names: tuple[str, ...],
    fit: Callable[[MerchantContext, str], K],
) -> list[K]:
    """Return the keys in use, the first one first. Raises: NoAnswerError when there is none.

    ``fit``: returns the key of an option; raises SecretMissingError, MalformedError.
    """
    found, reasons = [], []
    for name in present(context, names):
        try:
            found.append(fit(context, name))
        except (SecretMissingError, MalformedError) as error:
            reasons.append(str(error))
    if not found:
        raise NoAnswerError(not_set_up("; ".join(reasons)))
    return found


def not_set_up(text: str = "") -> Rejected:
    """Return that nothing was sent, for want of something in our own set-up."""
    return Rejected("not_set_up", text, retryable=True)
