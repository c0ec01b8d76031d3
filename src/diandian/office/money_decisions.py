"""Decisions about one order's money at the desk: first shown as they would be, then made.

What is posted names what was seen, so that nothing is decided twice or unseen.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext

from diandian.flows import aside, deadline, goodwill, resolve
from diandian.kernel.clock import business_day, day_starts, now
from diandian.kernel.errors import N_, ConflictError, DiandianError, InputError
from diandian.kernel.money import Money
from diandian.office.acts import actor_of
from diandian.orders import rules
from diandian.orders.errors import WaitUntilError
from diandian.orders.models import Order, OrderState
from diandian.payments import merchants
from diandian.payments import queries as payments
from diandian.payments.disputes import queries as disputes
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.models import Payment
from diandian.ui.templatetags.dd import said

MOST_REASON = 300
MOST_DIGITS = 18
_AMOUNT = re.compile(r"[0-9]{1,9}([.,][0-9]{1,3})?")
_DECISIONS = {
    "give_back": resolve.give_back,
    "accept": resolve.accept,
    "refund": resolve.refund_order,
}
STATES = {
    "awaiting_payment": N_("not paid yet"),
    "paid": N_("paid, not retired yet"),
    "completed": N_("retired"),
    "cancelled": N_("cancelled"),
    "expired": N_("expired"),
    "unfulfillable": N_("money on its way back"),
    "refunded": N_("refunded"),
    "review": N_("under review"),
}


REFUND_STATES = {
    "requested": N_("to be sent"),
    "submitted": N_("sent"),
    "unknown": N_("nobody knows yet whether it was done"),
    "processing": N_("accepted, not done yet"),
    "succeeded": N_("done"),
    "failed": N_("failed"),
    "abnormal": N_("found no way home"),
    "otherwise": N_("paid by other means"),
}
REFUND_KINDS = {
    "ordinary": N_("ordinary"),
    "goodwill": N_("goodwill, at our cost"),
    "external": N_("in the gateway's console"),
}


class DecisionInputError(InputError):
    """A reason, an amount or an act is missing or not one of those offered."""

    code = "decision_input"
    message = N_(
        "A reason of 1 to %(limit)s characters is needed, and for a part an amount such as 3.50."
        " Nothing was changed. Please fill them in."
    )

    def __init__(self, *, field: str = "") -> None:
        super().__init__(field=field, limit=MOST_REASON)


class OrderNumberError(InputError):
    """Not the number of an order."""

    code = "order_number"
    message = N_("An order has a number such as 17. Nothing was changed. Please check it.")


class SeenDifferentlyError(ConflictError):
    """Something changed between the preview and the decision."""

    code = "seen_differently"
    message = N_(
        "Something about this order changed since you looked. Nothing was changed by you. Please"
        " look again."
    )


def text_in(request: HttpRequest, name: str) -> str:
    """Return a posted line of text. Raises: DecisionInputError."""
    text = " ".join(request.POST.get(name, "").split())
    if not 0 < len(text) <= MOST_REASON or not text.isprintable():
        raise DecisionInputError(field=name)
    return text


def reason_in(request: HttpRequest) -> str:
    """Return the posted reason. Raises: DecisionInputError."""
    return text_in(request, "reason")


def amount_in(request: HttpRequest, currency: str) -> Money:
    """Return the posted amount of a currency. Raises: DecisionInputError."""
    text = request.POST.get("amount", "").strip()
    if not (text.isascii() and _AMOUNT.fullmatch(text)):
        raise DecisionInputError(field="amount")
    try:
        amount = Money.from_decimal(Decimal(text.replace(",", ".")), currency)
    except ValueError as error:
        raise DecisionInputError(field="amount") from error
    if not amount.amount_minor:
        raise DecisionInputError(field="amount")
    return amount


def until_in(request: HttpRequest) -> datetime:
    """Return the end of the posted day of the business zone. Raises: WaitUntilError."""
    try:
        day = date.fromisoformat(request.POST.get("until", "").strip())
        return day_starts(day + timedelta(days=1))
    except (ValueError, OverflowError) as error:
        raise WaitUntilError(field="until", days=rules.LONGEST_KEPT.days) from error


def answer(request: HttpRequest, order: Order) -> tuple[dict[str, Any] | None, int]:
    """Return what the page shows and its status; nothing to show once something was done."""
    if request.method != "POST":
        return _shown(order), 200
    try:
        preview = _decide(request, order)
    except DiandianError as error:
        messages.error(request, said(error))
        return _shown(order), 409
    if preview is None:
        messages.success(request, gettext("Done. It stands in the trail under your name."))
        return None, 200
    return _shown(order) | preview, 200


def _shown(order: Order) -> dict[str, Any]:
    received = payments.succeeded_of(order.ref)
    lines = [
        {
            "payment": payment,
            "received": payment.received,
            "left": aside.left(payment),
            "is_aside": aside.is_aside(payment),
            "is_disputed": disputes.is_disputed(payment),
            "is_odd": disputes.is_odd(payment),
        }
        for payment in received
    ]
    refunds = [
        {
            "refund": each,
            "amount": Money(each.amount_minor, each.payment.received.currency),
            "state": gettext(REFUND_STATES[each.state]),
            "kind": gettext(REFUND_KINDS[each.kind]),
        }
        for each in payments.refunds_of(order.ref)
    ]
    return {
        "order": order,
        "state": gettext(STATES[order.state]),
        "total": Money(order.quote.total_minor, order.quote.currency),
        "received": lines,
        "refunds": refunds,
        "is_retired": order.state == OrderState.COMPLETED,
        "is_shared": _is_shared(received),
        "is_reviewed": order.state == OrderState.REVIEW,
        "came": came(order) if order.state == OrderState.REVIEW else None,
        "missed": deadline.missed(order),
        "tomorrow": business_day(now()) + timedelta(days=1),
        "seen": _seen(order),
        "most_reason": MOST_REASON,
    }


def _is_shared(received: Iterable[Payment]) -> bool:
    """Tell whether the supplier stands for money back of an order, by its contract."""
    try:
        return any(merchants.of_payment(payment).shares_refunds for payment in received)
    except UnknownGatewayError:
        return False


@dataclass(frozen=True, slots=True)
class Came:
    """What is here of an order's money, beside its price. ``short``, ``over``: the difference.

    ``here``: what is here in each currency; neither difference is known across currencies, nor
    while ``is_disputed``: a bank decides, or, where it ``is_odd``, people about what was told.
    """

    total: Money
    here: tuple[Money, ...] = ()
    is_disputed: bool = False
    is_odd: bool = False
    short: Money | None = None
    over: Money | None = None

    @property
    def is_agreed(self) -> bool:
        """Tell whether exactly the price is here."""
        return self.here == (self.total,)


def came(order: Order) -> Came:
    """Return what is here of an order's money, and how far that is from its price."""
    total = Money(order.quote.total_minor, order.quote.currency)
    sums: dict[str, Money] = {}
    for money in resolve.received(order):
        sums[money.currency] = sums.get(money.currency, Money(0, money.currency)) + money
    here = tuple(sums.values())
    received = payments.succeeded_of(order.ref)
    if any(disputes.is_disputed(each) for each in received):
        is_odd = any(disputes.is_odd(each) for each in received)
        return Came(total, here, is_disputed=True, is_odd=is_odd)
    if list(sums) != [total.currency]:
        return Came(total, here)
    difference = here[0].amount_minor - total.amount_minor
    if difference < 0:
        return Came(total, here, short=total - here[0])
    return Came(total, here, over=here[0] - total if difference else None)


