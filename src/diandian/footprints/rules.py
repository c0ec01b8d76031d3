"""Who owns a gram, pure: the parts of a line, an inventory's document, what a cover takes.

*Source:* methodology, section 10 (rules 1, 2, 6 to 8); market study, M1.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from diandian.emissions.lines import M1, ONE, mass_of
from diandian.emissions.uncertainty import GUESS, factor_range

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from diandian.emissions.estimate import Estimate

# What an organiser can take over of a guest's visit; meals bought and goods stay the guest's.
TRAVEL = frozenset({"travel", "local", "stay"})
ROOMS = "stay"
LONGEST_KEY = 120
ALL_PCT = 100


def host_part_g(line: Mapping[str, Any], organiser_pct: int) -> int:
    """Return the organiser's grams of a guest's line; the guest's are what is left of it.

    ``line``: JSON of an estimate's line. Rounding: the guest's part half up, as it is in the
    inventory's sums.
    """
    mass_g = int(line["mass_g"])
    if not organiser_pct or line["category"] not in TRAVEL:
        return 0
    if organiser_pct == ALL_PCT:
        return mass_g
    amount = M1.multiply(Decimal(line["activity_amount"]), Decimal(line["share"]))
    rest = ONE - M1.divide(Decimal(organiser_pct), Decimal(ALL_PCT))
    return mass_g - mass_of(amount, Decimal(line["value"]), rest)


def host_g(estimate: Mapping[str, Any], organiser_pct: int) -> int:
    """Return the organiser's grams of a guest's whole estimate."""
    if not organiser_pct:
        return 0
    return sum(host_part_g(line, organiser_pct) for line in estimate["lines"])


def parts_of(
    estimate: Mapping[str, Any],
    organiser_pct: int,
    *,
    host: bool,
    rooms: bool = True,
    elsewhere: Collection[str] = (),
) -> list[tuple[str, int]]:
    """Return the keys and grams of one owner's parts of an estimate; parts of no grams are none.

    ``rooms``: False leaves out the nights, where a hotel's own inventory holds them already.
    ``elsewhere``: keys of lines that the guest counted in another scene first.
    """
    parts = []
    for line in estimate["lines"]:
        if (not rooms and line["category"] == ROOMS) or line["key"] in elsewhere:
            continue
        theirs = host_part_g(line, organiser_pct)
        mass_g = theirs if host else int(line["mass_g"]) - theirs
        if mass_g:
            parts.append((str(line["key"]), mass_g))
    return parts


def inventory_document(own: Estimate, guests: Estimate | None = None) -> dict[str, Any]:
    """Return an inventory as a document: each computed line with its owner.

    ``claimable``: an organiser's line that a cover may claim. Lines of guests who answered are
    not: their own footprints hold the very same grams.
    """
    lines = [_owned(line.to_json(), "organiser") for line in own.lines]
    lines += [_owned(line.to_json(), "guest") for line in guests.lines] if guests else []
    facts = own.to_json()
    del facts["lines"]
    return {**facts, "lines": lines}


def _owned(line: dict[str, Any], owner: str) -> dict[str, Any]:
    answered = line["details"].get("guests") == "answered"
    return {**line, "owner": owner, "claimable": owner == "organiser" and not answered}


def stated_document(lines: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the document of lines that a host only stated: ``key``, ``category``, ``mass_g``.

    Their doubt is that of a guess (section 11 of the methodology).
    """
    owned = [{**line, "owner": "organiser", "claimable": True} for line in lines]
    mass_g = sum(int(line["mass_g"]) for line in owned)
    low_g, high_g = factor_range(mass_g, GUESS)
    return {"stated": True, "mass_g": mass_g, "low_g": low_g, "high_g": high_g, "lines": owned}


def problem_of(document: Mapping[str, Any]) -> str:
    """Return what is wrong with an inventory's document, or nothing."""
    lines = document.get("lines")
    if not isinstance(lines, list):
        return "it has no lines"
    own_g = 0
    keys: set[tuple[str, str]] = set()
    for line in lines:
        key, owner, mass_g = line.get("key"), line.get("owner"), line.get("mass_g")
        if (
            not isinstance(key, str)
            or not 0 < len(key) <= LONGEST_KEY
            or owner not in {"organiser", "guest"}
        ):
            return f"line {str(key)[:40]!r} has no fitting key or no owner"
        if type(mass_g) is not int or mass_g < 0:
            return f"line {key!r} has no whole grams"
        if (owner, key) in keys:
            return f"line {key!r} stands twice"
        keys.add((owner, key))
        own_g += mass_g if owner == "organiser" else 0
    high_g = document.get("high_g")
    if document.get("mass_g") != own_g or type(high_g) is not int or high_g < own_g:
        return "its total is not the sum of the organiser's lines"
    return ""


