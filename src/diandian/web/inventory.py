"""A scene's closed inventory as its public report shows it: lines, sources, range, what is open.

Numbers and their sources only: no notes, no names of files, nobody's answers.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from diandian.emissions.inventory import boundary
from diandian.emissions.inventory.categories import CATEGORIES, GROUPS
from diandian.emissions.inventory.entries import QUALITIES
from diandian.footprints import queries
from diandian.footprints.models import InventoryVersion
from diandian.kernel.errors import N_
from diandian.kernel.memory import Memory
from diandian.scenes.models import Scene
from diandian.ui.amounts import amount_words, factor_words
from diandian.web import context

BEYOND = N_("Beyond the list of the 2019 guideline")
_LISTED = 100
# A closed version never changes; what is kept here is only its drawing in one language.
_reports: Memory["Closed"] = Memory(seconds=300, maxsize=64)


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``amount``: as it was stated; ``evidence``: digest of a file, or nothing."""

    label: str
    amount: str
    quality: str
    evidence: str
    factor: str
    source: str
    mass_g: int


@dataclass(frozen=True, slots=True)
class Source:
    """One source: its lines, the largest first, and how many smaller ones are not listed."""

    label: str
    broad: str
    state: str
    state_word: str
    reason: str
    mass_g: int
    lines: tuple[Line, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed version. Units: grams. ``doubt``: U of the total, per cent, as text."""

    number: int
    closed_at: datetime | None
    mass_g: int
    low_g: int
    high_g: int
    doubt: str
    factor_set: str
    groups: tuple[tuple[str, int | None, tuple[Source, ...]], ...]
    unproven: int
    uncounted_people: int


def closed_of(scene: Scene) -> Closed | None:
    """Return a scene's newest closed inventory, None while there is none of its own."""
    number = queries.last_closed_number(scene)
    if not number:
        return None
    key = (scene.id, number, context.language())
    kept = _reports.get(key)
    if kept is None:
        version = queries.closed_inventory(scene)
        if version is None or version.document.get("stated") or "standings" not in version.document:
            return None
        kept = _drawn(version)
        _reports.put(key, kept)
    return kept


def _drawn(version: InventoryVersion) -> Closed:
    document = version.document
    by_source: dict[str, list[Mapping[str, Any]]] = {}
    for line in document["lines"]:
        if line["owner"] == "organiser":
            by_source.setdefault(line["details"]["source"], []).append(line)
    sources: dict[str, list[Source]] = {}
    for category, state, mass_g, reason in document["standings"]:
        found = _source(category, state, mass_g, reason, by_source.get(category, []))
        sources.setdefault(CATEGORIES[category].group, []).append(found)
    return Closed(
        number=version.number,
        closed_at=version.closed_at,
        mass_g=version.mass_g,
        low_g=document["low_g"],
        high_g=document["high_g"],
        doubt=document["doubt_pct"],
        factor_set=document["factor_set_id"],
        groups=tuple(
            (gettext(label), boundary.known_g(map(_known, sources[key])), tuple(sources[key]))
            for key, label in (*GROUPS.items(), ("", BEYOND))
            if key in sources
        ),
        unproven=len(document["unproven"]),
        uncounted_people=document["uncounted_people"],
    )


def _known(source: Source) -> tuple[str, int]:
    return source.state, source.mass_g


def _source(
    category: str, state: str, mass_g: int, reason: str, lines: Iterable[Mapping[str, Any]]
) -> Source:
    largest = sorted(lines, key=lambda line: (-line["mass_g"], line["key"]))
    return Source(
        label=gettext(CATEGORIES[category].label),
        broad=CATEGORIES[category].broad,
        state=state,
        state_word=gettext(boundary.STATES[state]),
        reason=reason,
        mass_g=mass_g,
        lines=tuple(_line(line) for line in largest[:_LISTED]),
        more=max(len(largest) - _LISTED, 0),
    )


def _line(line: Mapping[str, Any]) -> Line:
    said, details = line["label"], line["details"]
    label, quality = gettext(said), QUALITIES[details["quality"]]
    with suppress(KeyError, TypeError, ValueError):
        label %= _params(line)
    source = line["source"]
    where = (source["org"], source["year"], line["factor_region"])
    return Line(
        label=label,
        amount=_amount(line),
        quality=gettext(quality),
        evidence=details.get("evidence", ""),
        factor=factor_words([Decimal(line["value"])], line["unit"]),
        source=", ".join(part for part in where if part),
        mass_g=line["mass_g"],
    )


def _amount(line: Mapping[str, Any]) -> str:
    """Return the amount as it was stated; guests' amounts are only in the unit of their factor."""
    number, _, unit = line["details"].get("stated", "").partition(" ")
    if not number:
        number, unit = line["activity_amount"], line["unit"]
    return amount_words(Decimal(number), unit)


def _params(line: Mapping[str, Any]) -> dict[str, str]:
    places: Mapping[str, Mapping[str, str]] = line["details"].get("places", {})
    lang = context.language()
    named = {name: words.get(lang) or words["en"] for name, words in places.items()}
    return {**line["params"], **named}
