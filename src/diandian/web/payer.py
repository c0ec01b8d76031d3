"""Who pays, asked of WeChat: the guest is sent there and comes back with a code for us to exchange.

The state that travels along is bound to the order and to this browser by a signed cookie, so that
nobody's identity is put under an order by a link. What WeChat answers goes into the one call that
opens the payment; it is not stored, logged or shown. *Source:* payments design, sections 2 and 12.
"""

import secrets
from urllib.parse import urljoin

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from diandian.flows import checkout, gateways, ways
from diandian.flows.checkout import PayBy
from diandian.kernel.errors import DiandianError
from diandian.orders import queries
from diandian.orders.models import Order, OrderState
from diandian.payments import merchants
from diandian.payments import payer as payment_payer
from diandian.payments.errors import PayerUnknownError
from diandian.payments.models import Payment
from diandian.ui import limits
from diandian.web import orders
from diandian.web.secret import secret_page

COOKIE = "payer"
_SECONDS = 600


@secret_page
def payer(request: HttpRequest, token: str) -> HttpResponse:
    """Send the guest to WeChat; when they come back, open the payment and go on to it."""
    order = queries.order_by_token(token)
    payment = queries.latest_payment(order)
    waits = order.state == OrderState.AWAITING_PAYMENT
    if not waits or payment is None or not ways.lacks_payer(payment):
        return redirect("order", token)
    try:
        if "state" not in request.GET:
            return _ask(request, order, payment)
        return _answered(request, order, payment)
    except DiandianError as error:
        return _forget(orders.page(request, queries.order_by_token(token), error), order)


def _path(order: Order) -> str:
    return reverse("order_payer", args=[order.token])


def _ask(request: HttpRequest, order: Order, payment: Payment) -> HttpResponse:
    """Lead on by a page of its own: a form that led there in one go would be stopped."""
    state = secrets.token_hex(16)
    context = merchants.of_payment(payment).context
    url = payment_payer.question_url(
        context, return_url=urljoin(settings.BASE_URL + "/", _path(order)), state=state
    )
    response = render(request, "web/order/payer.html", {"url": url})
    response.set_signed_cookie(
        COOKIE,
        state,
        salt=order.token,
        max_age=_SECONDS,
        path=_path(order),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE or request.is_secure(),
    )
    return response


def _answered(request: HttpRequest, order: Order, payment: Payment) -> HttpResponse:
    kept = request.get_signed_cookie(COOKIE, default="", salt=order.token, max_age=_SECONDS)
    came = request.GET.get("state", "")
    if not kept or not secrets.compare_digest(kept.encode(), came.encode("utf-8", "replace")):
        raise PayerUnknownError
    openid = gateways.openid_of(payment, request.GET.get("code", ""))
    by = PayBy(payment.gateway, payment.flow, limits.client_ip(request), openid)
    checkout.retry_payment(order, by)
    return _forget(redirect(reverse("order", args=[order.token]) + "?pay=1"), order)


def _forget(response: HttpResponse, order: Order) -> HttpResponse:
    response.delete_cookie(COOKIE, path=_path(order), samesite="Lax")
    return response
