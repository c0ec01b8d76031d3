"""Credits at the operator's desk: stop a batch, let it go on, take grams out by two people.

Everything is done by a flow and stands in the trail under the operator's name. A page of its own
lists the batches of every project with their stock; files of issuances are in ``credit_files``.
"""

import re
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from diandian.flows import batches, cancellations
from diandian.kernel.errors import N_, InputError, NotFoundError
from diandian.kernel.mass import GRAMS_PER_KG
from diandian.office import credit_files
from diandian.office.acts import actor_of, row_number, say
from diandian.registry import queries
from diandian.registry.requests import queries as requests

_MOST_NOTE = 300
_MOST_KG = 10**9
# The code is for everybody to read, the words are for the desk.
STOP_REASONS = {
    "documents": N_("Documents are being looked at"),
    "quality": N_("Doubts about the reduction itself"),
    "upstream": N_("Withdrawn or disputed at its registry"),
    "error": N_("Entered wrongly"),
}
GO_REASONS = {
    "cleared": N_("Looked at and in order"),
    "corrected": N_("Corrected at its registry"),
}
CANCEL_REASONS = {
    "error": N_("Entered wrongly"),
    "upstream": N_("Cancelled at its registry"),
    "quality": N_("Not as good as it was said to be"),
}
STATES = {
    "draft": N_("not on sale"),
    "open": N_("on sale"),
    "frozen": N_("paused"),
    "exhausted": N_("sold out"),
    "closed": N_("closed"),
    "recalled": N_("recalled"),
}


class DeskInputError(InputError):
    """A reason or an amount is missing or not one of those offered."""

    code = "desk_input"
    message = N_(
        "A reason and, to cancel, a whole number of kilograms are needed; a note has at most"
        " %(limit)s characters. Nothing was changed. Please fill them in."
    )


class KeepsCredits:
    """What can be done on the list of batches, which else only reads."""

    change_form_outer_before_template = "office/desk/batch.html"
    list_before_template = "office/desk/credits_head.html"

    def has_keep_permission(self, request: HttpRequest) -> bool:
        """Tell whether this operator may stop batches, enter issuances and take grams out."""
        return bool(request.user.has_perm("registry.change_creditbatch"))

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of credits."""
        view = self.admin_site.admin_view  # type: ignore[attr-defined]  # of the admin below
        pages = [
            path("projects/", view(self.overview), name="registry_credits"),
            path("file/", view(self.file), name="registry_credits_file"),
            path("file/template.csv", view(self.template), name="registry_credits_template"),
            path("requests/<int:number>/", view(self.answer), name="registry_credits_answer"),
            path("<int:number>/decide/", view(self.decide), name="registry_credits_decide"),
        ]
        own: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [*pages, *own]

    # -- looking ------------------------------------------------------------------------------

    def overview(self, request: HttpRequest) -> HttpResponse:
        """List every project's batches with their states and stock, and what waits."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        listed = [
            (project, [(each, gettext(STATES[each.batch.state])) for each in entries])
            for project in queries.projects(active_only=False)
            for entries in [queries.batch_stocks(project)]
        ]
        shown = {
            "listed": listed,
            "waiting": requests.waiting(),
            "may_keep": self.has_keep_permission(request),
            "title": gettext("Credits by project"),
        }
        return self._page(request, "office/desk/credits.html", shown)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a batch with its stock, how it stands, and what can be done about it."""
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
        entries = queries.batch_stocks(batch.project)
        entry = next(each for each in entries if each.batch.id == batch.id)
        return {
            "entry": entry,
            "state": gettext(STATES[batch.state]),
            "waiting": requests.waiting(batch),
            "may_keep": self.has_keep_permission(request) and batch.state != "recalled",
            "may_recall": request.user.has_perm("registry.change_recall"),
            "stop_reasons": _offered(STOP_REASONS),
            "go_reasons": _offered(GO_REASONS),
            "cancel_reasons": _offered(CANCEL_REASONS),
            "most_note": _MOST_NOTE,
        }

    # -- deciding -----------------------------------------------------------------------------

    def decide(self, request: HttpRequest, number: int) -> HttpResponse:
        """Stop a batch, let it go on, or ask that grams of it are cancelled."""
        self._require(request)
        batch = self.get_queryset(request).filter(pk=number).first()  # type: ignore[attr-defined]
        if batch is None:
            raise Http404
        if request.method == "POST":
            say(request, lambda: _decide(request, batch.public_id))
        return redirect(reverse("admin:registry_creditbatch_change", args=[number]))

    def answer(self, request: HttpRequest, number: int) -> HttpResponse:
        """Confirm or refuse what another operator asked for."""
        self._require(request)
        try:
            asked = requests.request_by_number(number)
        except NotFoundError as error:
            raise Http404 from error
        if request.method == "POST":
            confirms = request.POST.get("action") == "confirm"
            flow = cancellations.confirm if confirms else cancellations.refuse
            done = gettext("Cancelled") if confirms else gettext("The request was refused")

            def run() -> str:
                flow(asked, actor_ref=actor_of(request))
                return done

            say(request, run)
        return redirect(reverse("admin:registry_creditbatch_change", args=[asked.batch_id]))

    # -- files --------------------------------------------------------------------------------

    def file(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file of issuances; look at one; enter one that was looked at."""
        self._require(request)
        shown, status = credit_files.answer(request, actor_of(request))
        shown["title"] = gettext("Issuances from a file")
        return self._page(request, "office/desk/credits_file.html", shown, status)

    def template(self, request: HttpRequest) -> HttpResponse:
        """Answer a CSV to fill in."""
        self._require(request)
        return credit_files.template_file()

    def _page(
        self, request: HttpRequest, name: str, shown: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        frame = self.admin_site.each_context(request)  # type: ignore[attr-defined]
        return render(request, name, frame | shown, status=status)

    def _require(self, request: HttpRequest) -> None:
        if not self.has_keep_permission(request):
            raise PermissionDenied


def _offered(reasons: dict[str, str]) -> list[tuple[str, str]]:
    return [(code, gettext(words)) for code, words in reasons.items()]


def _decide(request: HttpRequest, number: str) -> str:
    """Do what the pressed button says; return it in words. Raises: DiandianError."""
    sent, actor_ref = request.POST, actor_of(request)
    action = sent.get("action", "")
    reasons = {"stop": STOP_REASONS, "go": GO_REASONS, "cancel": CANCEL_REASONS}.get(action, {})
    reason, note = sent.get("reason", ""), " ".join(sent.get("note", "").split())
    if reason not in reasons or len(note) > _MOST_NOTE or not note.isprintable():
        raise DeskInputError(field="reason", limit=_MOST_NOTE)
    if action == "stop":
        batches.freeze(number, reason=reason, note=note, actor_ref=actor_ref)
        return gettext("Paused: it neither sells nor retires")
    if action == "go":
        batches.thaw(number, reason=reason, note=note, actor_ref=actor_ref)
        return gettext("It goes on, as far as it is verified and has grams left")
    mass_g = _kilograms(sent.get("kg", "")) * GRAMS_PER_KG
    cancellations.ask(number, mass_g=mass_g, reason=reason, note=note, actor_ref=actor_ref)
    return gettext("Asked for. A second person confirms or refuses it.")


def _kilograms(text: str) -> int:
    plain = text.strip()
    if not re.fullmatch(r"[0-9]{1,12}", plain) or not 0 < int(plain) <= _MOST_KG:
        raise DeskInputError(field="kg", limit=_MOST_NOTE)
    return int(plain)