def claimable(document: Mapping[str, Any], *, elsewhere: Collection[str] = ()) -> dict[str, int]:
    """Return the grams of each line that a cover may claim, by key, in the document's order.

    ``elsewhere``: sources that another scene counts; their lines are references, not for sale.
    """
    return {
        str(line["key"]): int(line["mass_g"])
        for line in document["lines"]
        if line["claimable"] and line["mass_g"] and source_of(line) not in elsewhere
    }


def source_of(line: Mapping[str, Any]) -> str:
    """Return the source that a line of an inventory belongs to; "" for a line only stated."""
    return str(line.get("details", {}).get("source", ""))


def grams_by_source(document: Mapping[str, Any]) -> dict[str, int]:
    """Return the organiser's grams of each source, without lines that were only stated."""
    found: dict[str, int] = {}
    for line in document["lines"]:
        source = source_of(line)
        if source and line["owner"] == "organiser":
            found[source] = found.get(source, 0) + int(line["mass_g"])
    return found


@dataclass(frozen=True, slots=True)
class Run:
    """Unclaimed grams of a line of the site, from ``start_g`` on."""

    line_key: str
    start_g: int
    mass_g: int


@dataclass(frozen=True, slots=True)
class Visit:
    """One owner's unclaimed part of a footprint, taken whole or not at all."""

    footprint_id: int
    is_host_part: bool
    mass_g: int


def grams_of(runs: Iterable[Run], visits: Iterable[Visit]) -> int:
    """Return the grams of runs and visits together."""
    return sum(run.mass_g for run in runs) + sum(visit.mass_g for visit in visits)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a cover claims: runs of the site's lines, and whole parts of visits."""

    runs: tuple[Run, ...]
    visits: tuple[Visit, ...]

    @property
    def mass_g(self) -> int:
        """Return the grams of all of it."""
        return grams_of(self.runs, self.visits)


def open_runs(
    lines: Mapping[str, int], claimed: Mapping[str, Iterable[tuple[int, int]]], *, less_g: int = 0
) -> list[Run]:
    """Return what is unclaimed of the site's lines. Never below 0.

    ``claimed``: start and grams of each claim, by line; where a claim ended unretired there is a
    gap. ``less_g``: grams that others have matched within these lines (a hotel's rooms); they are
    taken off the last lines first.
    """
    runs = [run for key, mass_g in lines.items() for run in _gaps(key, mass_g, claimed.get(key))]
    left_g = max(sum(run.mass_g for run in runs) - less_g, 0)
    return _cut(runs, left_g)


def _gaps(key: str, mass_g: int, claimed: Iterable[tuple[int, int]] | None) -> Iterator[Run]:
    at_g = 0
    for start_g, taken_g in sorted(claimed or ()):
        if start_g > at_g:
            yield Run(key, at_g, min(start_g, mass_g) - at_g)
        at_g = start_g + taken_g
        if at_g >= mass_g:
            return
    if mass_g > at_g:
        yield Run(key, at_g, mass_g - at_g)


def _cut(runs: Iterable[Run], left_g: int) -> list[Run]:
    kept = []
    for run in runs:
        mass_g = min(run.mass_g, left_g)
        if mass_g:
            kept.append(Run(run.line_key, run.start_g, mass_g))
            left_g -= mass_g
    return kept


def take(runs: Iterable[Run], visits: Iterable[Visit], budget_g: int) -> Taken:
    """Return what a cover of at most ``budget_g`` claims: the site first, then visits in order."""
    site = _cut(runs, budget_g)
    left_g = budget_g - sum(run.mass_g for run in site)
    chosen = []
    for visit in visits:
        if visit.mass_g <= left_g:
            chosen.append(visit)
            left_g -= visit.mass_g
    return Taken(tuple(site), tuple(chosen))
