"""From a scene and a guest's answers to an estimate: the scene's facts meet the pure calculator."""

from collections.abc import Mapping

from django.utils.translation import get_language

from diandian.emissions.activity import Question
from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import FactorSet, factor_set
from diandian.emissions.scene_kind import SceneContext, SceneKind, scene_kind
from diandian.emissions.scene_kinds.other.composed import compose
from diandian.scenes.models import Scene
from diandian.ui.format import canonical_lang


def factors_of(scene: Scene) -> FactorSet:
    """Return the edition and the method that a scene keeps until it closes."""
    return factor_set(scene.factor_set).by_method(scene.method_version)


def context_of(scene: Scene) -> SceneContext:
    """Return what the calculator must know of a scene."""
    return SceneContext(
        city_key=scene.place_key,
        region=scene.region,
        country=scene.country,
        starts_on=scene.starts_on,
        ends_on=scene.ends_on,
        non_co2=scene.with_non_co2,
        host_lines=_host_lines(scene),
    )


def _host_lines(scene: Scene) -> tuple[tuple[str, dict[str, str], int], ...]:
    return tuple(
        (line.category, line.names, line.mass_per_guest_g)
        for line in scene.inventory.all()
        if line.covered and line.mass_per_guest_g > 0
    )


def kind_of(scene: Scene) -> SceneKind:
    """Return a scene's kind, with the questions that its host composed, in the reader's language.

    Raises: ComposedError when they fit the scene no more.
    """
    if not scene.composed:
        return scene_kind(scene.kind)
    language = canonical_lang(get_language() or "en")
    return compose(scene.composed, factors_of(scene), scene.region, language=language)


def questions_of(scene: Scene) -> tuple[Question, ...]:
    """Return the questions a guest of the scene is asked."""
    return tuple(kind_of(scene).questions(context_of(scene)))


def calculate(scene: Scene, values: Mapping[str, str | int | bool]) -> Estimate:
    """Compute the footprint of one guest from parsed answers.

    Raises: InputError subclasses naming the field; FactorMissingError when a line has no factor.
    """
    return kind_of(scene).compute(context_of(scene), values, factors_of(scene))
