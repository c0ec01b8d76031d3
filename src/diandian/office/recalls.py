"""Recalls at the operator's desk: asked for by one person, decided by a second, followed.

Everything is done by ``flows.recall`` and stands in the trail under the operator's name. Opening
takes two steps: the first only shows what the recall would meet and what could answer it.
"""

import re
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from diandian.flows import recall, recall_told
from diandian.kernel.errors import N_, DiandianError, InputError, NotFoundError
from diandian.office import recall_form
from diandian.office.acts import actor_of, row_number
from diandian.office.recall_form import Form
from diandian.registry.queries import batch_by_public_id
from diandian.registry.recalls import queries
from diandian.registry.recalls.errors import STATES
from diandian.registry.recalls.rules import MOST_TEXT, same_person
from diandian.registry.serials import format_serial, gram_to_serial
from diandian.ui.templatetags.dd import said

_PAGE_ROWS, _STEP_ROWS = 25, 50
_MOST_NOTE = 300
_NUMBER_OF_BATCH = re.compile(r"b-[0-9A-Za-z-]{1,45}")
OUTCOMES = {
    "buffer": N_("from the buffer"),
    "replaced": N_("replaced"),
    "short": N_("short"),
}


class DeclineNoteError(InputError):
    """A recall is declined without a reason, or with one that is too long."""

    code = "decline_note"
    message = N_(
        "To decline a recall, a reason of at most %(limit)s characters is needed."
        " Nothing was changed. Please write it down."
    )


class NotOfferedError(InputError):
    """No button of the page says this."""

    code = "recall_not_offered"
    message = N_("This cannot be done with a recall. Nothing was changed. Please use the buttons.")


class KeepsRecalls:
    """What can be done on the list of recalls, which else only reads."""

    change_form_outer_before_template = "office/desk/recall.html"

    def has_keep_permission(self, request: HttpRequest) -> bool:
        """Tell whether this operator may open recalls and decide about those of others."""
        return bool(request.user.has_perm("registry.change_recall"))

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of recalls."""
        view = self.admin_site.admin_view  # type: ignore[attr-defined]  # of the admin below
        pages = [
            path("open/<str:batch>/", view(self.open), name="registry_recall_open"),
            path("<int:number>/decide/", view(self.decide), name="registry_recall_decide"),
        ]
        own: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [*pages, *own]

    # -- looking ------------------------------------------------------------------------------

    def changelist_view(
        self,
        request: HttpRequest,
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002 - the contract of Django
    ) -> HttpResponse:
        """List the recalls with their numbers: those that wait for a second person come first."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        # The newest come first already, and sorting keeps that.
        found = sorted(queries.recalls(public_only=False), key=lambda one: one.state != "opened")
        page = Paginator(found, _PAGE_ROWS).get_page(request.GET.get("page"))
        shown = {
            "listed": [_in_words(one) for one in page],
            "page": page,
            "title": gettext("Recalls"),
        }
        return self._page(request, "office/desk/recalls.html", shown)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a recall, how far it is, and what can be done about it."""
        if number := row_number(object_id):
            extra_context = (extra_context or {}) | self._shown(request, number)
        page: HttpResponse = super().change_view(  # type: ignore[misc]
            request, object_id, form_url, extra_context
        )
        return page

    def _shown(self, request: HttpRequest, number: int) -> dict[str, Any]:
        one = _recall_or_404(number)
        steps = queries.steps_of(one, limit=_STEP_ROWS)
        return {
            "each": _in_words(one),
            "steps": [(row, gettext(OUTCOMES[row.outcome])) for row in steps],
            "may_keep": self.has_keep_permission(request),
            "told": recall_told.told_of(one),
            "is_own": same_person(one.opened_by, actor_of(request)),
            "is_typed": one.opened_by.startswith("shell:"),
            "most_note": _MOST_NOTE,
        }

    # -- opening ------------------------------------------------------------------------------

    def open(self, request: HttpRequest, batch: str) -> HttpResponse:
        """Ask for a recall of a batch; look at what it would meet; open what was looked at."""
        self._require(request)
        row = _batch_or_404(batch)
        form = recall_form.sent(request.POST) if request.method == "POST" else Form()
        shown: dict[str, Any] = {}
        status = 200
        if request.method == "POST":
            try:
                wanted = recall_form.read(form, row.serial_block.first)
                foreseen = recall_form.foresee(row, wanted)
                if request.POST.get("looked_at") == form.digest:
                    return self._opened(request, row, wanted)
            except DiandianError as error:
                shown, status = {"error": error}, 422
            else:
                shown = {"foreseen": foreseen, "serials": _serials(row, foreseen)}
        shown |= {
            "batch": row,
            "form": form,
            "texts": [(lang, key, form.texts[lang]) for lang, key in _text_fields()],
            "kinds": _offered(recall_form.KINDS),
            "reasons": _offered(recall_form.REASONS),
            "ranges": _offered(recall_form.RANGES),
            "most_text": MOST_TEXT,
            "title": gettext("Ask for a recall"),
        }
        return self._page(request, "office/desk/recall_open.html", shown, status)

    def _opened(
        self,
        request: HttpRequest,
        batch: Any,  # noqa: ANN401 - a row of the registry
        wanted: recall_form.Wanted,
    ) -> HttpResponse:
        """Open a recall and go to its page. Raises: DiandianError."""
        opened = recall.open_recall(
            batch,
            kind=wanted.kind,
            reason=wanted.reason,
            texts=wanted.texts,
            opened_by=actor_of(request),
            grams=wanted.grams,
            sources=wanted.sources,
        )
        messages.success(
            request, gettext("Opened, and the batch stands still. A second person approves it.")
        )
        return redirect(reverse("admin:registry_recall_change", args=[opened.id]))

    # -- deciding -----------------------------------------------------------------------------

    def decide(self, request: HttpRequest, number: int) -> HttpResponse:
        """Approve or decline a recall, or try again what is short or was not told."""
        self._require(request)
        one = _recall_or_404(number)
        if request.method == "POST":
            try:
                done = _decide(request, one)
            except DiandianError as error:
                messages.error(request, said(error))
            else:
                messages.success(request, done)
        return redirect(reverse("admin:registry_recall_change", args=[number]))

    def _page(
        self, request: HttpRequest, name: str, shown: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        frame = self.admin_site.each_context(request)  # type: ignore[attr-defined]
        return render(request, name, frame | shown, status=status)

    def _require(self, request: HttpRequest) -> None:
        if not self.has_keep_permission(request):
            raise PermissionDenied


def _recall_or_404(number: int) -> Any:  # noqa: ANN401 - a row of the registry
    if number >= 2**63:
        raise Http404
    try:
        return queries.recall_by_number(number)
    except NotFoundError as error:
        raise Http404 from error


def _batch_or_404(number: str) -> Any:  # noqa: ANN401 - a row of the registry
    if not _NUMBER_OF_BATCH.fullmatch(number):
        raise Http404
    try:
        return batch_by_public_id(number)
    except NotFoundError as error:
        raise Http404 from error


def _in_words(one: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of the registry
    """Return what a recall's line says."""
    totals = queries.totals_of(one)
    return {
        "recall": one,
        "state": gettext(STATES[one.state]),
        "kind": gettext(recall_form.KINDS[one.kind]),
        "reason": gettext(recall_form.REASONS.get(one.reason, one.reason)),
        "serials": _serials(one.batch, one),
        "totals": totals,
        "percent": totals.answered * 100 // max(1, totals.retirements),
        "is_public": one.state in queries.PUBLIC,
    }


