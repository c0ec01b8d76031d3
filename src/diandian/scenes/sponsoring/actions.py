"""Opens and closes a scene to sponsors; what they bought stays theirs."""

from django.db import transaction

from diandian.audit import actions as audit
from diandian.kernel.tokens import secret_token
from diandian.scenes.errors import SceneChoiceError, SceneStateError
from diandian.scenes.models import Scene, SceneState, Sponsoring


def open_to_sponsors(scene: Scene, what: str, *, actor_ref: str) -> Scene:
    """Say what companies may take over; "closed" closes, and the link from before opens no more.

    Idempotent: the link stays while sponsoring stays open. Locks: the scene.
    Raises: SceneChoiceError, SceneStateError unless published.
    """
    if what not in Sponsoring.values or what == Sponsoring.NONE:
        raise SceneChoiceError(field="sponsoring", given=what[:20])
    with transaction.atomic():
        locked = Scene.objects.select_for_update(no_key=True).get(id=scene.id)
        if locked.state != SceneState.PUBLISHED:
            raise SceneStateError(state=locked.state)
        closes = what == Sponsoring.CLOSED
        token = "" if closes else locked.sponsor_token or secret_token()
        Scene.objects.filter(id=scene.id).update(sponsoring=what, sponsor_token=token)
        audit.record(
            actor_ref=actor_ref,
            action="scene.sponsoring_closed" if closes else "scene.sponsoring_opened",
            subject_ref=f"scene:{scene.id}",
            details={"what": what},
        )
    scene.refresh_from_db()
    return scene
