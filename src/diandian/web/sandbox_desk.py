"""The sandbox bank's own desk: what a bank or a gateway's console does later, to be tried.

Refunds made by hand, refunds that take their time, fail or find no way home, and chargebacks. It
plays another company's website, like the page to pay at; no money moves.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from diandian.kernel.clock import now
from diandian.kernel.errors import N_, InputError
from diandian.kernel.money import Money
from diandian.payments import queries
from diandian.payments.errors import UnknownPaymentError
from diandian.payments.gateways.sandbox import disputes, refunds
from diandian.payments.gateways.sandbox.gateway import peer_of
from diandian.payments.gateways.sandbox.peer import Peer, SignedNotice, Trade, TradeRefusedError
from diandian.payments.merchants import context_for, is_in_use
from diandian.web.sandbox import GATEWAY, deliver
from diandian.web.secret import secret_page

# A dispute costs so much here, in minor units.
_FEE_MINOR = 500
_PARTS = 3


class DeskChoiceError(InputError):
    """A post that this desk does not offer, or not any more."""

    code = "sandbox_desk"
    message = N_("The sandbox bank cannot do this now. Nothing happened. Please choose again.")


@secret_page
@require_http_methods(["GET", "HEAD", "POST"])
def desk(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the bank can do with a received payment, or let it happen."""
    if not is_in_use(GATEWAY):
        raise UnknownPaymentError
    peer = peer_of(context_for(GATEWAY))
    trade = peer.by_token(token)
    if trade is None or trade.state(now()) != "succeeded":
        raise UnknownPaymentError
    if request.method != "POST":
        return _page(request, peer, trade)
    try:
        deliver(_act(request, peer, trade))
    except TradeRefusedError:
        return _page(request, peer, trade, DeskChoiceError(field="action"))
    response = redirect(request.path)
    response.status_code = 303
    return response


def _act(request: HttpRequest, peer: Peer, trade: Trade) -> list[SignedNotice]:
    """Let the pressed button happen; return the notices. Raises: TradeRefusedError."""
    sent, at, number = request.POST, now(), trade.payment_no
    action, chosen = sent.get("action", ""), sent.get("which", "")
    left_minor = trade.amount_minor - trade.refunded_minor
    match action:
        case "part":
            part_minor = min(left_minor, max(1, trade.amount_minor // _PARTS))
            return [_by_hand(peer, number, part_minor)]
        case "rest":
            return [_by_hand(peer, number, left_minor)]
        case "think" | "hurry":
            refunds.think(peer, number, thinks=action == "think")
            return []
        case "dispute":
            amount_minor = trade.amount_minor
            _, notice = disputes.begin(
                peer, number, amount_minor=amount_minor, fee_minor=_FEE_MINOR, now=at
            )
            return [notice]
        case "won" | "lost" if _is_of(trade, peer, chosen):
            return [disputes.end(peer, chosen, action, at)]
        case "succeeded" | "failed" | "abnormal" if _is_refund_of(trade, peer, chosen):
            return [refunds.decide(peer, chosen, action, at)]
    raise TradeRefusedError("not_offered")


def _by_hand(peer: Peer, payment_no: str, amount_minor: int) -> SignedNotice:
    if amount_minor <= 0:
        raise TradeRefusedError("nothing_left")
    return refunds.by_hand(peer, payment_no, amount_minor, now())


def _is_of(trade: Trade, peer: Peer, dispute_ref: str) -> bool:
    known = {each["dispute_ref"] for each in disputes.facts_of(peer, trade.payment_no)}
    return dispute_ref in known


def _is_refund_of(trade: Trade, peer: Peer, refund_no: str) -> bool:
    row = peer.refund_by_no(refund_no)
    return row is not None and row.payment_no == trade.payment_no


def _page(
    request: HttpRequest, peer: Peer, trade: Trade, error: InputError | None = None
) -> HttpResponse:
    payment = queries.by_no(trade.payment_no)
    asked = [
        (each.refund_no, Money(each.amount_minor, trade.currency))
        for each in payment.refunds.all()
        if peer.refund_by_no(each.refund_no) is not None
        and refunds.state_of(peer, each.refund_no) in {"processing", "abnormal"}
    ]
    taken = [
        (each, Money(each["amount_minor"], each["currency"]))
        for each in disputes.facts_of(peer, trade.payment_no)
    ]
    shown = {
        "trade": trade,
        "amount": Money(trade.amount_minor, trade.currency),
        "back": Money(trade.refunded_minor, trade.currency),
        "left": trade.amount_minor > trade.refunded_minor,
        "asked": asked,
        "disputes": taken,
        "errors": [error] if error else [],
    }
    status = 422 if error else 200
    return render(request, "web/sandbox/desk.html", shown, status=status)
