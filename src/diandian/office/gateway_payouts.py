"""What gateways pay out to our bank, at the operator's desk: on its way, arrived, or entered.

A statement of the gateway books a payout by itself; people find it on the bank's statement. Where
no statement tells of it, one person enters it and another one decides. Everything is done by a flow
and stands in the trail under the operator's name.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from diandian.flows import gateway_payouts
from diandian.flows.gateway_payouts import MOST_REASON, FromBank
from diandian.kernel.money import EXPONENTS, Money
from diandian.office.acts import actor_of, say
from diandian.reconciliation.errors import PayoutFactsError
from diandian.reconciliation.payouts import queries

_SHOWN = 50
_LONGEST = 80
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,3})?")


class KeepsGatewayPayouts:
    """What can be done on the list of payouts to our bank, which else only reads."""

    list_before_template = "office/desk/gateway_payouts_head.html"

    def has_reconcile_permission(self, request: HttpRequest) -> bool:
        """Tell whether this operator may enter, decide and confirm payouts to our bank."""
        return bool(request.user.has_perm("reconciliation.change_gatewaypayout"))

    def get_urls(self) -> list[URLPattern]:
        """Add the page of what is on its way, and what is posted to it."""
        view = self.admin_site.admin_view  # type: ignore[attr-defined]  # of the admin below
        pages = [
            path("overview/", view(self.overview), name="gateway_payouts"),
            path("enter/", view(self.enter), name="gateway_payouts_enter"),
            path("<int:number>/decide/", view(self.decide), name="gateway_payouts_decide"),
        ]
        own: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [*pages, *own]

    def overview(self, request: HttpRequest) -> HttpResponse:
        """Show what waits for a second person, what is on its way, and what arrived."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        shown = {
            "waiting": queries.waiting(),
            "on_the_way": queries.on_the_way(),
            "by_hand": queries.booked_by_hand(_SHOWN),
            "arrived": queries.newest(_SHOWN),
            "merchants": [each.key for each in gateway_payouts.accounts()],
            "currencies": sorted(EXPONENTS),
            "may_act": self.has_reconcile_permission(request),
            "me": actor_of(request),
            "most_reason": MOST_REASON,
            "title": gettext("Payouts to our bank"),
        }
        frame = self.admin_site.each_context(request)  # type: ignore[attr-defined]
        return render(request, "office/desk/gateway_payouts.html", frame | shown)

    def enter(self, request: HttpRequest) -> HttpResponse:
        """Keep a payout from a line of the bank's statement, for a second person."""
        return self._post(request, lambda: _enter(request))

    def decide(self, request: HttpRequest, number: int) -> HttpResponse:
        """Confirm or refuse what another person entered, or write that a payout arrived."""
        return self._post(request, lambda: _decide(request, number))

    def _post(self, request: HttpRequest, run: Callable[[], str]) -> HttpResponse:
        if not self.has_reconcile_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            say(request, run)
        return redirect(reverse("admin:gateway_payouts"))


def _enter(request: HttpRequest) -> str:
    sent = request.POST
    told = FromBank(
        merchant_key=sent.get("merchant", "")[:40],
        amount=_amount(sent.get("amount", ""), sent.get("currency", "")),
        paid_on=_day(sent.get("paid_on", ""), "paid_on"),
        bank_ref=sent.get("bank_ref", "")[: _LONGEST + 1],
        bank_day=_day(sent.get("bank_day", ""), "bank_day"),
        payout_ref=sent.get("payout_ref", "")[: _LONGEST + 1],
        is_return=sent.get("is_return", "") == "yes",
    )
    gateway_payouts.enter(told, actor_ref=actor_of(request))
    return gettext("Entered. A second person compares it with the bank's statement and decides.")


def _decide(request: HttpRequest, number: int) -> str:
    """Do what the pressed button says; return it in words. Raises: DiandianError."""
    sent, actor_ref = request.POST, actor_of(request)
    reason = sent.get("reason", "")[: MOST_REASON + 1]
    match sent.get("action", ""):
        case "confirm":
            gateway_payouts.confirm(number, actor_ref=actor_ref)
            return gettext("Booked")
        case "refuse":
            gateway_payouts.refuse(number, reason=reason, actor_ref=actor_ref)
            return gettext("Refused; nothing was booked")
        case "ask_undo":
            gateway_payouts.ask_undo(number, reason=reason, actor_ref=actor_ref)
            return gettext("Asked for. A second person undoes it, or leaves it.")
        case "undo":
            gateway_payouts.undo(number, actor_ref=actor_ref)
            return gettext("Undone: it is booked back")
        case "keep":
            gateway_payouts.keep(number, actor_ref=actor_ref)
            return gettext("Left as it was booked")
    payout = queries.by_id(number)
    gateway_payouts.note_arrival(
        number,
        _amount(sent.get("amount", ""), payout.currency),
        bank_ref=sent.get("bank_ref", "")[: _LONGEST + 1],
        bank_day=_day(sent.get("bank_day", ""), "bank_day"),
        actor_ref=actor_ref,
    )
    return gettext("Found at our bank")


def _amount(text: str, currency: str) -> Money:
    """Return an amount as it stands on a bank's statement. Raises: PayoutFactsError."""
    text = text.strip()
    if currency not in EXPONENTS or not _AMOUNT.fullmatch(text):
        raise PayoutFactsError(field="amount")
    try:
        return Money.from_decimal(Decimal(text), currency)
    except ValueError as error:
        raise PayoutFactsError(field="amount") from error


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise PayoutFactsError(field=field) from error
