"""Which ways to pay are on offer: by what the gateways can do, the amount and the browser; pure.

The browser is known from what it says about itself. A forged word only shows another list: what a
way really takes, its gateway says. *Source:* payments design, sections 2 and 6 (row 48).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from diandian.kernel.errors import N_
from diandian.kernel.money import Money
from diandian.payments import rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diandian.payments.messages import Browser, Capabilities, Flow, FlowKind

# Why nothing is on offer: no gateway serves the supplier, it costs nothing, too little or too much
# for every gateway, no gateway knows the currency, this browser shows none of them, or our fee is a
# larger share than any of them divides off.
Reason = Literal["", "nobody", "free", "too_little", "too_much", "currency", "browser", "fee"]

NAMES = {
    "wechatpay": N_("WeChat Pay"),
    "alipay": N_("Alipay"),
    "stripe": N_("Card and more"),
    "sandbox": N_("Sandbox: a test, no money moves"),
}
NOTES: dict[FlowKind, str] = {
    "redirect": N_("You go on to its page and come back here."),
    "qr": N_("We show a QR code to scan with a phone."),
    "jsapi": N_("You pay in the app that you are in."),
}
_APPS = {"wechat", "alipay"}
_LONGEST_AGENT = 1000
_PHONES = re.compile("mobile|android|iphone|ipod|harmony", re.IGNORECASE)
# The WeChat for companies says that it is WeChat, and has another wallet.
_OTHER_WECHAT = "wxwork"


@dataclass(frozen=True, slots=True)
class Line:
    """A gateway that serves the supplier. ``can_ask_payer``: it can be found out who pays."""

    gateway: str
    capabilities: Capabilities
    can_ask_payer: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """A way to pay. ``name`` and ``note`` are message ids; a gateway without a name has its key."""

    gateway: str
    flow: str
    kind: FlowKind
    name: str
    note: str
    browsers: tuple[Browser, ...]
    needs_payer: bool = False

    @property
    def key(self) -> str:
        """Return what a form sends for this way."""
        return f"{self.gateway}:{self.flow}"


@dataclass(frozen=True, slots=True)
class Offered:
    """The ways on offer, the best for the browser first; without any, ``reason`` says why.

    ``limit``: the smallest or largest amount that could be paid, where that is the reason.
    """

    ways: tuple[Way, ...]
    reason: Reason = ""
    limit: Money | None = None

    def find(self, key: str) -> Way | None:
        """Return the way of a key, the first one for an empty key, None for any other."""
        if not key:
            return self.ways[0] if self.ways else None
        return next((way for way in self.ways if way.key == key), None)


def browser_of(user_agent: str) -> Browser:
    """Return where somebody is, by what their browser says; a desktop when it says nothing."""
    said = user_agent[:_LONGEST_AGENT].lower()
    if "micromessenger" in said and _OTHER_WECHAT not in said:
        return "wechat"
    if "alipayclient" in said:
        return "alipay"
    return "phone" if _PHONES.search(said) else "desktop"


def on_offer(lines: Sequence[Line], amount: Money, browser: Browser | None) -> Offered:
    """Return the ways by which an amount can be paid. ``browser``: None for all of them."""
    fitting = [line for line in lines if rules.is_in_range(amount, line.capabilities)]
    if not fitting:
        return _none(lines, amount)
    # An app's own wallet goes before what works there as well; else the order of the settings.
    ranked = sorted(fitting, key=lambda line: not _is_home(line, browser))
    ways = [_way(line, flow) for line in ranked for flow in _flows(line, browser)]
    return Offered(tuple(ways), "" if ways else "browser")


def _flows(line: Line, browser: Browser | None) -> list[Flow]:
    return [
        flow
        for flow in line.capabilities.flows
        if (browser is None or browser in flow.browsers)
        and (line.can_ask_payer or not flow.needs_payer)
    ]


def _is_home(line: Line, browser: Browser | None) -> bool:
    flows = _flows(line, browser)
    return browser in _APPS and any(flow.browsers == (browser,) for flow in flows)


def _way(line: Line, flow: Flow) -> Way:
    return Way(
        gateway=line.gateway,
        flow=flow.key,
        kind=flow.kind,
        name=NAMES.get(line.gateway, line.gateway),
        note=NOTES[flow.kind],
        browsers=flow.browsers,
        needs_payer=flow.needs_payer,
    )


def _none(lines: Sequence[Line], amount: Money) -> Offered:
    """Say why no gateway takes an amount."""
    if not lines:
        return Offered((), "nobody")
    if not amount.amount_minor:
        return Offered((), "free")
    limits = [line.capabilities.limits_minor.get(amount.currency) for line in lines]
    known = [limit for limit in limits if limit is not None]
    if not known:
        return Offered((), "currency")
    lowest = min(max(low, 1) for low, _ in known)
    if amount.amount_minor < lowest:
        return Offered((), "too_little", Money(lowest, amount.currency))
    return Offered((), "too_much", Money(max(high for _, high in known), amount.currency))
