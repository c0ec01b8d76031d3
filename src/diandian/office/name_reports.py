"""Deciding about reported names from the operator's desk; the trail keeps who did it."""

from collections.abc import Iterable

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from diandian.flows.name_reports import decide
from diandian.kernel.errors import N_
from diandian.leaderboards.models import NameReport, ReportState
from diandian.office.acts import actor_of

_SAID = {
    ReportState.HIDDEN: N_("Hidden on every board, now and later"),
    ReportState.KEPT: N_("The name stays"),
    ReportState.GONE: N_("The boards show this name no longer. Nothing was hidden."),
    None: N_("It was decided before. Nothing was changed."),
}


class DecidesNames:
    """The two acts of the list of reported names: hide the name, or keep it."""

    actions = ("hide_name", "keep_name")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Tell whether this operator may decide about names."""
        return bool(request.user.has_perm("leaderboards.change_namereport"))

    @admin.action(description=_("Hide the name on every board"), permissions=["decide"])
    def hide_name(self, request: HttpRequest, chosen: Iterable[NameReport]) -> None:
        """Hide the name of each chosen report."""
        self._decide(request, chosen, hides=True)

    @admin.action(description=_("Keep the name"), permissions=["decide"])
    def keep_name(self, request: HttpRequest, chosen: Iterable[NameReport]) -> None:
        """Let the name of each chosen report stay."""
        self._decide(request, chosen, hides=False)

    @staticmethod
    def _decide(request: HttpRequest, chosen: Iterable[NameReport], *, hides: bool) -> None:
        actor_ref = actor_of(request)
        for report in chosen:
            state = decide(report, hides=hides, actor_ref=actor_ref)
            say = (
                messages.success
                if state in {ReportState.HIDDEN, ReportState.KEPT}
                else messages.warning
            )
            say(request, f"{report.id}: {gettext(_SAID[state])}")
