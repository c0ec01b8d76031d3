"""The pages of ``docs/why``: their tables come from the program, their numbers are all checked."""

import re
from pathlib import Path

from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import factor_set
from diandian.emissions.known_trips import Trip
from diandian.emissions.lines import Line
from diandian.emissions.numbers import plain

FOLDER = Path(__file__).parents[3] / "docs/why"
NOW, OLD = "2026.2", "2024.1"
BLOCK = re.compile(r"(<!-- (lines|old) -->\n).*?(<!-- end -->)", re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*\.\d+(?![\w.]*\d)")


def page(trip: Trip) -> Path:
    """Return the file of a trip."""
    return FOLDER / f"{trip.key}.md"


def kg(mass_g: int) -> str:
    """Return grams as kilograms with three places."""
    return f"{mass_g // 1000:,}.{mass_g % 1000:03d}"


def _row(line: Line) -> str:
    words = line.label % line.params_in("en")
    share = "" if line.share == 1 else f" x {plain(line.share)}"
    return (
        f"| {words} | {plain(line.activity_amount)} {line.unit}{share} | {plain(line.value)} |"
        f" `{line.factor_id}` {line.factor_region}, {line.factor_set} | {kg(line.mass_g)} |"
    )


def _lines(estimate: Estimate) -> str:
    rows = [
        "| line | amount | kg for one | factor | kg |",
        "| --- | --- | --- | --- | --- |",
        *(_row(line) for line in estimate.lines),
        f"| **together** | | | edition {estimate.factor_set_id} | **{kg(estimate.mass_g)}** |",
    ]
    between = (
        f"Likely between {kg(estimate.low_g)} and {kg(estimate.high_g)} kg (doubt"
        f" {estimate.doubt_pct} %); without the effect of flying at height"
        f" {kg(estimate.without_non_co2_g)} kg."
    )
    return "\n".join([*rows, "", between, ""])


def _old(now: Estimate, old: Estimate) -> str:
    before = {line.key: line for line in old.lines}
    moved = [
        f"- {line.label % line.params_in('en')}: {kg(before[line.key].mass_g)} kg, since"
        f" `{line.factor_id}` was {plain(before[line.key].value)}"
        f" ({before[line.key].factor_set}) and is {plain(line.value)} ({line.factor_set})."
        for line in now.lines
        if before[line.key].mass_g != line.mass_g
    ]
    total = f"With edition {OLD} it would be **{kg(old.mass_g)} kg**."
    return "\n".join([total, "", *(moved or ["No line moves: no factor of it differs."]), ""])


def filled(trip: Trip, text: str) -> str:
    """Return a page with its tables as the program has them now."""
    now, old = (trip.estimate(factor_set(edition)) for edition in (NOW, OLD))
    blocks = {"lines": _lines(now), "old": _old(now, old)}
    return BLOCK.sub(lambda found: f"{found[1]}{blocks[found[2]]}{found[3]}", text)


def known_numbers(trip: Trip) -> set[str]:
    """Return every number with a fraction that a page of the trip may state."""
    known: set[str] = set()
    for edition in (NOW, OLD):
        estimate = trip.estimate(factor_set(edition))
        sums = (estimate.mass_g, estimate.low_g, estimate.high_g, estimate.without_non_co2_g)
        known |= {edition, estimate.doubt_pct, *(kg(mass_g) for mass_g in sums)}
        for line in estimate.lines:
            known |= {kg(line.mass_g), kg(line.without_non_co2_g)}
            known |= {plain(each) for each in (line.activity_amount, line.value, line.share)}
            known |= {text for text in line.details.values() if isinstance(text, str)}
    return known
