"""Payouts at the operator's desk: what is due, drafted, locked, approved by another person, sent.

Everything is done by a flow and stands in the trail under the operator's name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language, gettext

from diandian.flows import by_bank, payees, payouts
from diandian.kernel.clock import now
from diandian.kernel.errors import N_, InputError
from diandian.kernel.money import Money
from diandian.office.acts import actor_of, order_number, row_number, say
from diandian.office.desk_states import PAYOUT_STATES, RAILS, state_word
from diandian.payments.disputes import queries as disputes
from diandian.payments.refunds import queries as refunds
from diandian.settlement import bank_files, queries, statements
from diandian.settlement.errors import UnknownBatchError
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.models import Batch, Line, Rail
from diandian.ui.format import canonical_lang

_MOST_NOTE = 300
_SHOWN = 200
_MOST_FILE = 1_000_000
# Why a part is not paid; a gateway's own code is shown as it is.
WHY = {
    "statement": N_("not in the gateway's statement, or a difference there waits for a signature"),
    "supplier": N_("the supplier has no confirmed account for it"),
    "gateway": N_("the gateway does not answer about it"),
    "merchant": N_("its merchant is not in the file of merchants any more"),
    "dispute": N_("a bank disputes the payment, or its gateway told two things about that"),
    "fault": N_("a fault of ours: it stands in the log"),
    "over_cap": N_("more than the gateway lets us divide off"),
    "queued": N_("the gateway did not take it yet"),
    "submitted": N_("the gateway has it and does not say that it is done"),
    "unknown": N_("nobody knows whether it was done"),
    "reversing": N_("it does not come back from the supplier"),
}
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "pdf": "application/pdf",
}
# The words of the printed statement; they are looked up when it is made.
WORDS = {
    "title": N_("Statement of a payout"),
    "account": N_("Account"),
    "digest": N_("SHA-256 of the data"),
    "sum": N_("Sum"),
    "left_out": N_("Further lines stand in the table and in the data:"),
    "completion": N_("rest of a tonne"),
    "remedy": N_("replacement"),
    "advance": N_("refund paid for us"),
    "fee_back": N_("our fee that goes back"),
    "given_back": N_("share of a refund that did not happen"),
    "again": N_("part that the bank sent back"),
    "claim": N_("claim"),
    "note": N_(
        "Amounts are those of the locked payout. The fee contains its value added tax; what of it"
        " went back is taken off. Refunded is what guests got back at the supplier's cost."
    ),
}
HEADS = (
    N_("Order"),
    N_("Retired on"),
    N_("Project"),
    N_("Amount"),
    N_("Paid by the guest"),
    N_("Our fee"),
    N_("VAT within"),
    N_("Refunded"),
    N_("Supplier's part"),
)


class NoFileError(InputError):
    """No file of a bank came with the form, or one that is too large."""

    code = "no_result_file"
    message = N_("A file of at most 1 MB is needed. Nothing was changed. Please choose it again.")


class KeepsPayouts:
    """What can be done on the list of payouts, which else only reads."""

    change_form_outer_before_template = "office/desk/payout.html"
    list_before_template = "office/desk/payouts_head.html"

    def has_pay_permission(self, request: HttpRequest) -> bool:
        """Tell whether this operator may draft, approve and send payouts."""
        return bool(request.user.has_perm("settlement.change_batch"))

    def get_urls(self) -> list[URLPattern]:
        """Add the page of what is due, and what is posted and downloaded."""
        view = self.admin_site.admin_view  # type: ignore[attr-defined]  # of the admin below
        pages = [
            path("due/", view(self.due), name="settlement_due"),
            path("draft/", view(self.draft), name="settlement_draft"),
            path("results/", view(self.results), name="settlement_results"),
            path("line/<int:number>/", view(self.line), name="settlement_line"),
            path("<int:number>/step/", view(self.step), name="settlement_step"),
            path("<int:number>/file/", view(self.file), name="settlement_file"),
            path(
                "<int:number>/statement.<str:form>",
                view(self.statement),
                name="settlement_statement",
            ),
        ]
        own: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [*pages, *own]

    # -- looking ------------------------------------------------------------------------------

    def due(self, request: HttpRequest) -> HttpResponse:
        """Show what could be paid out now, what is on its way, and what waits for people."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        names = payees.suppliers()
        at = now()
        shown = {
            "ready": [
                (each, names.get(each.supplier_ref), gettext(RAILS[each.rail]))
                for each in queries.ready()
            ],
            "open": [
                (batch, names.get(batch.supplier_ref), gettext(PAYOUT_STATES[batch.state]))
                for batch in queries.batches_open()
            ],
            "stuck": [
                (
                    each,
                    names.get(each.supplier_ref),
                    order_number(each.owner_ref),
                    _why(each),
                    queries.is_given_up(each, at=at),
                )
                for each in queries.lines_stuck(at)
            ],
            "short": [
                (each, names.get(each.line.supplier_ref), order_number(each.line.owner_ref))
                for each in queries.returns_short()
            ],
            "to_come": _to_come_back(names),
            "may_pay": self.has_pay_permission(request),
            "title": gettext("Settlement"),
        }
        frame = self.admin_site.each_context(request)  # type: ignore[attr-defined]
        return render(request, "office/desk/payouts.html", frame | shown)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a payout with its lines, and what can be done next."""
        if number := row_number(object_id):
            extra_context = (extra_context or {}) | self._shown(request, number)
        page: HttpResponse = super().change_view(  # type: ignore[misc]
            request, object_id, form_url, extra_context
        )
        return page

    def _shown(self, request: HttpRequest, number: int) -> dict[str, Any]:
        batch = self.get_queryset(request).filter(pk=number).first()  # type: ignore[attr-defined]
        if batch is None:
            return {}
        return {
            "batch": batch,
            "state": gettext(PAYOUT_STATES[batch.state]),
            "rail": gettext(RAILS[batch.rail]),
            "names": payees.suppliers().get(batch.supplier_ref),
            "lines": [
                (
                    each,
                    order_number(each.owner_ref),
                    state_word("settlement.Line", "state", each.state),
                    _amounts(row, batch.currency),
                )
                for each, row in payouts.told(batch)
            ],
            "files": list(batch.files.all()),
            "account": " · ".join(statements.account_parts(batch.payee)),
            "forms": bank_files.forms(str(batch.payee.get("kind", ""))),
            "least": payouts.least_of(batch) if payouts.is_too_small(batch) else None,
            "may_pay": self.has_pay_permission(request),
            "most_note": _MOST_NOTE,
        }

    # -- doing --------------------------------------------------------------------------------

    def draft(self, request: HttpRequest) -> HttpResponse:
        """Collect what is due to one supplier into a draft."""
        self._require(request)
        made: list[Batch] = []
        if request.method == "POST":
            say(request, lambda: _draft(request, made))
        if made:
            return redirect(reverse("admin:settlement_batch_change", args=[made[0].pk]))
        return redirect(reverse("admin:settlement_due"))

    def step(self, request: HttpRequest, number: int) -> HttpResponse:
        """Lock, approve, cancel, note as paid or as found in the statement."""
        self._require(request)
        batch = self._batch(request, number)
        if request.method == "POST":
            say(request, lambda: _step(request, batch))
        return redirect(reverse("admin:settlement_batch_change", args=[number]))

    def file(self, request: HttpRequest, number: int) -> HttpResponse:
        """Make the file for the bank; from the second time on it is marked as a copy."""
        self._require(request)
        batch = self._batch(request, number)
        if request.method == "POST":
            form = request.POST.get("form", "")
            made: list[payouts.File] = []

            def run() -> str:
                made.append(payouts.export(batch, form=form, actor_ref=actor_of(request)))
                return gettext("The file was made")

            say(request, run)
            if made:
                return _download(made[0].content, made[0].name, made[0].content_type)
        return redirect(reverse("admin:settlement_batch_change", args=[number]))

    def results(self, request: HttpRequest) -> HttpResponse:
        """Take over what a bank says became of payouts."""
        self._require(request)
        if request.method == "POST":
            say(request, lambda: _results(request))
        return redirect(reverse("admin:settlement_due"))

    def line(self, request: HttpRequest, number: int) -> HttpResponse:
        """Note that a supplier disputes a part, settle it, or move on one that failed."""
        self._require(request)
        line = queries.line_by_number(number)
        if line is None:
            raise Http404
        if request.method == "POST":
            say(request, lambda: _line(request, line))
        return redirect(reverse("admin:settlement_due"))

    def statement(self, request: HttpRequest, number: int, form: str) -> HttpResponse:
        """Send a locked payout's statement: PDF, CSV or JSON."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        batch = self._batch(request, number)
        if form not in _TYPES or not batch.digest:
            raise Http404
        return _download(_statement(batch, form), f"{batch.number}.{form}", _TYPES[form])

    def _batch(self, request: HttpRequest, number: int) -> Batch:
        batch: Batch | None = (
            self.get_queryset(request).filter(pk=number).first()  # type: ignore[attr-defined]
        )
        if batch is None:
            raise Http404
        return batch

    def _require(self, request: HttpRequest) -> None:
        if not self.has_pay_permission(request):
            raise PermissionDenied