def _serials(batch: Any, span: Any) -> str:  # noqa: ANN401 - a row, and whatever has two ends
    """Return the serials that a range lies in, as their registry writes them."""
    block = batch.serial_block
    ends = [gram_to_serial(block.first, gram)[0] for gram in (span.start_g, span.end_g - 1)]
    return " – ".join(format_serial(block, serial) for serial in dict.fromkeys(ends))


def _text_fields() -> list[tuple[str, str]]:
    return list(recall_form.LANGUAGES.items())


def _offered(words: dict[str, str]) -> list[tuple[str, str]]:
    return [(code, gettext(text)) for code, text in words.items()]


def _decide(request: HttpRequest, one: Any) -> str:  # noqa: ANN401 - a row of the registry
    """Do what the pressed button says; return it in words. Raises: DiandianError."""
    match request.POST.get("action", ""):
        case "approve":
            recall.approve(one, approved_by=actor_of(request))
            return gettext("Approved. The worker goes through the certificates now.")
        case "decline":
            note = " ".join(request.POST.get("note", "").split())
            if not note or len(note) > _MOST_NOTE or not note.isprintable():
                raise DeclineNoteError(field="note", limit=_MOST_NOTE)
            recall.drop(one, dropped_by=actor_of(request), note=note)
            return gettext("Declined. The batch is as it was before.")
        case "tell":
            count = recall_told.tell_again(one, actor_ref=actor_of(request))
            return gettext("Messages that the worker tries anew: %(count)s.") % {"count": count}
        case "again":
            return _tried_again(one)
    raise NotOfferedError(field="action")


def _tried_again(one: Any) -> str:  # noqa: ANN401 - a row of the registry
    """Replace some of what is short; return how far that came, in words."""
    done = recall.retry(only=one)
    left = queries.totals_of(one).short_retirements
    if not done:
        return gettext(
            "Tried again; there is still nothing that could replace one whole."
            " Still short: %(left)s."
        ) % {"left": left}
    return gettext(
        "Replaced: %(done)s of %(all)s; still short: %(left)s."
        " The worker goes on each minute, where there is stock."
    ) % {"done": done, "all": done + left, "left": left}
