"""Letting guests into organisers' scenes from the operator's desk; the trail keeps who did it."""

from collections.abc import Iterable

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from diandian.kernel.errors import DiandianError
from diandian.scenes import actions as scene_actions
from diandian.scenes.models import Scene


class ApprovesScenes:
    """The one act of a desk that else only reads: approve scenes that were submitted."""

    actions = ("approve",)

    def has_approve_permission(self, request: HttpRequest) -> bool:
        """Tell whether this operator may decide about scenes."""
        return bool(request.user.has_perm("scenes.change_scene"))

    @admin.action(description=_("Approve: let guests in"), permissions=["approve"])
    def approve(self, request: HttpRequest, chosen: Iterable[Scene]) -> None:
        """Approve each chosen scene that waits; say of the others that nothing was changed."""
        actor_ref = f"operator:{request.user.get_username()}"
        for scene in chosen:
            try:
                scene_actions.approve(scene, actor_ref=actor_ref)
            except DiandianError as error:
                text = gettext(error.message) % error.params
                messages.error(request, f"{scene.slug}: {text}")
            else:
                messages.success(request, f"{scene.slug}: {gettext('Open to guests')}")
