"""Scenes: found by search, described with the questions that a guest is asked."""

from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from django.conf import settings
from django.utils.translation import gettext
from dmr import modify

from diandian.api.base import ApiController, Key, LangQuery, Query, language, refusals
from diandian.emissions.activity import Question
from diandian.emissions.numbers import plain
from diandian.emissions.scene_kind import scene_kind, scene_kinds
from diandian.footprints.calculation import questions_of
from diandian.kernel.memory import ttl_cache
from diandian.orders import queries as orders
from diandian.orders.queries import Progress
from diandian.scenes import queries
from diandian.scenes.models import Scene
from diandian.ui.format import pick

Names = dict[str, str]
MOST_SCENES = 100


class SceneOut(msgspec.Struct, kw_only=True):
    """A scene in a list. Venues have no last day."""

    slug: str
    kind: str
    kind_name: str
    name: str
    names: Names
    host: str
    venue: str
    city: str
    country: str
    region: str
    starts_on: str
    ends_on: str | None
    phase: str
    takes_orders: bool
    sample: bool
    url: str


class ScenesOut(msgspec.Struct, kw_only=True):
    """Published scenes that hold every word of the query."""

    scenes: list[SceneOut]


class ChoiceOut(msgspec.Struct, kw_only=True):
    """One answer to choose."""

    value: str
    label: str


class QuestionOut(msgspec.Struct, kw_only=True):
    """A question; ``kind`` is place, choice, number or flag.

    Answer it under its key, a place by name, key or IATA code, or with one of its choices (rough
    distances, for who names no city); where ``unknown_allowed``, "unknown" is an answer. It is
    asked only when the answers named in ``shown_when`` have one of the values given there.
    """

    key: str
    kind: str
    label: str
    hint: str
    unit: str
    minimum: str | None
    maximum: str | None
    whole: bool
    default: str | int | bool | None
    unknown_allowed: bool
    fine_tune: bool
    choices: list[ChoiceOut]
    shown_when: dict[str, list[str | int | bool]]


class BoundaryOut(msgspec.Struct, kw_only=True):
    """Who answers for what."""

    guest: str
    host: str
    outside: str


class CoveredOut(msgspec.Struct, kw_only=True):
    """What the host pays for each guest; never part of a guest's own estimate."""

    category: str
    name: str
    mass_per_guest_g: int


class ProgressOut(msgspec.Struct, kw_only=True):
    """Grams retired for guests of the scene, and by how many."""

    matched_g: int
    guests: int


class SceneDetailOut(SceneOut, kw_only=True):
    """A scene with everything that a calculation for it rests on."""

    place: str
    factor_set: str
    method_version: str
    with_non_co2: bool
    travel_owner: str
    stated_total_g: int
    progress: ProgressOut
    boundary: BoundaryOut
    covered_by_host: list[CoveredOut]
    questions: list[QuestionOut]


class ScenesQuery(LangQuery, kw_only=True):
    """``query``: words of the name, host, venue or city, in any language."""

    query: Annotated[str, msgspec.Meta(max_length=80)] = ""
    kind: Key = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_SCENES)] = 50


@ttl_cache(2)
def published(slug: str) -> Scene:
    """Return a published scene with its parts, as of two seconds ago at most; read only.

    Raises: SceneNotFoundError, SceneNotPublishedError.
    """
    return queries.published(slug.replace("\x00", ""))


@ttl_cache(2)
def _progress(scene_id: int) -> Progress:
    return orders.scene_progress(Scene(id=scene_id))


def words(names: Mapping[str, str]) -> str:
    """Return a text of the data in the caller's language, without word joints."""
    return pick(names, language()).replace("|", "")


def _common(scene: Scene) -> dict[str, Any]:
    kind = scene_kinds().get(scene.kind)
    return {
        "slug": scene.slug,
        "kind": scene.kind,
        "kind_name": words(kind.names) if kind else scene.kind,
        "name": words(scene.names),
        "names": {lang: text.replace("|", "") for lang, text in scene.names.items()},
        "host": words(scene.host_names),
        "venue": words(scene.venue_names),
        "city": words(scene.city_names),
        "country": scene.country,
        "region": scene.region,
        "starts_on": scene.starts_on.isoformat(),
        "ends_on": scene.ends_on.isoformat() if scene.ends_on else None,
        "phase": queries.phase(scene),
        "takes_orders": queries.takes_orders(scene),
        "sample": scene.is_sample,
        "url": f"{settings.BASE_URL}/s/{scene.slug}",
    }


def _bound(question: Question, value: Decimal) -> str | None:
    return plain(value) if question.kind == "number" else None


def asked(question: Question) -> QuestionOut:
    """Return a question in the caller's language."""
    return QuestionOut(
        key=question.key,
        kind=question.kind,
        label=gettext(question.label),
        hint=gettext(question.hint) if question.hint else "",
        unit=question.unit,
        minimum=_bound(question, question.minimum),
        maximum=_bound(question, question.maximum),
        whole=question.whole,
        default=question.default,
        unknown_allowed=question.unknown_allowed,
        fine_tune=question.fine_tune,
        choices=[
            ChoiceOut(value=choice.value, label=gettext(choice.label))
            for choice in question.choices
        ],
        shown_when={key: list(values) for key, values in (question.shown_when or {}).items()},
    )


def _detail(scene: Scene) -> SceneDetailOut:
    boundary = scene_kind(scene.kind).boundary
    progress = _progress(scene.id)
    return SceneDetailOut(
        **_common(scene),
        place=scene.place_key,
        factor_set=scene.factor_set,
        method_version=scene.method_version,
        with_non_co2=scene.with_non_co2,
        travel_owner=scene.travel_owner,
        stated_total_g=scene.stated_total_g,
        progress=ProgressOut(matched_g=progress.matched_g, guests=progress.guests),
        boundary=BoundaryOut(
            guest=gettext(boundary.guest),
            host=gettext(boundary.host),
            outside=gettext(boundary.outside),
        ),
        covered_by_host=[
            CoveredOut(
                category=line.category,
                name=words(line.names),
                mass_per_guest_g=line.mass_per_guest_g,
            )
            for line in queries.covered_lines(scene)
        ],
        questions=[asked(question) for question in questions_of(scene)],
    )


class ScenesController(ApiController):
    """Scenes."""

    tags = ("Scenes",)

    @modify(
        operation_id="findScenes",
        summary="Search published scenes",
        status_code=HTTPStatus.OK,
        extra_responses=refusals(422),
    )
    def get(self, parsed_query: Query[ScenesQuery]) -> ScenesOut:
        """Answer a search; without a query, the newest scenes."""
        found = queries.search(parsed_query.query, parsed_query.kind, parsed_query.limit)
        return ScenesOut(scenes=[SceneOut(**_common(scene)) for scene in found])


class SceneController(ApiController):
    """One scene."""

    tags = ("Scenes",)

    @modify(
        operation_id="getScene",
        summary="A scene with the questions of its kind",
        status_code=HTTPStatus.OK,
        extra_responses=refusals(404, 422),
    )
    def get(self, parsed_query: Query[LangQuery]) -> SceneDetailOut:  # noqa: ARG002 - for the description
        """Answer for one scene."""
        return _detail(published(str(self.kwargs["slug"])))
