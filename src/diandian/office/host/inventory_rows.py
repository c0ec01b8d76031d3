"""An inventory as a page shows it: groups, their sources, and the rows of each.

What is missing is a row too, a hollow one, so that the gap is seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from diandian.emissions.inventory import boundary
from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.boundary import HostSource, Standing
from diandian.emissions.inventory.categories import CATEGORIES, GROUPS, NZCE
from diandian.emissions.inventory.entries import QUALITIES, Entry
from diandian.emissions.lines import Line
from diandian.emissions.uncertainty import factor_range, total_doubt
from diandian.footprints.inventory import Computed
from diandian.footprints.models import Evidence
from diandian.footprints.worksheet import Worksheet
from diandian.kernel.errors import N_, DiandianError
from diandian.ui.amounts import amount_words, factor_words

BEYOND = N_("Beyond the list of the 2019 guideline")
ANSWERED = N_("Guests who answered")
MISSING = N_("Guests who did not answer")
SHOWN, SHOWN_ALONE = 20, 200
_ALL_PCT = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One entry, or guests together. Units: grams. ``key``: of an entry, "" for guests."""

    key: str
    label: str
    amount: str
    quality: str
    quality_word: str
    factor: str
    source: str
    mass_g: int
    low_g: int
    high_g: int
    evidence: str
    note: str
    organiser_pct: int
    unproven: bool
    broken: DiandianError | None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source. ``activity``: what is offered first. ``more``: rows that follow.

    ``next_page``: where they are shown.
    """

    key: str
    label: str
    nzce: str
    broad: str
    state: str
    state_word: str
    reason: str
    hint: str
    activity: str
    mass_g: int
    rows: tuple[Row, ...]
    more: int
    next_page: int
    from_guests: bool


@dataclass(frozen=True, slots=True)
class Group:
    """One of the six groups, or what lies beyond them. ``mass_g``: None, nothing is known of it."""

    key: str
    label: str
    state: str
    mass_g: int | None
    sources: tuple[SourceRow, ...]


def groups(
    sheet: Worksheet,
    found: Computed,
    sources: Sequence[HostSource],
    files: Mapping[str, Evidence],
    *,
    only: str = "",
    page: int = 1,
) -> list[Group]:
    """Return the groups with their sources. ``only``: one source, a page of its rows."""
    states = boundary.six_groups(found.standings)
    hosts = {source.category: source for source in sources}
    rows = _rows(sheet, found, files)
    shown = []
    for group, label in (*GROUPS.items(), ("", BEYOND)):
        inside = tuple(
            _source(
                each,
                hosts.get(each.category),
                rows.get(each.category, []),
                page=page if only else 0,
            )
            for each in found.standings
            if CATEGORIES[each.category].group == group and only in {"", each.category}
        )
        if inside:
            mass_g = boundary.known_g((each.state, each.mass_g) for each in inside)
            shown.append(Group(group, gettext(label), states.get(group, ""), mass_g, inside))
    return shown


def _source(
    standing: Standing, host: HostSource | None, rows: list[Row], *, page: int
) -> SourceRow:
    """Return one source. ``page``: of its rows where it stands alone, 0 beside others."""
    category = CATEGORIES[standing.category]
    start = (page - 1) * SHOWN_ALONE if page else 0
    kept = rows[start : start + (SHOWN_ALONE if page else SHOWN)]
    return SourceRow(
        key=category.key,
        label=gettext(category.label),
        nzce=gettext(NZCE[category.nzce]),
        broad=category.broad,
        state=standing.state,
        state_word=gettext(boundary.STATES[standing.state]),
        reason=standing.reason,
        hint=gettext(host.reason) if host and host.reason else "",
        activity=host.activity if host else "",
        mass_g=standing.mass_g,
        rows=tuple(kept),
        more=max(len(rows) - start - len(kept), 0),
        next_page=page + 1,
        from_guests=category.key in {"attendee_travel", "attendee_lodging"},
    )


def _rows(sheet: Worksheet, found: Computed, files: Mapping[str, Evidence]) -> dict[str, list[Row]]:
    own, theirs = _by_entry(found.inventory.own.lines), _by_entry(found.inventory.guests.lines)
    unproven = set(found.inventory.unproven)
    rows: dict[str, list[Row]] = {}
    for entry in sheet.all_entries():
        lines = own.get(entry.key) or theirs.get(entry.key, [])
        row = _row(entry, lines, files, found.broken.get(entry.key), unproven)
        rows.setdefault(entry.category, []).append(row)
    for row, category in _guest_rows(found.inventory.own.lines):
        rows.setdefault(category, []).append(row)
    return rows


def _by_entry(lines: Iterable[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines:
        if "guests" not in line.details:
            found.setdefault(line.details["entry"], []).append(line)
    return found


def _row(
    entry: Entry,
    lines: Sequence[Line],
    files: Mapping[str, Evidence],
    broken: DiandianError | None,
    unproven: set[str],
) -> Row:
    mass_g = sum(line.mass_g for line in lines) if entry.organiser_pct else 0
    low_g, high_g = factor_range(mass_g, total_doubt(lines))
    kept = files.get(entry.evidence)
    activity = ACTIVITIES.get(entry.activity)
    return Row(
        key=entry.key,
        label=gettext(activity.label) if activity else entry.activity,
        amount=amount_words(entry.amount, entry.unit),
        quality=entry.quality,
        quality_word=gettext(QUALITIES[entry.quality]),
        factor=factor_words([line.value for line in lines], lines[0].unit) if lines else "",
        source=entry.own.source if entry.own else source_words(lines),
        mass_g=mass_g,
        low_g=low_g,
        high_g=high_g,
        evidence=entry.evidence if kept is not None and kept.erased_at is None else "",
        note=entry.note,
        organiser_pct=int(entry.organiser_pct),
        unproven=entry.key in unproven,
        broken=broken,
    )


def source_words(lines: Sequence[Line]) -> str:
    """Return who published the value, when, and for which place."""
    if not lines:
        return ""
    line = lines[0]
    said = (line.source.org, line.source.year, line.factor_region)
    return ", ".join(part for part in said if part)


def _guest_rows(lines: Iterable[Line]) -> list[tuple[Row, str]]:
    together: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        whose = line.details.get("guests", "")
        if whose:
            together.setdefault((line.details["source"], whose), []).append(line)
    return [(_guests(whose, some), category) for (category, whose), some in together.items()]


def _guests(whose: str, lines: Sequence[Line]) -> Row:
    label = ANSWERED if whose == "answered" else MISSING
    mass_g = sum(line.mass_g for line in lines)
    low_g, high_g = factor_range(mass_g, total_doubt(lines))
    facts: dict[str, Any] = dict.fromkeys(("amount", "factor", "source", "evidence", "note"), "")
    return Row(
        key="",
        label=gettext(label),
        quality="estimated",
        quality_word=gettext(QUALITIES["estimated"]),
        mass_g=mass_g,
        low_g=low_g,
        high_g=high_g,
        organiser_pct=_ALL_PCT,
        unproven=False,
        broken=None,
        **facts,
    )
