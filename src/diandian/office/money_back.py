"""Money back at the operator's desk: what is on its way, what went wrong, what waits for a second.

One page lists all of it, the oldest first, each with what to do next; a page for each order shows
its money and previews a decision before it is made. Everything is done by a flow and stands in the
trail under the operator's name. *Source:* payments design, sections 4, 6 and 8.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language, gettext

from diandian.flows import abnormal, aftermath, disputes, goodwill, review
from diandian.kernel.clock import now
from diandian.kernel.errors import N_, DiandianError, NotFoundError
from diandian.kernel.money import Money
from diandian.office import money_decisions
from diandian.office.acts import actor_of, order_number
from diandian.office.desk_states import BANKS_WORDS
from diandian.office.money_decisions import reason_in, text_in
from diandian.orders import queries as orders
from diandian.orders import rules
from diandian.orders.models import Order
from diandian.payments.disputes import queries as dispute_queries
from diandian.payments.models import Dispute, MoneyRequest, Refund
from diandian.payments.refunds import queries as refund_queries
from diandian.payments.requests import queries as requests
from diandian.ui.format import money
from diandian.ui.templatetags.dd import said

_MOST_ENDED = 20
KINDS = {
    "goodwill": N_("Goodwill refund after the retirement"),
    "otherwise": N_("Refund paid by other means"),
}
NEXT = {
    "requested": N_("It is sent in its turn. Nothing to do."),
    "submitted": N_("The gateway has it. Nothing to do."),
    "unknown": N_(
        "Nobody knows yet whether it was done: it is asked about by itself. Never pay it"
        " again by hand."
    ),
    "processing": N_("Accepted, not done yet: it is asked about by itself."),
    "abnormal": N_("The gateway cannot pay it out: try another way, or pay by other means."),
}
_BANK_FIRST = N_("A bank disputes this payment: it is sent when the bank gave that money back.")
_DECIDE_FIRST = N_(
    "The chargeback of this payment is told in two ways: it is sent, or given up, once you decided"
    " about that."
)
_SUPPLIER_FIRST = N_(
    "The supplier's part comes back first; then it is sent by itself. If the trail says"
    " settlement.waits, ask the supplier to fill its account at the gateway. After three days it is"
    " sent from our funds, unless the gateway has yet to say whether it took that part back."
)
_ASKED_OTHERWISE = N_(
    "Somebody says that it was paid by other means: a second person confirms or refuses that first."
)
_TOO_LATE = N_(
    "The time in which the gateway gives this payment back is over, and it was not asked. Pay the"
    " guest by other means, such as a bank transfer; then write down the evidence here."
)


_TOLD = N_(
    "The gateway now says: %(told)s. Booked is: %(booked)s. Compare with its statement, then decide"
    " what holds."
)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing on the page. ``order``: its number, or nothing. ``waits``: for a second person."""

    row: Any
    order: str
    amount: Money
    words: str = ""
    waits: bool = False


def _refund_line(row: Refund) -> Line:
    amount = Money(row.amount_minor, row.payment.received.currency)
    waits = row.state == "abnormal" and requests.says_paid_otherwise(row)
    words = gettext(_next(row, waits=waits)) if row.state in NEXT else ""
    return Line(row, order_number(row.payment.owner_ref), amount, words, waits)


def _next(row: Refund, *, waits: bool) -> str:
    """Return what happens next to a refund, or who must do it."""
    if waits:
        return _ASKED_OTHERWISE
    if row.state == "requested" and dispute_queries.is_odd(row.payment):
        return _DECIDE_FIRST
    if row.state == "requested" and dispute_queries.is_disputed(row.payment):
        return _BANK_FIRST
    if row.state == "requested" and row.is_shared and row.sent_at is None:
        return _SUPPLIER_FIRST
    if row.state == "abnormal" and row.sent_at is None:
        return _TOO_LATE
    return NEXT[row.state]


