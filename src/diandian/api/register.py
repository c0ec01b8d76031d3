"""The public register of retirements and the boards: no names but those who asked to be shown."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from dmr import modify

from diandian.api.base import ApiController, Key, LangQuery, Query, refusals
from diandian.api.scenes import published, words
from diandian.kernel.errors import N_, NotFoundError
from diandian.kernel.memory import ttl_cache
from diandian.leaderboards import queries as boards
from diandian.leaderboards.queries import StandingRow
from diandian.leaderboards.rankings import RANKED_FROM_PEOPLE
from diandian.registry import queries
from diandian.registry.recalls.marks import marks_of
from diandian.scenes.models import Scene

MOST_ROWS = 200
_BOARD_ROWS = 50


class RangeOut(msgspec.Struct, kw_only=True):
    """The exact grams of one batch, ``end_g`` excluded, and the serials that they lie in."""

    batch: str
    start_g: int
    end_g: int
    mass_g: int
    serial_first: str
    serial_last: str
    offset_first_g: int
    offset_last_g: int
    vintage_year: int


class RetirementOut(msgspec.Struct, kw_only=True):
    """A retirement as everybody may know it; ``subject_commit`` stands for the name.

    ``recall_state``: empty, or `recalled`, `replaced`, `short`. ``replaces``: the retirement whose
    recalled grams this one stands for, or empty.
    """

    retirement: str
    retired_at: str
    mass_g: int
    project: str
    programme: str
    vintage_year: int
    purpose: str
    scene: str | None
    holder_kind: str
    claim_from: str | None
    claim_to: str | None
    upstream_state: str
    subject_commit: str
    sample: bool
    recall_state: str
    recalled_g: int
    remedied_g: int
    replaces: str
    ranges: list[RangeOut]


class RetirementsOut(msgspec.Struct, kw_only=True):
    """A page, newest first. ``count`` and ``mass_g`` are of all that the filters find.

    ``next_before``: give it as ``before`` for the next page; null at the end.
    """

    retirements: list[RetirementOut]
    count: int
    mass_g: int
    next_before: str | None


class RetirementsQuery(LangQuery, kw_only=True):
    """Filters; what does not exist finds nothing."""

    project: Key | None = None
    scene: Key | None = None
    vintage_year: Annotated[int, msgspec.Meta(ge=1990, le=2100)] | None = None
    holder_kind: Literal["person", "host", "company", "sponsor", "platform"] | None = None
    before: Key | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)] = 50


def _lookups(asked: RetirementsQuery) -> dict[str, Any] | None:
    """Return the arguments of the registry's queries, or None when nothing can match."""
    found: dict[str, Any] = {"vintage_year": asked.vintage_year, "holder_kind": asked.holder_kind}
    try:
        if asked.project:
            found["project"] = queries.project_by_code(asked.project)
    except NotFoundError:
        return None
    if asked.scene:
        scene = Scene.objects.filter(slug=asked.scene).values_list("id", flat=True).first()
        if scene is None:
            return None
        found["context_ref"] = f"scene:{scene}"
    return found


def _slugs(refs: list[str]) -> dict[str, str]:
    ids = {int(ref[6:]) for ref in refs if ref.startswith("scene:") and ref[6:].isdecimal()}
    rows = Scene.objects.filter(id__in=ids).values_list("id", "slug")
    return {f"scene:{number}": slug for number, slug in rows}


