"""Which sources a kind of scene has on the organiser's side, and which of them are still open.

A source is counted, zero with a reason, left out with a reason, or missing; nothing is zero
because nobody filled it in. What is left out is listed, each under 1 % and all under 5 %.
*Source:* methodology, section 7; annex 1 of China's 2019 guideline (market note B1-08).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from diandian.emissions.inventory.categories import CATEGORIES, GROUPS
from diandian.emissions.inventory.entries import Entry
from diandian.emissions.lines import ZERO
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

ASK = N_("Read it from the meter or the bill; without one we ask and do not guess.")
NO_AVERAGE = N_("There is no published average; please weigh or count it.")
FROM_GUESTS = N_("From the guests' own answers, extrapolated for those who gave none.")
ONLY_TOPPED_UP = N_("Only the gas that was topped up; zero when nothing was.")
State = Literal["counted", "zero", "left_out", "missing"]
STATES = {
    "counted": N_("Counted"),
    "zero": N_("Zero, for the reason given"),
    "left_out": N_("Left out, for the reason given"),
    "missing": N_("Still missing"),
}
ONE_LIMIT_PCT, ALL_LIMIT_PCT = 1, 5
LEFT_OUT_TOO_LARGE = N_("A source of one per cent or more of the total may not be left out.")
ALL_TOO_LARGE = N_("The sources left out come to five per cent or more of the total.")


@dataclass(frozen=True, slots=True)
class HostSource:
    """One source within a kind's boundary.

    ``activity``: what the form offers first. ``reason``: message id of why there is this default,
    or none. ``per``, ``amount``: the default for each person and day, where there is one.
    ``china``: the activity of the default in mainland China, where it differs.
    """

    category: str
    activity: str
    reason: str
    per: Literal["", "person_day"] = ""
    amount: Decimal = ZERO
    china: str = ""


@dataclass(frozen=True, slots=True)
class Declared:
    """What the organiser says about a source without entries.

    ``reason``: free text, obligatory. ``expected_g``: of a source left out.
    """

    category: str
    state: Literal["zero", "left_out"]
    reason: str
    expected_g: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one source stands."""

    category: str
    state: State
    mass_g: int
    reason: str = ""


def defaults(
    sources: Iterable[HostSource], *, people: int, days: int, country: str
) -> tuple[Entry, ...]:
    """Return entries for sources with a published default, each 60 % uncertain until replaced."""
    return tuple(
        Entry(
            key=f"default.{source.category}",
            activity=(source.china if country == "CN" and source.china else source.activity),
            category=source.category,
            amount=source.amount * people * days,
            unit="meal",
            quality="default",
        )
        for source in sources
        if source.per == "person_day"
    )


def standings(
    sources: Iterable[HostSource],
    by_category: Mapping[str, int],
    entered: Iterable[str],
    declared: Iterable[Declared] = (),
) -> tuple[Standing, ...]:
    """Return the state of every source of the boundary, and of others that were entered.

    ``by_category``: ``Inventory.by_category()``. ``entered``: categories that have an entry, even
    one of zero grams.
    """
    said = {item.category: item for item in declared if item.reason.strip()}
    have = set(entered)
    wanted = [source.category for source in sources]
    more = [key for key in CATEGORIES if key in have and key not in wanted]
    found = []
    for key in (*wanted, *more):
        mass_g = by_category.get(key, 0)
        if key in have or mass_g:
            found.append(Standing(key, "counted", mass_g))
        elif key in said:
            found.append(Standing(key, said[key].state, 0, said[key].reason))
        else:
            found.append(Standing(key, "missing", 0))
    return tuple(found)


def known_g(sources: Iterable[tuple[str, int]]) -> int | None:
    """Return the grams of some sources together, None where no source says anything.

    ``sources``: state and grams of each. What is missing is no zero: it has no figure.
    """
    known = [mass_g for state, mass_g in sources if state in {"counted", "zero"}]
    return sum(known) if known else None


def six_groups(found: Iterable[Standing]) -> dict[str, str]:
    """Return the state of each group of the 2019 guideline, "outside" where no source is in it.

    A group with a missing source is missing, however much of it is counted.
    """
    states: dict[str, set[str]] = {key: set() for key in GROUPS}
    for standing in found:
        group = CATEGORIES[standing.category].group
        if group:
            states[group].add(standing.state)
    order = ("missing", "counted", "left_out", "zero")
    return {
        group: next((state for state in order if state in have), "outside")
        for group, have in states.items()
    }


def cut_off_problems(total_g: int, declared: Sequence[Declared]) -> dict[str, str]:
    """Return what breaks the cut-off rule: message ids by category, "" for all together."""
    out = [item for item in declared if item.state == "left_out"]
    whole = total_g + sum(item.expected_g for item in out)
    problems = {
        item.category: LEFT_OUT_TOO_LARGE
        for item in out
        if item.expected_g * 100 >= ONE_LIMIT_PCT * whole
    }
    if out and sum(item.expected_g for item in out) * 100 >= ALL_LIMIT_PCT * whole:
        problems[""] = ALL_TOO_LARGE
    return problems