def _dispute_line(row: Dispute) -> Line:
    amount = Money(row.amount_minor, row.currency)
    words = ""
    if row.is_odd:
        words = gettext(_TOLD) % {
            "told": _stands(row.told_state, row.told_minor, row.told_currency),
            "booked": _stands(row.state, row.amount_minor, row.currency),
        }
    return Line(row, order_number(row.payment.owner_ref), amount, words)


def _stands(state: str, amount_minor: int, currency: str) -> str:
    """Return where a chargeback stands, in words; rows from before it was kept tell nothing."""
    if not state:
        return gettext("something else")
    amount = money(Money(amount_minor, currency), get_language() or "en")
    return f"{amount}, {gettext(BANKS_WORDS[state])}"


def _request_line(row: MoneyRequest) -> Line:
    amount = Money(row.amount_minor, row.payment.received.currency)
    return Line(row, order_number(row.payment.owner_ref), amount, gettext(KINDS[row.kind]))


def _review_line(order: Order, at: datetime) -> tuple[Order, money_decisions.Came, int, bool]:
    """Return an order under review, what came for it, its days there, and if that is too long."""
    came = money_decisions.came(order)
    since = order.reviewed_at or order.created_at
    is_late = (came.is_odd or not came.is_disputed) and at - since >= rules.REVIEW_WITHIN
    return order, came, (at - since).days, is_late


def _unsent_line(order: Order) -> tuple[Order, tuple[Money, ...]]:
    """Return an order whose money nothing sends back, and what of it is here."""
    return order, money_decisions.came(order).here


