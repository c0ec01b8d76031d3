"""An order by its secret link: where it stands, what can be done, resumable at any time.

The browser's return from the gateway proves nothing: we ask the gateway ourselves.
*Source:* payments design, section 5; product design, section 4, states of the guest flow.
"""

import logging
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from diandian.certificates import queries as certificates
from diandian.claims import wording
from diandian.emissions.life.certified import is_year
from diandian.flows import allocator, deadline, expiry, paying, payment_events, sales, withdrawal
from diandian.kernel.clock import business_day, now
from diandian.kernel.errors import DiandianError
from diandian.kernel.memory import Memory
from diandian.kernel.money import Money
from diandian.orders import queries, rules
from diandian.orders.models import Order, OrderState, Withdrawal
from diandian.payments import queries as payments
from diandian.payments.errors import NotClosedYetError
from diandian.payments.models import OPEN_STATES, Payment, PaymentState
from diandian.ui import drawing, htmx
from diandian.web import context, order_ways, till
from diandian.web.order_refunds import money_back, where_the_money_is
from diandian.web.secret import secret_page

log = logging.getLogger(__name__)

# A page that refreshes itself asks the gateway no more often than this.
_asked: Memory[bool] = Memory(seconds=1, maxsize=20_000)
_MOVING = {"waiting", "checking", "over", "paid"}
_HALF = {"checking", "paid", "held"}
RETIRE_NOW, WITHDRAW = "retire_now", "withdraw"
CANCEL, RESTART = "cancel", "restart"
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
        # Who comes back after money went back reads about it first; who waits here is led on.
        if code is not None and (htmx.wants_fragment(request) or not payments.refunds_of(bare.ref)):
            return _go(request, reverse("certificate", args=[code]) + "?new=1")
    return page(request, queries.order_by_token(token))


def _go(request: HttpRequest, url: str) -> HttpResponse:
    if htmx.wants_fragment(request):
        return HttpResponseClientRedirect(url)
    response = redirect(url)
    response.status_code = 303
    return response


def _ask_gateway(order: Order) -> Order:
    """Ask about the open attempts, also those set aside; return the order as it stands then."""
    open_ = [each for each in payments.of_owner(order.ref) if each.state in OPEN_STATES]
    to_ask = [each.payment_no for each in open_ if not _asked.get(each.payment_no)]
    for payment_no in to_ask:
        _asked.put(payment_no, value=True)
        try:
            payment_events.refresh(payment_no)
        except DiandianError:
            # Nobody knows yet; the poller asks again and the page says "checking".
            log.exception("payment %s could not be asked about", payment_no)
    return queries.bare_order_by_token(order.token) if to_ask else order


def _act(request: HttpRequest, order: Order) -> HttpResponse:
    action = request.POST.get("action", "")
    try:
        if action == "pay":
            payment = paying.pay(order, order_ways.same_again(request, order))
            return _go(request, till.way_on(order, payment))
        if action in {CANCEL, RESTART}:
            _cancel(order)
            return _go(request, _back_url(order) if action == RESTART else request.path)
        if action == WITHDRAW and request.POST.get("sure") != "1":
            return page(request, order, asks_to_withdraw=True)
        if action in {RETIRE_NOW, WITHDRAW}:
            withdrawal.retire_now(order) if action == RETIRE_NOW else withdrawal.withdraw(order)
    except DiandianError as refused:
        return page(request, queries.order_by_token(order.token), refused)
    return _go(request, request.path)


def _cancel(order: Order) -> None:
    """Cancel an order that waits for its payment. Raises: NotClosedYetError.

    An order that does not wait any more is left as it is: its page says what it is.
    """
    if not expiry.cancel_order(order):
        bare = queries.bare_order_by_token(order.token)
        if bare.state == OrderState.AWAITING_PAYMENT:
            raise NotClosedYetError


