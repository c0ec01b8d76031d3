"""Questions that a host composes from known activities, for a scene of the kind "other"."""

from collections.abc import Mapping
from typing import Any

from diandian.emissions.scene_kinds.other.composed import compose
from diandian.footprints.calculation import factors_of
from diandian.people import access
from diandian.people.queries import Visitor
from diandian.scenes import actions
from diandian.scenes.errors import SceneChoiceError
from diandian.scenes.models import Scene

KIND = "other"


def set_questions(visitor: Visitor, scene: Scene, composed: Mapping[str, Any]) -> Scene:
    """Keep composed questions, or with {} those of the kind. What is kept can be asked.

    Raises: ComposedError naming the part, SceneChoiceError for another kind, SceneDescribedError
    unless a draft, OrganisationNotFoundError, NotAllowedError.
    """
    access.require(visitor, scene.organisation_ref, "write")
    if scene.kind != KIND:
        raise SceneChoiceError(field="kind", given=scene.kind)
    stored: Mapping[str, Any] = {}
    if composed:
        kind = compose(composed, factors_of(scene), scene.region)
        stored = kind.inputs["composed"]
    return actions.compose_questions(scene, stored, actor_ref=visitor.person.ref)
