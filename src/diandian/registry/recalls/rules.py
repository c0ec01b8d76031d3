"""Which grams stand in for recalled ones, and what is left of a range; pure.

*Source:* design of the registry, section 3.4 (R12); market study, M7: like for like or better.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

MOST_TEXT = 600
# How far a corresponding adjustment is, the least first.
_ADJUSTED = ("not_started", "pending", "completed")
Span = tuple[int, int]


@dataclass(slots=True)
class Lot:
    """Free grams of a lane that may replace; ``tier`` 0 is the same project, then ever further."""

    lane_id: int
    project_id: int
    tier: int
    issued_at: datetime
    free_g: int


@dataclass(frozen=True, slots=True)
class Piece:
    """What one replacement takes: grams of one project, lane by lane."""

    project_id: int
    takes: tuple[tuple[int, int], ...]

    @property
    def mass_g(self) -> int:
        """Return the grams of all its lanes."""
        return sum(take_g for _, take_g in self.takes)


class Step(NamedTuple):
    """What was done for one retirement that a recall meets, as ``Remedy`` keeps it."""

    retirement_id: int
    root_id: int
    step: int
    outcome: str
    affected_g: int
    remedied_g: int
    short_g: int
    replacement_id: int | None


@dataclass(slots=True)
class _Plan:
    by_project: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    missing_g: int = 0


def nearest_first(lots: Iterable[Lot]) -> list[Lot]:
    """Order lots: the same project first, then by tier; within one by age, as sales do."""
    return sorted(lots, key=lambda lot: (lot.tier, lot.issued_at, lot.lane_id))


def replace(lots: Sequence[Lot], mass_g: int, *, whole: bool = False) -> list[Piece]:
    """Take grams from lots, which lose them, in their order; one piece for each project.

    Less than asked when they do not suffice; with ``whole`` then nothing.
    """
    assert mass_g > 0, "nothing to replace"
    if whole and sum(lot.free_g for lot in lots) < mass_g:
        return []
    plan = _Plan(missing_g=mass_g)
    for lot in lots:
        if not plan.missing_g:
            break
        take_g = min(lot.free_g, plan.missing_g)
        if take_g <= 0:
            continue
        lot.free_g -= take_g
        plan.missing_g -= take_g
        plan.by_project.setdefault(lot.project_id, []).append((lot.lane_id, take_g))
    pieces = [Piece(project_id, tuple(takes)) for project_id, takes in plan.by_project.items()]
    assert sum(piece.mass_g for piece in pieces) == mass_g - plan.missing_g, "no gram invented"
    return pieces


def as_good_as(name: str, best_first: Sequence[str]) -> Sequence[str] | None:
    """Return the classes that are no worse than one, or None when every class is.

    The last class, and one that is not known, are the lowest.

    >>> as_good_as("b", ("a", "b", "c", "d")), as_good_as("d", ("a", "d")), as_good_as("?", ("a",))
    (('a', 'b'), None, None)
    """
    if name not in best_first[:-1]:
        return None
    return best_first[: best_first.index(name) + 1]


def adjusted_as_well(declaration: str, status: str) -> tuple[tuple[str, str], ...] | None:
    """Return which declarations and statuses of an adjustment are no worse, or None when all are.

    Where a country committed to one, only a commitment that is as far stands in. Where none is
    required, that or a completed one does. What was begun without a word is matched by how far.

    >>> adjusted_as_well("committed", "pending")
    (('committed', 'pending'), ('committed', 'completed'))
    >>> adjusted_as_well("not_required", "not_started")
    (('not_required', 'not_started'), ('committed', 'completed'))
    >>> adjusted_as_well("unknown", "not_started") is None
    True
    """
    as_far = _ADJUSTED[_ADJUSTED.index(status) :]
    if declaration == "not_required":
        return (("not_required", "not_started"), ("committed", "completed"))
    if declaration == "committed":
        return tuple(("committed", each) for each in as_far)
    if status == _ADJUSTED[0]:
        return None
    return tuple((said, each) for said in ("unknown", "committed") for each in as_far)


def same_person(one: str, other: str) -> bool:
    """Tell whether two references may be one person: by name, however it came to us.

    >>> same_person("shell:Wen  Li", "operator:wen li"), same_person("operator:a", "operator:b")
    (True, False)
    """
    return _name(one) == _name(other)


def _name(actor_ref: str) -> list[str]:
    return (actor_ref.partition(":")[2] or actor_ref).casefold().split()


def overlap(one: Span, other: Span) -> Span | None:
    """Return the grams that two ranges share, or None.

    >>> overlap((0, 10), (5, 20)), overlap((0, 10), (10, 20))
    ((5, 10), None)
    """
    start_g, end_g = max(one[0], other[0]), min(one[1], other[1])
    return (start_g, end_g) if start_g < end_g else None


def without(spans: Iterable[Span], gone: Span) -> list[Span]:
    """Return what is left of ranges when one is taken out.

    >>> without([(0, 10), (20, 30)], (5, 25))
    [(0, 5), (25, 30)]
    """
    return [
        piece
        for start_g, end_g in spans
        for piece in ((start_g, min(end_g, gone[0])), (max(start_g, gone[1]), end_g))
        if piece[0] < piece[1]
    ]


def covered_until(start: int, spans: Iterable[Span]) -> int:
    """Return the end of the stretch that ranges cover without a gap from a start on.

    >>> covered_until(5, [(0, 10), (10, 20), (30, 40)])
    20
    """
    reach = start
    for first, end in sorted(spans):
        if first > reach:
            break
        reach = max(reach, end)
    return reach
