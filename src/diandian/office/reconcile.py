"""Days of gateways at the operator's desk: which agree, what does not, and signing that it is so.

Everything is done by a flow and stands in the trail under the operator's name. The words for each
class are in ``reconcile_words``.
"""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from diandian.flows import differences, reconcile_proof
from diandian.flows.differences import MOST_REASON, Seen
from diandian.kernel.clock import business_day, now
from diandian.kernel.errors import DiandianError
from diandian.office import reconcile_words as words
from diandian.office.acts import actor_of, row_number
from diandian.payments import merchants
from diandian.reconciliation import queries
from diandian.reconciliation.models import DayState, GatewayDay
from diandian.ui import cells
from diandian.ui.templatetags.dd import said

# Older days are shown as long as they are not closed.
_SHOWN_DAYS = 31
_MOST_ROWS = 100
_COLUMNS = (
    *("statement", "kind", "class", "detail", "gateway_ref", "our_no", "theirs_minor"),
    *("ours_minor", "fee_minor", "currency", "since", "owner"),
)


class ReconcilesDays:
    """What can be done on the list of days, which else only reads."""

    change_form_outer_before_template = "office/desk/reconcile_day.html"
    list_before_template = "office/desk/reconcile_head.html"

    def has_reconcile_permission(self, request: HttpRequest) -> bool:
        """Tell whether this operator may sign differences and fetch statements again."""
        return bool(request.user.has_perm("reconciliation.change_gatewayday"))

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of days."""
        view = self.admin_site.admin_view  # type: ignore[attr-defined]  # of the admin below
        pages = [
            path("overview/", view(self.overview), name="reconciliation_days"),
            path("<int:number>/decide/", view(self.decide), name="reconciliation_decide"),
            path("<int:number>/day.csv", view(self.export), name="reconciliation_export"),
        ]
        own: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [*pages, *own]

    # -- looking ------------------------------------------------------------------------------

    def overview(self, request: HttpRequest) -> HttpResponse:
        """Show the last days of each merchant, and whether its balance is explained."""
        self._require_view(request)
        since = business_day() - timedelta(days=_SHOWN_DAYS)
        days = queries.days(since)
        counted = queries.counts(days)
        accounts: dict[str, list[dict[str, Any]]] = {}
        for day in days:
            entry = _in_words(day, counted.get(day.id, {}))
            accounts.setdefault(day.merchant_key, []).append(entry)
        shown = {
            "accounts": [(key, entries, _proofs(key)) for key, entries in accounts.items()],
            "open_differences": queries.open_count(),
            "title": gettext("Statements of gateways"),
        }
        frame = self.admin_site.each_context(request)  # type: ignore[attr-defined]
        return render(request, "office/desk/reconcile.html", frame | shown)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a day with both sides, and what can be done about what differs."""
        if number := row_number(object_id):
            extra_context = (extra_context or {}) | self._shown(request, number)
        page: HttpResponse = super().change_view(  # type: ignore[misc]
            request, object_id, form_url, extra_context
        )
        return page

    def _shown(self, request: HttpRequest, number: int) -> dict[str, Any]:
        day = _day_or_404(number)
        found = [words.difference(each) for each in differences.of_day(day)]
        matched = [words.row(item) for item in queries.matched_head(day, _MOST_ROWS)]
        counted = queries.counts([day]).get(day.id, {})
        return {
            "day": day,
            "entry": _in_words(day, counted),
            "files": queries.current_files(day).items(),
            "found": found[:_MOST_ROWS],
            "more_found": max(len(found) - _MOST_ROWS, 0),
            "matched": matched,
            "more_matched": max(counted.get("matched", 0) - len(matched), 0),
            "may_sign": self.has_reconcile_permission(request) and day.state != DayState.CLOSED,
            "most_reason": MOST_REASON,
        }

    def export(self, request: HttpRequest, number: int) -> StreamingHttpResponse:
        """Answer everything of a day as a table."""
        self._require_view(request)
        day = _day_or_404(number)
        rows = (words.cells_of(item) for item in queries.items_of(day))
        return cells.as_csv(f"{day.merchant_key}-{day.day.isoformat()}", _COLUMNS, rows)

    def _require_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied

    # -- deciding -----------------------------------------------------------------------------

    def decide(self, request: HttpRequest, number: int) -> HttpResponse:
        """Sign a difference, take it on, or fetch the day again."""
        if not self.has_reconcile_permission(request):
            raise PermissionDenied
        _day_or_404(number)
        if request.method == "POST":
            try:
                done = _decide(request, number)
            except DiandianError as error:
                messages.error(request, said(error))
            else:
                messages.success(request, done)
        return redirect(reverse("admin:reconciliation_gatewayday_change", args=[number]))


def _day_or_404(number: int) -> GatewayDay:
    try:
        return queries.day_by_number(number)
    except DiandianError as error:
        raise Http404 from error


def _in_words(day: GatewayDay, counted: dict[str, int]) -> dict[str, Any]:
    """Return what a day's line says."""
    different = sum(count for outcome, count in counted.items() if outcome != "matched")
    return {
        "day": day,
        "state": words.state(day),
        "matched": counted.get("matched", 0),
        "different": different,
        "problem": words.problem(day.problem),
    }


def _proofs(merchant_key: str) -> list[dict[str, Any]]:
    for merchant in merchants.every():
        if merchant.key == merchant_key:
            return [words.proof(each) for each in reconcile_proof.of_merchant(merchant)]
    return []


def _decide(request: HttpRequest, number: int) -> str:
    """Do what the pressed button says; return it in words. Raises: DiandianError."""
    sent, actor_ref = request.POST, actor_of(request)
    what = Seen(sent.get("kind", "")[:8], sent.get("key", "")[:120], sent.get("seen", "")[:64])
    match sent.get("action", ""):
        case "again":
            whole = differences.look_again(number, actor_ref=actor_ref, at=now())
            if whole:
                return gettext("Fetched and matched again")
            return gettext("Asked again, and there is still no whole statement")
        case "take":
            differences.take(number, what, actor_ref=actor_ref)
            return gettext("You look into it")
    signed = differences.sign(
        number, what, reason=sent.get("reason", "")[: MOST_REASON + 1], actor_ref=actor_ref
    )
    if signed.is_open:
        return gettext("Signed. A second person must look at it and sign, too.")
    return gettext("Signed. The day closes when nothing else is open.")
