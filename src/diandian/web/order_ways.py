"""How an order's page lets its guest pay: by a page elsewhere, a QR code, or a wallet's own window.

Another way to pay has a page of its own, which no refresh disturbs. *Source:* payments design,
sections 2 and 4.
"""

import json
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from diandian.flows import paying, ways
from diandian.flows.checkout import PayBy
from diandian.kernel.clock import now
from diandian.kernel.errors import DiandianError
from diandian.kernel.money import Money
from diandian.orders import queries
from diandian.orders.models import Order, OrderState
from diandian.payments import merchants, rules
from diandian.payments import ways as payment_ways
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.models import OPEN_STATES, Payment
from diandian.payments.ways import Offered
from diandian.ui import limits
from diandian.web import till
from diandian.web.secret import secret_page

_MINUTE = timedelta(minutes=1)


def facts(request: HttpRequest, attempts: list[Payment], where: str) -> dict[str, object]:
    """Return what the page shows of the newest attempt. ``look``: what its frame depends on."""
    payment = attempts[-1] if attempts else None
    kind, instruction = _kind(payment, where), payment.instruction if payment else {}
    return {
        "kind": kind,
        "look": f"{where}-{kind}-{payment.id if payment else 0}",
        "qr_text": instruction.get("text", ""),
        "wallet": json.dumps(instruction.get("parameters") or {}),
        "wallet_url": instruction.get("url", ""),
        "opens_wallet": request.GET.get("pay") == "1",
        "gateway_name": payment_ways.NAMES.get(payment.gateway, payment.gateway) if payment else "",
        "is_sandbox": payment is not None and payment.gateway == merchants.SANDBOX,
        "browser": till.browser_of(request),
        "minutes_left": _minutes_left(payment),
        "set_aside": any(each.is_superseded and each.state in OPEN_STATES for each in attempts),
    }


def _kind(payment: Payment | None, where: str) -> str:
    """Return how the guest pays now: redirect, qr, jsapi; payer: first ask; stale: ask again."""
    if payment is None or where != "waiting":
        return ""
    if ways.lacks_payer(payment):
        return "payer"
    if not rules.is_fresh(payment.instruction, now()):
        return "stale"
    return str(payment.instruction.get("kind") or "redirect")


def _minutes_left(payment: Payment | None) -> int:
    """Return the whole minutes until an attempt's deadline, rounded up."""
    return max(0, -(-(payment.expires_at - now()) // _MINUTE)) if payment else 0


def same_again(request: HttpRequest, order: Order) -> PayBy:
    """Return the way of an order's newest attempt; where it is over and shown here, another's.

    Raises: UnknownGatewayError, AmountOutOfRangeError.
    """
    payment, client_ip = queries.latest_payment(order), limits.client_ip(request)
    if payment is not None and payment.state in OPEN_STATES and not payment.is_superseded:
        return PayBy(payment.gateway, payment.flow, client_ip)
    offered = _offered(request, order)
    own = offered.find(f"{payment.gateway}:{payment.flow}") if payment is not None else None
    way = own or offered.find("")
    if way is None:
        raise UnknownGatewayError
    return PayBy(way.gateway, way.flow, client_ip)


def _offered(request: HttpRequest, order: Order) -> Offered:
    return ways.offered(_due(order), till.browser_of(request))


def _due(order: Order) -> ways.Due:
    return ways.due(order.quote, order.project.supplier_ref)


def _total(order: Order) -> Money:
    return Money(order.quote.total_minor, order.quote.currency)


@secret_page
def other_way(request: HttpRequest, token: str) -> HttpResponse:
    """Show the ways to pay an order; when posted, close the open attempt and go on by another."""
    order = queries.order_by_token(token)
    if order.state != OrderState.AWAITING_PAYMENT:
        return redirect("order", token)
    if request.method != "POST":
        return _choose(request, order)
    try:
        wanted = request.POST.get("way", "")
        way = ways.choose(_due(order), till.browser_of(request), wanted)
        payment = paying.pay(order, PayBy(way.gateway, way.flow, limits.client_ip(request)))
    except DiandianError as error:
        order = queries.order_by_token(token)
        if order.state != OrderState.AWAITING_PAYMENT:
            return redirect("order", token)
        return _choose(request, order, error)
    response = redirect(till.way_on(order, payment))
    response.status_code = 303
    return response


def _choose(request: HttpRequest, order: Order, error: DiandianError | None = None) -> HttpResponse:
    payment, offered = queries.latest_payment(order), _offered(request, order)
    own = offered.find(f"{payment.gateway}:{payment.flow}") if payment is not None else None
    others = [way for way in offered.ways if way != own]
    shown = {
        "order": order,
        "offered": offered,
        "way": others[0] if others else own,
        "total": _total(order),
        "errors": [error] if error else [],
    }
    return till.answer_with_ways(request, "web/order/ways.html", shown, 409 if error else 200)
