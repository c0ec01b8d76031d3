"""Deciding about organisers' scenes at the operator's desk: look first; the trail keeps who did it.

Everything guests will be asked, and everything a correction changes, stands on the page that is
decided on. What is posted names what was
seen, so that a scene that its host changed meanwhile is not approved unseen.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from diandian.emissions.factor_set import factor_set
from diandian.emissions.scene_kinds.other.described import described
from diandian.kernel.clock import now
from diandian.kernel.errors import N_, DiandianError, InputError
from diandian.office.acts import actor_of, row_number
from diandian.people import queries as people
from diandian.scenes import actions as scene_actions
from diandian.scenes import difference, queries
from diandian.scenes.corrections import actions as corrections
from diandian.scenes.errors import CorrectionGoneError
from diandian.scenes.models import Scene, SceneState, SceneVersion

_MOST_REASON = 300


class ReasonMissingError(InputError):
    """A host is told what should change."""

    code = "reason_missing"
    message = N_(
        "A reason of 1 to %(limit)s characters is missing. Nothing was changed. Please say what the"
        " host should change."
    )


class LookFirstError(InputError):
    """Composed questions are read before they are approved."""

    code = "look_first"
    message = N_(
        "Its host composed questions of its own. Nothing was changed. Please open the scene, read"
        " them, and approve it there."
    )


def questions_shown(scene: Scene) -> dict[str, Any]:
    """Return what guests are asked where a host composed it; ``broken`` says why it cannot be."""
    if not scene.composed:
        return {"parts": [], "questions": [], "broken": ""}
    try:
        parts, asked = described(
            scene.composed,
            factor_set(scene.factor_set),
            scene.region,
            non_co2=scene.with_non_co2,
        )
    except DiandianError as error:
        return {"parts": [], "questions": [], "broken": _said(error)}
    return {"parts": [gettext(label) for label in parts], "questions": asked, "broken": ""}


class ApprovesScenes:
    """The one act of a desk that else only reads: decide about scenes that were submitted."""

    actions = ("approve",)
    change_form_outer_before_template = "office/desk/scene.html"
    list_before_template = "office/desk/waiting.html"

    def has_approve_permission(self, request: HttpRequest) -> bool:
        """Tell whether this operator may decide about scenes."""
        return bool(request.user.has_perm("scenes.change_scene"))

    def get_urls(self) -> list[URLPattern]:
        """Add the address that decisions are posted to."""
        site = self.admin_site  # type: ignore[attr-defined]  # of the admin this is mixed into
        decide = path(
            "<path:object_id>/decide/", site.admin_view(self.decide), name="scenes_scene_decide"
        )
        own: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [decide, *own]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, and above it what waits for a decision."""
        waiting = {
            "submitted": queries.submitted(),
            "corrected": [version.scene for version in queries.waiting_corrections()],
        }
        page: HttpResponse = super().changelist_view(  # type: ignore[misc]
            request, (extra_context or {}) | waiting
        )
        return page

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a scene with what guests are asked, and what can be decided about it."""
        scene = Scene.objects.filter(pk=row_number(object_id)).first()
        if scene is not None:
            extra_context = (extra_context or {}) | self._shown(request, scene)
        page: HttpResponse = super().change_view(  # type: ignore[misc]
            request, object_id, form_url, extra_context
        )
        return page

    def _shown(self, request: HttpRequest, scene: Scene) -> dict[str, Any]:
        host, waiting = (
            people.organisation_of_ref(scene.organisation_ref),
            queries.waiting_correction(scene),
        )
        return {
            "scene": scene,
            "host": host,
            "asked": questions_shown(scene),
            "seen": _digest(scene, waiting),
            "waits": scene.state == SceneState.SUBMITTED,
            "correction": waiting,
            "difference": difference.rows(queries.facts_of(scene), waiting.facts)
            if waiting
            else [],
            "versions": difference.history(queries.versions(scene)),
            "may_decide": self.has_approve_permission(request),
            "most_reason": _MOST_REASON,
        }

    def decide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Approve or return one scene, as it was seen."""
        if not self.has_approve_permission(request):
            raise PermissionDenied
        scene = get_object_or_404(Scene, pk=row_number(object_id))
        if request.method == "POST":
            try:
                done = _decide(request, scene)
            except DiandianError as error:
                messages.error(request, _said(error))
            else:
                messages.success(request, f"{scene.slug}: {done}")
        return redirect(reverse("admin:scenes_scene_change", args=[scene.pk]))

    @admin.action(description=_("Approve: let guests in"), permissions=["approve"])
    def approve(self, request: HttpRequest, chosen: Iterable[Scene]) -> None:
        """Approve each chosen scene that waits; say of the others that nothing was changed."""
        for scene in chosen:
            try:
                if scene.composed:
                    raise LookFirstError
                scene_actions.approve(scene, actor_ref=actor_of(request))
            except DiandianError as error:
                messages.error(request, f"{scene.slug}: {_said(error)}")
            else:
                messages.success(request, f"{scene.slug}: {gettext('Open to guests')}")


def _decide(request: HttpRequest, scene: Scene) -> str:
    """Do what the pressed button says; return it in words. Raises: DiandianError."""
    sent, actor_ref = request.POST, actor_of(request)
    reason = " ".join(sent.get("reason", "").split())
    returns = sent.get("action") == "return"
    if returns and not 0 < len(reason) <= _MOST_REASON:
        raise ReasonMissingError(field="reason", limit=_MOST_REASON)
    seen = sent.get("seen", "")[:64] or "nothing"
    if sent.get("correction"):
        waiting = queries.waiting_correction(scene)
        if waiting is None or str(waiting.id) != sent["correction"]:
            raise CorrectionGoneError
        if returns:
            corrections.refuse(waiting, reason=reason, actor_ref=actor_ref, at=now())
            return gettext("The correction was refused")
        corrections.approve(waiting, seen=seen, actor_ref=actor_ref, at=now())
        return gettext("The correction is in force")
    if returns:
        scene_actions.send_back(scene, reason=reason, actor_ref=actor_ref)
        return gettext("Returned to its host")
    stricter = sent.get("stricter") == "1"
    scene_actions.approve(scene, actor_ref=actor_ref, stricter=stricter, seen=seen)
    return gettext("Open to guests")


def _digest(scene: Scene, waiting: SceneVersion | None) -> str:
    if waiting is None:
        return queries.facts_digest(scene)
    return queries.correction_digest(scene, waiting)


def _said(error: DiandianError) -> str:
    return gettext(error.message) % error.params
