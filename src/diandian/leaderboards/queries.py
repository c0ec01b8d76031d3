"""Reads of the boards."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Min, Q, Sum

from diandian.kernel.clock import business_day
from diandian.leaderboards.models import (
    HiddenName,
    Lighting,
    NameReport,
    ReportState,
    Standing,
)
from diandian.leaderboards.rankings import (
    RANKED_FROM_PEOPLE,
    SCENE_BOARD_FROM_GUESTS,
    board_key,
)
from diandian.registry.models import Retirement
from diandian.registry.recalls import queries as recalls
from diandian.scenes.models import Scene


@dataclass(frozen=True, slots=True)
class StandingRow:
    """One line of a board. ``rank`` is None where too few people are shown to rank them.

    ``number``: by which ``row_by_number`` finds it.
    """

    number: int
    rank: int | None
    name: str
    seed: int
    scenes_lit: int
    is_you: bool = False


@dataclass(frozen=True, slots=True)
class OwnRow:
    """The viewer's own line and the next step up: ``next_rank`` after ``missing`` more scenes."""

    row: StandingRow
    next_rank: int
    missing: int


@dataclass(frozen=True, slots=True)
class SceneShare:
    """The matched share of a scene's own stated emissions, in whole per cent, rounded down."""

    scene: Scene
    percent: int
    matched_g: int
    guests: int


def people(period: str = "year", limit: int = 50, guest_key: str = "") -> list[StandingRow]:
    """Return the first rows of the people's board."""
    rows = list(Standing.objects.filter(board=board_key(period, business_day()))[:limit])
    hidden = _hidden(row.guest_key for row in rows)
    ranked = len(rows) >= RANKED_FROM_PEOPLE
    return [
        StandingRow(
            number=row.id,
            rank=place if ranked else None,
            name="" if row.guest_key in hidden else row.display_name,
            seed=row.avatar_seed,
            scenes_lit=row.scenes_lit,
            is_you=bool(guest_key) and row.guest_key == guest_key,
        )
        for place, row in enumerate(rows, start=1)
    ]


def _hidden(guest_keys: Iterable[str]) -> set[str]:
    """Return which of some people are shown without a name, by an operator's decision."""
    rows = HiddenName.objects.filter(guest_key__in=list(guest_keys))
    return set(rows.values_list("guest_key", flat=True))


def rows_named(text: str, limit: int = 50) -> list[Standing]:
    """Return the rows of every board whose shown name contains a text, for an operator."""
    assert text, "an empty text would be in every name"
    return list(Standing.objects.filter(display_name__icontains=text).order_by("id")[:limit])


def row_by_number(number: int) -> Standing | None:
    """Return one row of a board by its number, for an operator."""
    return Standing.objects.filter(id=number).first()


def named_row(number: int) -> Standing | None:
    """Return a row by its number if its name is shown; it need not be among the first."""
    row = row_by_number(number)
    return row if row and row.display_name and not _hidden([row.guest_key]) else None


def shows(guest_key: str, name: str) -> bool:
    """Tell whether a board shows a person under a name."""
    rows = Standing.objects.filter(guest_key=guest_key, display_name=name)
    return bool(name) and rows.exists() and not _hidden([guest_key])


def open_reports(guest_key: str) -> list[NameReport]:
    """Return what waits for a decision about a person, locked until the transaction ends."""
    waiting = NameReport.objects.select_for_update().filter(
        guest_key=guest_key, state=ReportState.OPEN
    )
    # In one order for everybody, so that two operators wait for each other and not in a ring.
    return list(waiting.order_by("id"))


def _rank_of(standing: Standing) -> int:
    above = Q(scenes_lit__gt=standing.scenes_lit) | Q(
        scenes_lit=standing.scenes_lit, reached_at__lt=standing.reached_at
    )
    return Standing.objects.filter(above, board=standing.board).count() + 1


def own_row(guest_key: str, period: str = "year") -> OwnRow | None:
    """Return the viewer's own line, or None when the viewer is not on the board."""
    if not guest_key:
        return None
    board = board_key(period, business_day())
    standing = Standing.objects.filter(board=board, guest_key=guest_key).first()
    if standing is None:
        return None
    rank = _rank_of(standing)
    # With one more scene the viewer stands behind everyone who reached that count before.
    next_rank = (
        Standing.objects.filter(board=board, scenes_lit__gte=standing.scenes_lit + 1).count() + 1
    )
    name = "" if _hidden([guest_key]) else standing.display_name
    row = StandingRow(
        standing.id, rank, name, standing.avatar_seed, standing.scenes_lit, is_you=True
    )
    return OwnRow(row=row, next_rank=min(next_rank, rank), missing=1)


def would_be_rank(scenes_lit: int, period: str = "year") -> int:
    """Return the place somebody with so many scenes would take if they joined now."""
    board = board_key(period, business_day())
    return Standing.objects.filter(board=board, scenes_lit__gte=scenes_lit).count() + 1


def scene_people(scene: Scene, limit: int = 50, guest_key: str = "") -> list[StandingRow]:
    """Return who lit one scene, first come first, only people who asked to be shown."""
    # One line a person, however many days they lit it.
    firsts = Lighting.objects.filter(scene=scene).values("guest_key").annotate(first=Min("id"))
    keys = list(firsts.order_by("first").values_list("guest_key", flat=True)[:limit])
    standings = {
        row.guest_key: row
        for row in Standing.objects.filter(board="people:all", guest_key__in=keys)
    }
    hidden = _hidden(keys)
    ranked = len(keys) >= RANKED_FROM_PEOPLE
    return [
        StandingRow(
            number=standings[key].id,
            rank=place if ranked else None,
            name="" if key in hidden else standings[key].display_name,
            seed=standings[key].avatar_seed,
            scenes_lit=standings[key].scenes_lit,
            is_you=bool(guest_key) and key == guest_key,
        )
        for place, key in enumerate(keys, start=1)
        if key in standings
    ]


def scenes_board(limit: int = 50) -> list[SceneShare]:
    """Return scenes by the matched share of their stated emissions; twenty guests at least."""
    scenes = {
        f"scene:{scene.id}": scene
        for scene in Scene.objects.filter(state="published", stated_total_g__gt=0)
    }
    found = (
        Retirement.objects.filter(context_ref__in=scenes)
        .values("context_ref")
        .annotate(grams=Sum("mass_g"), guests=Count("id"))
    )
    missing_g = recalls.missing_by_context(scenes)
    shares = [
        _share(scenes[ref], row["grams"] - missing_g.get(ref, 0), row["guests"])
        for row in found
        if row["guests"] >= SCENE_BOARD_FROM_GUESTS
        for ref in (row["context_ref"],)
    ]
    return sorted(shares, key=lambda share: (-share.percent, share.scene.id))[:limit]


def _share(scene: Scene, matched_g: int, guests: int) -> SceneShare:
    percent = min(100, matched_g * 100 // scene.stated_total_g)
    return SceneShare(scene=scene, percent=percent, matched_g=matched_g, guests=guests)
