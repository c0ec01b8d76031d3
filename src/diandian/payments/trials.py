"""What every trial of a set-up looks at, whatever the gateway; pure."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from diandian.payments import options
from diandian.payments.facts import MalformedError
from diandian.payments.messages import Finding, SecretMissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from diandian.payments.messages import MerchantContext

MOST_SKEW_SECONDS = 60


def whole(look: Callable[[], list[Finding]]) -> list[Finding]:
    """Return what a trial found; it always ends in findings."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - whatever a hostile answer breaks
        text = f"The trial broke off ({type(error).__name__}). Try again."
        return [Finding("trial", is_fine=False, text=text)]


def address(context: MerchantContext) -> Iterator[Finding]:
    """Say when an address is named that is not used."""
    own = options.own_base(context)
    if own and options.base_url(context, "") != own:
        yield Finding(
            "base_url",
            is_fine=False,
            text="base_url is not used: another address is taken only in mode test, or with "
            "allow_base_url = yes, and only as https://HOST or on this machine. Remove it.",
        )


def keys(
    context: MerchantContext,
    names: tuple[str, ...],
    fit: Callable[[MerchantContext, str], object],
    *,
    missing: str = "Write the key there.",
    unfit: str = "Copy it again, whole.",
) -> Iterator[Finding]:
    """Say of each key whether it can be used; ``fit`` and ``names``: as ``options.keys``.

    ``missing``, ``unfit``: what to do, or what follows.
    """
    for name in options.present(context, names):
        try:
            fit(context, name)
        except SecretMissingError as error:
            yield Finding(name, is_fine=False, text=f"{error}. {missing}")
        except MalformedError as error:
            yield Finding(name, is_fine=False, text=f"{error}. {unfit}")
        else:
            yield Finding(name, is_fine=True, text="It can be read.")


def notices(url: str, fine: str) -> Finding:
    """Say whether notices can come. ``fine``: what to say before the address then."""
    if options.is_for_notices(url):
        return Finding("notices", is_fine=True, text=f"{fine} {url}")
    text = f"Notices cannot come to {url or 'nowhere'}: it must be https, without a query."
    return Finding("notices", is_fine=False, text=text)


def ahead_seconds(date: str, at: datetime) -> int | None:
    """Return how far our clock is ahead of theirs, by the header ``Date``; None: untold."""
    try:
        return int((at - parsedate_to_datetime(date)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def clock(date: str, at: datetime) -> Finding:
    """Say whether our clock agrees with theirs."""
    ahead = ahead_seconds(date, at)
    if ahead is None:
        return Finding("clock", is_fine=False, text="The gateway did not say what time it is.")
    if abs(ahead) > MOST_SKEW_SECONDS:
        text = f"Our clock is {abs(ahead)} seconds off: what is signed is refused. Set it by NTP."
        return Finding("clock", is_fine=False, text=text)
    return Finding("clock", is_fine=True, text=f"Our clock is {abs(ahead)} seconds off.")