def standing(order: Order, payments: list[Payment]) -> str:
    """Return the one word that chooses what the page says."""
    if order.state == OrderState.AWAITING_PAYMENT:
        return _waiting(order, payments[-1] if payments else None, now())
    received = _received(payments)
    if order.state in _NOTHING_CHARGED and received:
        # Money came after the end and not as agreed: people decide, then it goes back.
        going_back = all(each.refunded_minor >= each.received.amount_minor for each in received)
        return str(OrderState.UNFULFILLABLE if going_back else OrderState.REVIEW)
    return _by_right(order) or str(order.state)


def _waiting(order: Order, last: Payment | None, at: datetime) -> str:
    """Return what the newest attempt makes of an order that waits for its payment."""
    if last is None or last.state in {PaymentState.FAILED, PaymentState.CLOSED}:
        return "failed" if rules.attempt_ends_at(order.created_at, at) else "over"
    if last.state == PaymentState.SUCCEEDED or last.is_superseded:
        return "checking"
    if at >= last.expires_at:
        return "over"
    if last.state == PaymentState.UNKNOWN:
        # Without an instruction its guest never saw a way to pay: it is asked for again.
        return "checking" if last.instruction else "unsent"
    # Gateways answer "pending" before the guest paid and while the bank thinks: say both.
    return "waiting"


def _by_right(order: Order) -> str:
    """Return what a right to withdraw makes of an order's state, or nothing."""
    if order.is_held(now()):
        return "held"
    used = order.withdrawal == Withdrawal.USED and order.state == OrderState.UNFULFILLABLE
    return "withdrawn" if used else ""


def _received(payments: list[Payment]) -> list[Payment]:
    return [each for each in payments if each.state == PaymentState.SUCCEEDED]


def page(
    request: HttpRequest,
    order: Order,
    error: DiandianError | None = None,
    *,
    asks_to_withdraw: bool = False,
) -> HttpResponse:
    """Show where an order stands, and the ways on from there."""
    links = order.payment_links.select_related("payment").order_by("id")
    attempts = [link.payment for link in links]
    where = standing(order, attempts)
    if where in {OrderState.UNFULFILLABLE, OrderState.REVIEW, "withdrawn"}:
        found = where_the_money_is(order, _received(attempts))
        where = found if where != "withdrawn" or found == OrderState.REVIEW else where
    back = money_back(order, attempts)
    style = context.style_of(order.scene) if order.scene else "contribution"
    scale = drawing.scale_for(order.mass_g).kg_per_dot
    count = drawing.dot_count(order.mass_g, scale)
    shown = {
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
        "tried_until": deadline.told_to_guest(order) if where == "paid" else None,
        "missed": where == OrderState.REVIEW and not back.lines and deadline.missed(order),
        "twice": back.twice,
        "refunds": back.lines,
        "code": certificates.code_of_order(order.ref) if where == "completed" else None,
        "link": settings.BASE_URL + reverse("order", args=[order.token]),
        "errors": [error] if error else [],
        "voluntary": wording.voluntary(context.language(), style),
        "back_url": _back_url(order),
        "back_text": _back_text(order),
    } | order_ways.facts(request, attempts, where)
    if htmx.wants_fragment(request) and request.GET.get("look", shown["look"]) != shown["look"]:
        # What stands around the part that refreshes itself has changed too.
        return HttpResponseClientRefresh()
    response = htmx.render(request, "web/order/page.html", shown, fragment="web/order/_status.html")
    response.status_code = 409 if error else 200
    return response


def _back_url(order: Order) -> str:
    if order.scene is not None and order.footprint is not None:
        return reverse("scene_result", args=[order.scene.slug, order.footprint.token])
    return reverse("life" if is_year(order.quote.estimate) else "lump_sum")


def _back_text(order: Order) -> str:
    """Return where the way back leads: only a visit has a result to come back to."""
    if order.scene is not None and order.footprint is not None:
        return gettext("Your result")
    if is_year(order.quote.estimate):
        return gettext("Your year in dots")
    return gettext("Other amount")