class GivesMoneyBack:
    """What can be done on the list of refunds, which else only reads."""

    list_before_template = "office/desk/money_back_head.html"

    def has_pay_permission(self, request: HttpRequest) -> bool:
        """Tell whether this operator may decide about money that goes back."""
        return bool(request.user.has_perm("payments.change_refund"))

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of money back."""
        view = self.admin_site.admin_view  # type: ignore[attr-defined]  # of the admin below
        pages = [
            path("money-back/", view(self.overview), name="payments_money_back"),
            path("money-back/find/", view(self.find), name="payments_money_back_find"),
            path(
                "money-back/orders/<int:number>/",
                view(self.order),
                name="payments_money_back_order",
            ),
            path(
                "money-back/requests/<int:number>/",
                view(self.answer),
                name="payments_money_back_answer",
            ),
            path(
                "money-back/refunds/<int:number>/",
                view(self.refund),
                name="payments_money_back_refund",
            ),
            path(
                "money-back/disputes/<int:number>/",
                view(self.dispute),
                name="payments_money_back_dispute",
            ),
        ]
        own: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [*pages, *own]

    # -- looking ------------------------------------------------------------------------------

    def overview(self, request: HttpRequest) -> HttpResponse:
        """List all that is on its way or needs somebody, the oldest first."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        at = now()
        under_way = [_refund_line(row) for row in refund_queries.open_by_age()]
        shown = {
            "waiting": [_request_line(row) for row in requests.waiting()],
            "abnormal": [line for line in under_way if line.row.state == "abnormal"],
            "external": [_refund_line(row) for row in refund_queries.external_unseen()],
            "disputes": [_dispute_line(row) for row in dispute_queries.undecided()],
            "under_way": [line for line in under_way if line.row.state != "abnormal"],
            "failed": [_refund_line(row) for row in refund_queries.failed(_MOST_ENDED)],
            "ended": [_dispute_line(row) for row in dispute_queries.decided(_MOST_ENDED)],
            "reviewed": [_review_line(each, at) for each in orders.under_review()],
            "unsent": [_unsent_line(each) for each in review.money_waits()],
            "may_pay": self.has_pay_permission(request),
            "me": actor_of(request),
            "most_reason": money_decisions.MOST_REASON,
            "title": gettext("Money back"),
        }
        return self._page(request, "office/desk/money_back.html", shown)

    def find(self, request: HttpRequest) -> HttpResponse:
        """Lead to an order's page by its number."""
        self._require(request)
        text = request.GET.get("order", "").strip().removeprefix("order:")
        if text.isascii() and text.isdecimal() and len(text) < money_decisions.MOST_DIGITS:
            return redirect(reverse("admin:payments_money_back_order", args=[int(text)]))
        messages.error(request, said(money_decisions.OrderNumberError(field="order")))
        return self._back()

    def order(self, request: HttpRequest, number: int) -> HttpResponse:
        """Show an order's money; with POST preview a decision, or make one that was previewed."""
        self._require(request)
        found = orders.order_by_number(number)
        if found is None:
            raise Http404
        shown, status = money_decisions.answer(request, found)
        if shown is None:
            return redirect(reverse("admin:payments_money_back_order", args=[number]))
        shown["title"] = gettext("Order %(number)s: its money") % {"number": number}
        return self._page(request, "office/desk/money_back_order.html", shown, status)

    # -- deciding -----------------------------------------------------------------------------

    def answer(self, request: HttpRequest, number: int) -> HttpResponse:
        """Confirm or refuse what another operator asked for."""
        asked = self._found(request, requests.request_by_number, number)

        def run() -> str:
            if request.POST.get("action") == "confirm":
                goodwill.confirm(asked, actor=actor_of(request))
                return gettext("Confirmed. It stands in the trail under both names.")
            goodwill.refuse(asked, actor=actor_of(request))
            return gettext("The request was refused")

        return self._do(request, run)

    def refund(self, request: HttpRequest, number: int) -> HttpResponse:
        """Do something about a refund that is abnormal, or that was not ours."""
        found = self._found(request, refund_queries.refund_by_id, number)

        def run() -> str:
            who: dict[str, Any] = {"actor": actor_of(request), "reason": reason_in(request)}
            match request.POST.get("action"):
                case "mend":
                    abnormal.mend(found.id, **who)
                    return gettext("Tried once more. What came of it stands in the list.")
                case "otherwise":
                    abnormal.ask_otherwise(found.id, evidence=text_in(request, "evidence"), **who)
                    return gettext("Asked for. A second person confirms or refuses it.")
                case "seen":
                    aftermath.see(found.id, **who)
                    return gettext("Noted in the trail")
            raise money_decisions.DecisionInputError(field="action")

        return self._do(request, run)

    def dispute(self, request: HttpRequest, number: int) -> HttpResponse:
        """Decide about a chargeback that was told in two ways: which of them holds."""
        self._require(request)

        def run() -> str:
            who: dict[str, Any] = {"actor": actor_of(request), "reason": reason_in(request)}
            who["seen"] = request.POST.get("seen", "")
            match request.POST.get("action"):
                case "take_over":
                    disputes.take_over(number, **who)
                    return gettext("Booked anew, as the gateway says")
                case "leave":
                    disputes.clear(number, **who)
                    return gettext("Noted in the trail")
            raise money_decisions.DecisionInputError(field="action")

        return self._do(request, run)

    def _found(self, request: HttpRequest, look: Callable[[int], Any], number: int) -> Any:  # noqa: ANN401 - a request or a refund
        self._require(request)
        try:
            return look(number)
        except NotFoundError as error:
            raise Http404 from error

    def _do(self, request: HttpRequest, run: Callable[[], str]) -> HttpResponse:
        if request.method == "POST":
            try:
                done = run()
            except DiandianError as error:
                messages.error(request, said(error))
            else:
                messages.success(request, done)
        return self._back()

    def _back(self) -> HttpResponse:
        return redirect(reverse("admin:payments_money_back"))

    def _page(
        self, request: HttpRequest, name: str, shown: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        frame = self.admin_site.each_context(request)  # type: ignore[attr-defined]
        return render(request, name, frame | shown, status=status)

    def _require(self, request: HttpRequest) -> None:
        if not self.has_pay_permission(request):
            raise PermissionDenied