def _why(line: Line) -> str:
    """Return in words why somebody must look at a part."""
    if line.disputed_at is not None:
        return line.dispute_note
    reason = line.waits_for or line.state
    if reason in WHY:
        return gettext(WHY[reason])
    return state_word("settlement.Line", "waits_for" if line.waits_for else "state", reason)


def _amounts(row: Mapping[str, Any], currency: str) -> dict[str, Money]:
    """Return the amounts of a part, as a payout's statement tells them."""
    names = ("gross", "fee", "refunded", "supplier")
    return {name: Money(row[f"{name}_minor"], currency) for name in names}


def _to_come_back(names: Mapping[str, Any]) -> Sequence[tuple[object, ...]]:
    """Return what is gone of payments and whose share waits for a moving part.

    How much, since when, whose part it is, why it waits, its order's number and reference.
    """
    lost = [
        (each.payment, Money(each.amount_minor - each.covered_minor, each.currency), each.ended_at)
        for each in disputes.with_waiting_share(_SHOWN)
    ]
    given = [
        (each.payment, Money(each.amount_minor, each.payment.received.currency), each.created_at)
        for each in refunds.with_waiting_share(_SHOWN)
    ]
    rows = []
    for payment, amount, since in [*lost, *given]:
        line = queries.line_of_payment(payment.payment_no)
        name = names.get(line.supplier_ref) if line is not None else None
        ref = payment.owner_ref
        rows.append((amount, since, name, _why_moving(line), order_number(ref), ref))
    return rows


