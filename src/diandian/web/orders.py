"""An order by its secret link: where it stands, what can be done, resumable at any time.

The browser's return from the gateway proves nothing: we ask the gateway ourselves.
*Source:* payments design, section 5; product design, section 4, states of the guest flow.
"""

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from diandian.certificates import queries as certificates
from diandian.claims import wording
from diandian.emissions.life.certified import is_year
from diandian.flows import allocator, checkout, expiry, payment_events, sales, withdrawal
from diandian.kernel.clock import business_day, now
from diandian.kernel.errors import DiandianError
from diandian.kernel.memory import Memory
from diandian.kernel.money import Money
from diandian.orders import queries
from diandian.orders.models import Order, OrderState, Withdrawal
from diandian.payments.models import OPEN_STATES, Payment, PaymentState
from diandian.ui import drawing, htmx
from diandian.web import context
from diandian.web.secret import secret_page

log = logging.getLogger(__name__)

# A page that refreshes itself asks the gateway no more often than this.
_asked: Memory[bool] = Memory(seconds=1, maxsize=20_000)
_MOVING = {"waiting", "checking", "paid"}
_HALF = {"checking", "paid", "held"}
RETIRE_NOW, WITHDRAW = "retire_now", "withdraw"
_NOTHING_CHARGED = (OrderState.EXPIRED, OrderState.CANCELLED)


@secret_page
def order(request: HttpRequest, token: str) -> HttpResponse:
    """Show where an order stands; with POST pay again, cancel, retire now or withdraw."""
    if request.method == "POST":
        return _act(request, queries.order_by_token(token))
    bare = queries.bare_order_by_token(token)
    if bare.state == OrderState.AWAITING_PAYMENT:
        bare = _ask_gateway(bare)
    if bare.state == OrderState.PAID and not bare.is_held(now()):
        bare.state = allocator.wait_for(bare.id, token)
    if bare.state == OrderState.COMPLETED:
        code = certificates.code_of_order(bare.ref)
        if code is not None:
            return _go(request, reverse("certificate", args=[code]) + "?new=1")
    return _page(request, queries.order_by_token(token))


def _go(request: HttpRequest, url: str) -> HttpResponse:
    if htmx.wants_fragment(request):
        return HttpResponseClientRedirect(url)
    response = redirect(url)
    response.status_code = 303
    return response


def _ask_gateway(order: Order) -> Order:
    """Ask about the open payment and return the order as it stands then."""
    payment = queries.latest_payment(order)
    if payment is None or payment.state not in OPEN_STATES or _asked.get(payment.payment_no):
        return order
    _asked.put(payment.payment_no, value=True)
    try:
        payment_events.refresh(payment.payment_no)
    except DiandianError:
        # Nobody knows yet; the poller asks again and the page says "checking".
        log.exception("payment %s could not be asked about", payment.payment_no)
        return order
    return queries.bare_order_by_token(order.token)


def _act(request: HttpRequest, order: Order) -> HttpResponse:
    action = request.POST.get("action", "")
    error: DiandianError | None = None
    if action == "pay":
        try:
            payment = checkout.retry_payment(order)
        except DiandianError as refused:
            error = refused
        else:
            return _go(request, str(payment.instruction.get("url") or request.path))
    elif action == "cancel":
        expiry.cancel_order(order)
    elif action in {RETIRE_NOW, WITHDRAW}:
        if action == WITHDRAW and request.POST.get("sure") != "1":
            return _page(request, order, asks_to_withdraw=True)
        try:
            withdrawal.retire_now(order) if action == RETIRE_NOW else withdrawal.withdraw(order)
        except DiandianError as refused:
            error = refused
    if error is not None:
        return _page(request, queries.order_by_token(order.token), error)
    return _go(request, request.path)


def standing(order: Order, payments: list[Payment]) -> str:
    """Return the one word that chooses what the page says."""
    if order.state == OrderState.AWAITING_PAYMENT:
        last = payments[-1].state if payments else PaymentState.FAILED
        if last in {PaymentState.UNKNOWN, PaymentState.SUCCEEDED}:
            return "checking"
        if last in {PaymentState.FAILED, PaymentState.CLOSED}:
            return "failed"
        # Gateways answer "pending" before the guest paid and while the bank thinks: say both.
        return "waiting"
    received = _received(payments)
    if order.state in _NOTHING_CHARGED and received:
        # Money came after the end and not as agreed: people decide, then it goes back.
        going_back = all(payment.refunded_minor for payment in received)
        return str(OrderState.UNFULFILLABLE if going_back else OrderState.REVIEW)
    return _by_right(order) or str(order.state)


def _by_right(order: Order) -> str:
    """Return what a right to withdraw makes of an order's state, or nothing."""
    if order.is_held(now()):
        return "held"
    used = order.withdrawal == Withdrawal.USED and order.state == OrderState.UNFULFILLABLE
    return "withdrawn" if used else ""


def _received(payments: list[Payment]) -> list[Payment]:
    return [each for each in payments if each.state == PaymentState.SUCCEEDED]


def _page(
    request: HttpRequest,
    order: Order,
    error: DiandianError | None = None,
    *,
    asks_to_withdraw: bool = False,
) -> HttpResponse:
    links = order.payment_links.select_related("payment").order_by("id")
    payments = [link.payment for link in links]
    where = standing(order, payments)
    received = _received(payments)
    style = context.style_of(order.scene) if order.scene else "contribution"
    scale = drawing.scale_for(order.mass_g).kg_per_dot
    count = drawing.dot_count(order.mass_g, scale)
    page = {
        "order": order,
        "standing": where,
        "moving": where in _MOVING,
        "count": count,
        "scale": scale,
        "dots_state": "half" if where in _HALF else "full" if where == "completed" else "hollow",
        "retire_on": business_day(order.retire_after) if order.retire_after else None,
        "asks_to_withdraw": asks_to_withdraw and where == "held",
        "total": Money(order.quote.total_minor, order.quote.currency),
        "sales_stopped": sales.are_stopped(),
        "paid_twice": len(received) > 1 and any(each.refunded_minor for each in received),
        "link": settings.BASE_URL + request.path,
        "errors": [error] if error else [],
        "voluntary": wording.voluntary(context.language(), style),
        "back_url": _back_url(order),
    }
    response = htmx.render(request, "web/order/page.html", page, fragment="web/order/_status.html")
    response.status_code = 409 if error else 200
    return response


def _back_url(order: Order) -> str:
    if order.scene is not None and order.footprint is not None:
        return reverse("scene_result", args=[order.scene.slug, order.footprint.token])
    return reverse("life" if is_year(order.quote.estimate) else "home")
