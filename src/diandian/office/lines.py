"""How the lines to gateways are, at the operator's desk: which rest, and whose notices are refused.

Only looked at: a line comes back by itself, and a notice that was not believed left a count and
nothing else. No key, address or byte of a notice is shown, for none is kept.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext

from diandian.flows import gateways
from diandian.kernel.clock import business_day, now
from diandian.kernel.errors import N_
from diandian.payments import merchants, queries, ways
from diandian.payments.inbox import queries as inbox
from diandian.payments.models import RefusedNotices

SHOWN_DAYS = 14
REASONS = {
    "bad_signature": (
        N_("The signature is wrong"),
        N_("Either forged, or the gateway signs with a key that we do not have: compare the keys."),
    ),
    "unknown_key": (
        N_("Signed with a key that we do not know"),
        N_("The gateway has a new key. Enter it soon: until then its notices are refused."),
    ),
    "stale": (
        N_("Too old, or from the future"),
        N_("Somebody repeats old notices, or a clock is wrong: compare this machine's."),
    ),
    "malformed": (
        N_("Not readable"),
        N_("Not sent by the gateway, or its form changed. Look at its own desk for failures."),
    ),
    "not_ours": (
        N_("For another account or mode"),
        N_("At the gateway another shop, or its test mode, has our address: correct it there."),
    ),
    "no_such_address": (
        N_("To an address that is not in use"),
        N_("Somebody tries addresses, or one is entered wrongly at the gateway."),
    ),
}


@dataclass(frozen=True, slots=True)
class Refused:
    """Notices of one account, day and kind that were not believed."""

    row: RefusedNotices
    gateway: str
    why: str
    advice: str
    is_alarm: bool


@dataclass(frozen=True, slots=True)
class LineView:
    """One of our accounts at a gateway."""

    gateway: str
    key: str
    rests: bool


class WatchesGateways:
    """What stands above the list of notices, which only reads."""

    list_before_template = "office/desk/lines_head.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the page of lines and refused notices."""
        view = self.admin_site.admin_view  # type: ignore[attr-defined]  # of the admin below
        own: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [path("lines/", view(self.lines), name="payments_lines"), *own]

    def lines(self, request: HttpRequest) -> HttpResponse:
        """Show which lines rest, and which notices were refused, the newest first."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        refused = _refused()
        shown = {
            "lines": _lines(),
            "refused": refused,
            "alarms": [each for each in refused if each.is_alarm],
            "dead": queries.notices_given_up(),
            "days": SHOWN_DAYS,
            "title": gettext("Lines to gateways"),
        }
        frame = self.admin_site.each_context(request)  # type: ignore[attr-defined]
        return render(request, "office/desk/lines.html", frame | shown)


def _lines() -> list[LineView]:
    at = now()
    return [
        LineView(_name(each.gateway), each.key, rests=gateways.is_at_rest(each, at=at))
        for each in merchants.every()
    ]


def _refused() -> list[Refused]:
    since = business_day() - timedelta(days=SHOWN_DAYS - 1)
    found = inbox.alarms_since(since)
    alarms = {(each.gateway, each.merchant_key, each.reason, each.day) for each in found}
    rows = sorted(inbox.refused_since(since), key=lambda row: row.last_at, reverse=True)
    return [_in_words(row, alarms) for row in rows]


def _in_words(row: RefusedNotices, alarms: set[tuple[Any, ...]]) -> Refused:
    why, advice = REASONS.get(row.reason, (row.reason, ""))
    return Refused(
        row,
        gateway=_name(row.gateway) if row.gateway else gettext("none of ours"),
        why=gettext(why),
        advice=gettext(advice) if advice else "",
        is_alarm=(row.gateway, row.merchant_key, row.reason, row.day) in alarms,
    )


def _name(gateway: str) -> str:
    return gettext(ways.NAMES.get(gateway, gateway))