def _why_moving(line: Line | None) -> str:
    if line is None or line.batch_id is None or line.rail != Rail.BANK:
        return _why(line) if line is not None else ""
    return gettext("it stands in a payout to a bank that is not over")


def _draft(request: HttpRequest, made: list[Batch]) -> str:
    sent = request.POST
    batch = payouts.draft(
        supplier_ref=sent.get("supplier", "")[:60],
        currency=sent.get("currency", "")[:3],
        rail="bank" if sent.get("rail") == "bank" else "gateway",
        actor_ref=actor_of(request),
    )
    made.append(batch)
    return gettext("Drafted with what is due now")


def _step(request: HttpRequest, batch: Batch) -> str:
    """Do what the pressed button says; return it in words. Raises: DiandianError."""
    sent, actor_ref = request.POST, actor_of(request)
    note = " ".join(sent.get("note", "").split())[:_MOST_NOTE]
    match sent.get("action"):
        case "lock":
            payouts.lock(batch, actor_ref=actor_ref)
            return gettext("Locked. A second person approves it.")
        case "approve":
            payouts.approve(batch, actor_ref=actor_ref)
            return gettext("Approved. The file for the bank can be made.")
        case "cancel":
            payouts.cancel(batch, reason=note, actor_ref=actor_ref)
            return gettext("Cancelled. Its parts are due as before.")
        case "paid":
            payouts.mark_paid(batch, bank_ref=note, actor_ref=actor_ref)
            return gettext("Noted as paid, and booked")
        case "reconcile":
            payouts.reconcile(batch, bank_ref=note, actor_ref=actor_ref)
            return gettext("Noted as found in the statement")
    raise UnknownBatchError


def _results(request: HttpRequest) -> str:
    sent = request.FILES.get("file")
    if sent is None or not sent.size or sent.size > _MOST_FILE:
        raise NoFileError(field="file")
    changed = payouts.import_results(sent.read(), actor_ref=actor_of(request))
    return gettext("Payouts that changed: %(count)s") % {"count": changed}


def _line(request: HttpRequest, line: Line) -> str:
    sent, actor_ref, at = request.POST, actor_of(request), now()
    match sent.get("action"):
        case "dispute":
            note = " ".join(sent.get("note", "").split())[:_MOST_NOTE]
            line_actions.dispute(line, note=note, actor_ref=actor_ref, at=at)
            return gettext("Noted. It is not paid until the dispute is settled.")
        case "settled":
            line_actions.settle_dispute(line, actor_ref=actor_ref, at=at)
            return gettext("The dispute is settled. The part goes on.")
        case "bank":
            by_bank.settle(line, actor_ref=actor_ref, at=at)
            return gettext("It is settled by bank, with the supplier's next payout.")
    line_actions.try_again(line, actor_ref=actor_ref, at=at)
    return gettext("It is asked about and tried again.")


def _statement(batch: Batch, form: str) -> bytes:
    data = payouts.statement(batch)
    if form == "json":
        return statements.as_json(data)
    if form == "csv":
        return statements.as_csv(data)
    lang = canonical_lang(get_language() or "en")
    words: dict[str, Any] = {name: gettext(text) for name, text in WORDS.items()}
    words["heads"] = [gettext(head) for head in HEADS]
    names = payees.suppliers().get(batch.supplier_ref, {lang: batch.supplier_ref})
    return statements.as_pdf(
        data, names=names, words=words, lang=lang, made_at=batch.locked_at or now()
    )


def _download(content: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response
