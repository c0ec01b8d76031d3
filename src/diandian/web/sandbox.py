"""The sandbox gateway's own page: the guest chooses what the payment does, and no money moves.

It plays another company's website. Its notices reach us as a real gateway's would: the same bytes
and headers, through the same verification.
"""

import logging
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from diandian.flows import payment_events
from diandian.kernel.clock import now
from diandian.kernel.errors import N_, InputError
from diandian.kernel.money import Money
from diandian.payments.errors import UnknownPaymentError
from diandian.payments.gateways.sandbox.gateway import peer_of
from diandian.payments.gateways.sandbox.peer import (
    CHOICES,
    Choice,
    Peer,
    SignedNotice,
    Trade,
    TradeRefusedError,
    TradeState,
)
from diandian.payments.merchants import context_for, is_in_use
from diandian.web.secret import secret_page

log = logging.getLogger(__name__)

GATEWAY = "sandbox"

_ENDED: dict[TradeState, tuple[str, str]] = {
    "succeeded": (
        N_("This payment was made"),
        N_("Nothing more happens on this page. Your order shows what came of it."),
    ),
    "paying": (
        N_("This payment is on its way"),
        N_("It arrives in a few seconds. Your order shows it by itself."),
    ),
    "failed": (
        N_("This payment was declined"),
        N_("Nothing was charged. You can pay again from your order."),
    ),
    "closed": (
        N_("This payment was closed"),
        N_("Nothing was charged. Your order says whether you can still pay."),
    ),
    "expired": (
        N_("The time for this payment is over"),
        N_("Nothing was charged. Your order says whether you can still pay."),
    ),
}


class ChoiceMissingError(InputError):
    """A post without one of the five outcomes."""

    code = "outcome_missing"
    message = N_("Please choose what the sandbox should do. Nothing happened yet.")


@dataclass(frozen=True, slots=True)
class Button:
    """One outcome that can be tried."""

    outcome: Choice
    text: str
    hint: str
    is_main: bool = False


def _buttons(peer: Peer) -> list[Button]:
    return [
        Button("paid", gettext("Pay"), gettext("The payment succeeds at once."), is_main=True),
        Button("declined", gettext("Decline"), gettext("The bank says no. Nothing is charged.")),
        Button(
            "late",
            gettext("Pay, but late"),
            gettext("The payment arrives after %(seconds)s seconds.")
            % {"seconds": peer.late_seconds},
        ),
        Button(
            "silent", gettext("Pay, but tell nobody"), gettext("No message is sent: we must ask.")
        ),
        Button(
            "twice", gettext("Pay, and tell it twice"), gettext("The same message comes again.")
        ),
    ]


@secret_page
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """Show a sandbox payment, or let the chosen outcome happen and lead back to the order."""
    if not is_in_use(GATEWAY):
        raise UnknownPaymentError
    peer = peer_of(context_for(GATEWAY))
    trade = peer.by_token(token)
    if trade is None:
        raise UnknownPaymentError
    if request.method != "POST":
        return _page(request, peer, trade)
    outcome = request.POST.get("outcome", "")
    if outcome not in CHOICES:
        return _page(request, peer, trade, ChoiceMissingError(field="outcome"))
    try:
        notices = peer.decide(token, outcome, now())
    except TradeRefusedError:
        return _page(request, peer, trade)
    deliver(notices)
    # 303: the browser asks for the order by GET, and going back does not pay again.
    return HttpResponseRedirect(_return_path(trade), status=303)


def deliver(notices: list[SignedNotice]) -> None:
    """Send the notices to the address that HTTP would reach; the payer never sees how that went."""
    for notice in notices:
        try:
            ack = payment_events.receive_notice(GATEWAY, notice.headers, notice.body)
        except Exception:
            log.exception("a sandbox notice was not taken")
        else:
            log.debug("a sandbox notice was answered with %s", ack.status)


def _return_path(trade: Trade) -> str:
    """Return the order's address on this very host: phones reach a demo by other names."""
    return urlsplit(trade.return_url).path or "/"


def _page(
    request: HttpRequest, peer: Peer, trade: Trade, error: InputError | None = None
) -> HttpResponse:
    state = trade.state(now())
    title, text = _ENDED.get(state, ("", ""))
    status = 200
    if request.method == "POST":
        status = 422 if error else 409
    return render(
        request,
        "web/sandbox/page.html",
        {
            "amount": Money(trade.amount_minor, trade.currency),
            "payee": settings.OPERATOR_NAME or gettext("Diandian (demo)"),
            "trade": trade,
            "minutes_left": max(0, int((trade.expires_at - now()).total_seconds()) // 60),
            "buttons": _buttons(peer) if state == "pending" else [],
            "ended_title": gettext(title) if title else "",
            "ended_text": gettext(text) if text else "",
            "return_url": _return_path(trade),
            "desk_url": reverse("sandbox_desk", args=[trade.token]) if state == "succeeded" else "",
            "errors": [error] if error else [],
        },
        status=status,
    )
