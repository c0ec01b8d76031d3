"""The boards: who lit how many scenes, and how far scenes are; never kilograms of a person.

*Source:* decision 3 of the product: ranking by mass would reward those who fly most.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from diandian.kernel.memory import ttl_cache
from diandian.leaderboards import queries, rankings
from diandian.leaderboards.queries import OwnRow, SceneShare, StandingRow
from diandian.scenes.errors import SceneNotFoundError, SceneNotPublishedError
from diandian.ui import drawing
from diandian.web import context, device, guest
from diandian.web.scenes import unavailable

TABS = {
    "people": "web/boards/people.html",
    "organisations": "web/boards/organisations.html",
    "scenes": "web/boards/scenes.html",
}
PERIODS = ("year", "all")
SHOWN = 50
# The rest is folded away, so that what stands beneath is found.
_UNFOLDED = 10
_SCENES_BESIDE = 3
# A row of dots behind a name; beyond it the number beside it says the rest.
_DOTS_IN_A_ROW = 20
_FIELD = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a people's board with the dots behind the name."""

    row: StandingRow
    dots: int


def _lines(rows: Sequence[StandingRow]) -> list[Line]:
    return [Line(row, min(row.scenes_lit, _DOTS_IN_A_ROW)) for row in rows]


@dataclass(frozen=True, slots=True)
class Share:
    """A scene's share as fifty dots: each is two per cent of its stated total."""

    share: SceneShare
    done: int
    total: int


@ttl_cache(10)
def _scene_shares() -> list[SceneShare]:
    return queries.scenes_board()


def _shares(limit: int) -> list[Share]:
    return [
        Share(share, share.percent * _FIELD // 100, _FIELD) for share in _scene_shares()[:limit]
    ]


@ttl_cache(2)
def _people(period: str) -> list[StandingRow]:
    return queries.people(period, SHOWN)


@dataclass(frozen=True, slots=True)
class You:
    """The viewer's line at the foot: on the board, or where they would be."""

    own: OwnRow | None
    line: Line | None
    would_be: int


def _you(request: HttpRequest, period: str, *, ranked: bool) -> You | None:
    """Return what the foot says to this viewer; nothing to someone who lit no scene here."""
    key = guest.guest_key_of(request)
    if not key:
        return None
    own = queries.own_row(key, period)
    if own is not None:
        return You(own, Line(own.row, min(own.row.scenes_lit, _DOTS_IN_A_ROW)), 0)
    lit = device.scenes_lit(key)
    if not lit or not ranked:
        return None
    return You(None, None, queries.would_be_rank(lit, period))


def board(request: HttpRequest) -> HttpResponse:
    """Show the board of people, organisations or scenes."""
    tab = request.GET.get("tab", "people")
    tab = tab if tab in TABS else "people"
    period = request.GET.get("period", "year")
    period = period if period in PERIODS else "year"
    shown: dict[str, object] = {"tab": tab, "period": period}
    if tab == "people":
        rows = _people(period)
        ranked = len(rows) >= rankings.RANKED_FROM_PEOPLE
        shown |= {
            "lines": _lines(rows[:_UNFOLDED]),
            "more_lines": _lines(rows[_UNFOLDED:]),
            "ranked": ranked,
            "you": _you(request, period, ranked=ranked),
            "shares": _shares(_SCENES_BESIDE),
        }
    elif tab == "scenes":
        shown |= {"shares": _shares(SHOWN), "least": rankings.SCENE_BOARD_FROM_GUESTS}
    return render(request, TABS[tab], shown)


def scene_board(request: HttpRequest, slug: str) -> HttpResponse:
    """Show who lit one scene, first come first; only people who asked to be shown."""
    try:
        scene = context.published_scene(slug)
    except (SceneNotFoundError, SceneNotPublishedError) as error:
        return unavailable(request, error)
    key = guest.guest_key_of(request)
    rows = queries.scene_people(scene, SHOWN, key)
    progress = context.progress_of(scene.id)
    scale = drawing.scale_for(max(progress.matched_g, scene.stated_total_g)).kg_per_dot
    shown = {
        "scene": scene,
        "rows": rows,
        "ranked": len(rows) >= rankings.RANKED_FROM_PEOPLE,
        "progress": progress,
        "scale": scale,
        "done": drawing.matched_dots(
            progress.matched_g, max(scene.stated_total_g, progress.matched_g), scale
        ),
        "total": drawing.dot_count(max(scene.stated_total_g, progress.matched_g), scale),
    }
    return render(request, "web/boards/scene.html", shown)
