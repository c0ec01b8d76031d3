"""What could not be told, at the operator's desk: seen on the first page, and tried once more.

An event is given up after many attempts, or a month of waiting. Told twice does no harm: every
handler bears being called again.
"""

from collections.abc import Iterable

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from diandian.audit import actions as audit_actions
from diandian.audit import queries as audit_queries
from diandian.audit.models import OutboxEvent
from diandian.office.acts import actor_of


class TriesEventsAgain:
    """The one act of the list of events: try again what was given up."""

    actions = ("try_again",)

    def has_deliver_permission(self, request: HttpRequest) -> bool:
        """Tell whether this operator may let events be told."""
        return bool(request.user.has_perm("audit.change_outboxevent"))

    @admin.action(description=_("Try again to tell it"), permissions=["deliver"])
    def try_again(self, request: HttpRequest, chosen: Iterable[OutboxEvent]) -> None:
        """Let each chosen event that was given up be tried anew; the worker takes it up."""
        actor_ref = actor_of(request)
        count = sum(audit_actions.try_again(event, actor_ref=actor_ref) for event in chosen)
        if count:
            said = ngettext(
                "%(count)s event is tried again", "%(count)s events are tried again", count
            )
            messages.success(request, said % {"count": count})
        else:
            messages.warning(request, gettext("None of these was given up. Nothing was changed."))


def on_the_first_page(request: HttpRequest, context: dict[str, object]) -> dict[str, object]:
    """Add how many events were given up, for those who may see them."""
    if request.user.has_perm("audit.view_outboxevent"):
        context["events_given_up"] = audit_queries.events_given_up()
    return context
