"""An operator decides about a reported name; until then, and by no number of reports, is it hidden.

What was said about a person is deleted with the decision; the trail keeps who decided and for which
reason, never the name.
"""

from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.kernel.clock import now
from diandian.leaderboards import actions, queries
from diandian.leaderboards.models import NameReport, ReportState

_DEEDS = {
    ReportState.HIDDEN: "board.name_hidden",
    ReportState.KEPT: "board.name_kept",
    ReportState.GONE: "board.name_gone",
}


@transaction.atomic
def decide(
    report: NameReport, *, hides: bool, actor_ref: str, at: datetime | None = None
) -> ReportState | None:
    """Hide a reported name on every board, now and later, or let it stay; answer all its reports.

    A name that no board shows any more is not hidden: its person may have changed it. Returns what
    became of it, or None when somebody had decided before. Locks: what is reported of the person.
    """
    at = at or now()
    waiting = queries.open_reports(report.guest_key)
    found = next((each for each in waiting if each.id == report.id), None)
    if found is None:
        return None
    if not queries.shows(found.guest_key, found.name):
        state = ReportState.GONE
    else:
        state = ReportState.HIDDEN if hides else ReportState.KEPT
    # Before hiding, which answers every report about that person.
    actions.close_reports(found, state=state, at=at)
    if state == ReportState.HIDDEN:
        actions.hide_name(found.guest_key, at=at)
    audit_actions.record(
        actor_ref=actor_ref,
        action=_DEEDS[state],
        subject_ref=f"name_report:{found.id}",
        details={"reason": found.reason},
        at=at,
    )
    return state
