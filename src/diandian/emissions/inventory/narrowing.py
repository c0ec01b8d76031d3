"""What would narrow an interval most: each entry's part of the variance, and U if it were measured.

Two things can be done about an entry: meter the amount, or ask the supplier for a value of its
own. Both are tried in turn against the same sums that make the interval, so that what moves
together is counted together. Nothing is promised: a better number may also be a larger one.
*Source:* methodology, section 11; market note M5.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from diandian.emissions.uncertainty import CITY_PAIR, TICKET, ZERO, Variance
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diandian.emissions.lines import Line

TENTH = Decimal("0.1")
ADVICE = {
    "amount": N_("Measure the amount, or take it from an invoice."),
    "factor": N_("Find a value measured for this very thing, such as the supplier's own."),
    "answers": N_("Ask more guests for their answers."),
}
_POSSIBLE: dict[str, tuple[Literal["amount", "factor", "answers"], ...]] = {
    "": ("amount", "factor"),
    "answered": ("factor",),
    "extrapolated": ("answers",),
}
_LABELS = {"extrapolated": N_("Guests who did not answer")}


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One thing to do.

    ``key``: the entry's. ``label``: message id of what it is, for the parameters of ``line``.
    ``advice``: a key of ADVICE. ``variance_pct``: the part of the variance that this doubt makes.
    ``doubt_pct``: U of the total once it is done. Both per cent, as text with one decimal.
    """

    key: str
    label: str
    line: Line
    advice: Literal["amount", "factor", "answers"]
    variance_pct: str
    doubt_pct: str


def ranked(lines: Iterable[Line]) -> tuple[Narrowing, ...]:
    """Return what could be done, the most useful first; nothing that would change nothing."""
    kept = tuple(lines)
    sums = Variance.of(kept)
    whole = sums.total()
    if not whole:
        return ()
    found = []
    for key, own in _by_entry(kept).items():
        whose = own[0].details.get("guests", "")
        label = _LABELS.get(whose, own[0].label)
        for advice in _POSSIBLE[whose]:
            floor = CITY_PAIR if advice == "answers" else TICKET
            part, saved = _factor(own, sums) if advice == "factor" else _amount(own, sums, floor)
            if saved > 0:
                left = (whole - saved).max(ZERO).sqrt() / sums.mass_g
                found.append((left, key, advice, part * 100 / whole, label, own[0]))
    found.sort(key=lambda item: item[:3])
    return tuple(
        Narrowing(key, label, line, advice, _text(share), _text(left))
        for left, key, advice, share, label, line in found
    )


def _by_entry(lines: Sequence[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.details.get("entry") or line.key, []).append(line)
    return found


def _amount(own: Sequence[Line], sums: Variance, floor: Decimal) -> tuple[Decimal, Decimal]:
    """Return the variance that the amounts make, and what knowing them to ``floor`` % saves."""
    saved = part = ZERO
    together: dict[str, tuple[Decimal, Decimal]] = {}
    for line in own:
        mass = line.mass_g
        now, then = line.uncertainty_activity_pct, min(line.uncertainty_activity_pct, floor)
        far = line.uncertainty_distance_pct
        group = line.details.get("moves_with", "")
        if group:
            before, after = together.get(group, (ZERO, ZERO))
            together[group] = (before + mass * now, after + mass * then)
        else:
            part += (mass * now) ** 2
            saved += (mass * now) ** 2 - (mass * then) ** 2
        part += (mass * far) ** 2
        saved += (mass * far) ** 2 - (mass * min(far, floor)) ** 2
    for group, (before, after) in together.items():
        total = sums.together[group]
        part += before * total
        # Once measured its error is its own, and no longer that of the others.
        saved += total**2 - (total - before) ** 2 - after**2
    return part, saved


def _factor(own: Sequence[Line], sums: Variance) -> tuple[Decimal, Decimal]:
    """Return the variance that the factors make, and what a measured value of its own saves."""
    saved = part = ZERO
    rows: dict[tuple[str, str, str], Decimal] = {}
    after = ZERO
    for line in own:
        row = (line.factor_id, line.factor_region, line.factor_set)
        rows[row] = rows.get(row, ZERO) + line.mass_g * line.uncertainty_factor_pct
        after += line.mass_g * min(line.uncertainty_factor_pct, TICKET)
    for row, before in rows.items():
        total = sums.factors[row]
        part += before * total
        saved += total**2 - (total - before) ** 2
    return part, saved - after**2


def _text(number: Decimal) -> str:
    return f"{number.quantize(TENTH)}"