def _seen(order: Order) -> str:
    """Return what a decision rests on: where order and money stand."""
    parts = [order.state]
    parts += [f"{each.payment_no}:{each.refunded_minor}" for each in payments.of_owner(order.ref)]
    return "|".join(parts)


def _decide(request: HttpRequest, order: Order) -> dict[str, Any] | None:
    """Preview what the pressed button would do, or do it when that was seen and is still so.

    Raises: DiandianError.
    """
    action, reason = request.POST.get("action", ""), reason_in(request)
    is_sure = request.POST.get("sure") == "1"
    if is_sure and request.POST.get("seen") != _seen(order):
        raise SeenDifferentlyError
    if action == "goodwill":
        amount = amount_in(request, goodwill.price_paid(order).received.currency)
        goodwill.ask(
            order.id, amount_minor=amount.amount_minor, actor=actor_of(request), reason=reason
        )
        return None
    facts: dict[str, Any] = {"actor": actor_of(request), "reason": reason, "dry": not is_sure}
    if action == "part":
        decision = resolve.refund_part(order.id, part=_part(request, order), **facts)
    elif action == "wait":
        decision = resolve.keep_waiting(order.id, until=until_in(request), **facts)
    elif action in _DECISIONS:
        decision = _DECISIONS[action](order.id, **facts)
    else:
        raise DecisionInputError(field="action")
    if is_sure:
        return None
    return {
        "decision": decision,
        "becomes": gettext(STATES[decision.after]),
        "action": action,
        "reason": reason,
        "amount": request.POST.get("amount", ""),
        "until": request.POST.get("until", ""),
        "payment_no": request.POST.get("payment_no", ""),
    }


def _part(request: HttpRequest, order: Order) -> resolve.Part:
    payment = _payment(order, request.POST.get("payment_no", ""))
    amount = amount_in(request, payment.received.currency)
    return resolve.Part(payment.payment_no, amount.amount_minor, payment.refunded_minor)


def _payment(order: Order, payment_no: str) -> Payment:
    for payment in payments.succeeded_of(order.ref):
        if payment.payment_no == payment_no:
            return payment
    raise DecisionInputError(field="payment_no")