class RetirementsController(ApiController):
    """Retirements."""

    tags = ("Register",)

    @modify(
        operation_id="listRetirements",
        summary="The public register, newest first",
        status_code=HTTPStatus.OK,
        extra_responses=refusals(404, 422),
    )
    def get(self, parsed_query: Query[RetirementsQuery]) -> RetirementsOut:
        """Answer a page of the filtered register."""
        lookups = _lookups(parsed_query)
        if lookups is None:
            return RetirementsOut(retirements=[], count=0, mass_g=0, next_before=None)
        before = parsed_query.before
        before_id = queries.retirement_by_public_id(before).id if before else None
        limit = parsed_query.limit
        rows = queries.retirements(**lookups, before_id=before_id, limit=limit + 1)
        count, mass_g = queries.retirement_totals(**lookups)
        shown = rows[:limit]
        slugs = _slugs([row.context_ref for row in shown])
        met = marks_of(shown)
        records = queries.public_records(shown)
        return RetirementsOut(
            retirements=[
                _retirement(record | met[row.id].public(), slugs)
                for row, record in zip(shown, records, strict=True)
            ],
            count=count,
            mass_g=mass_g,
            next_before=shown[-1].public_id if len(rows) > limit else None,
        )


def _retirement(record: dict[str, Any], slugs: dict[str, str]) -> RetirementOut:
    facts = dict(record)
    scene = slugs.get(str(facts.pop("context_ref")))
    ranges = [RangeOut(**piece) for piece in facts.pop("ranges")]
    return RetirementOut(**facts, scene=scene, ranges=ranges)


class BoardNotFoundError(NotFoundError):
    """No board of this name."""

    code = "board_not_found"
    message = N_("There is no such board. There are: people, scenes, and scene:SLUG of each scene.")


class PersonRow(msgspec.Struct, kw_only=True):
    """Somebody who asked to be shown. ``rank`` is null where too few stand there to rank them."""

    rank: int | None
    name: str
    scenes_lit: int


class SceneRow(msgspec.Struct, kw_only=True):
    """How far a scene is: whole per cent of the emissions that its host states."""

    slug: str
    name: str
    percent: int
    matched_g: int
    guests: int


class BoardOut(msgspec.Struct, kw_only=True):
    """A board: of people, or of scenes; the other list is empty."""

    board: str
    period: str
    ranked: bool
    people: list[PersonRow]
    scenes: list[SceneRow]


class BoardQuery(LangQuery, kw_only=True):
    """``period``: this year or all years; for the board of people only."""

    period: Literal["year", "all"] = "year"


@ttl_cache(2)
def _people(period: str) -> list[StandingRow]:
    return boards.people(period, _BOARD_ROWS)


@ttl_cache(10)
def _shares() -> list[boards.SceneShare]:
    return boards.scenes_board(_BOARD_ROWS)


def _people_board(board: str, period: str, rows: list[StandingRow]) -> BoardOut:
    return BoardOut(
        board=board,
        period=period,
        ranked=len(rows) >= RANKED_FROM_PEOPLE,
        people=[PersonRow(rank=row.rank, name=row.name, scenes_lit=row.scenes_lit) for row in rows],
        scenes=[],
    )


def _scenes_board() -> BoardOut:
    rows = [
        SceneRow(
            slug=share.scene.slug,
            name=words(share.scene.names),
            percent=share.percent,
            matched_g=share.matched_g,
            guests=share.guests,
        )
        for share in _shares()
    ]
    return BoardOut(board="scenes", period="all", ranked=True, people=[], scenes=rows)


class BoardController(ApiController):
    """One board."""

    tags = ("Register",)

    @modify(
        operation_id="getBoard",
        summary="A board: `people`, `scenes`, or `scene:SLUG`",
        status_code=HTTPStatus.OK,
        extra_responses=refusals(404, 422),
    )
    def get(self, parsed_query: Query[BoardQuery]) -> BoardOut:
        """Answer for one board; never kilograms of a person."""
        board, period = str(self.kwargs["board"]), parsed_query.period
        if board == "people":
            return _people_board(board, period, _people(period))
        if board == "scenes":
            return _scenes_board()
        kind, _, slug = board.partition(":")
        if kind == "scene" and slug:
            return _people_board(board, "all", boards.scene_people(published(slug), _BOARD_ROWS))
        raise BoardNotFoundError
