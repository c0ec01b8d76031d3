"""Guests' travel and nights: their own answers, and an extrapolation for those who gave none.

Answers are added up by factor row, so that nobody's journey can be read from the inventory and the
doubts of shared factors still move together. For the others, by stratum: the mean of the answers
times the missing people.

- A stratum needs five answers of its own. With fewer it borrows the answers of the next farther
  one, then of the nearer ones; but where its own few answers are larger, they are taken, so that
  borrowing never makes a total smaller. With fewer than five in all nothing is extrapolated: the
  people are reported as uncounted, which is not zero.
- Their doubt is 60 %, since who does not answer may travel otherwise, widened by the error of the
  sample (Student's t at 95 %). All extrapolated lines move together.

*Source:* methodology, sections 5, 10.5 and 11; the rules for few answers are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from diandian.emissions.activity import UNKNOWN
from diandian.emissions.blocks.bands import BANDS
from diandian.emissions.geo import place
from diandian.emissions.inventory.entries import ALL_PCT
from diandian.emissions.inventory.errors import AttendanceError, EntryBrokenError
from diandian.emissions.inventory.guest_sums import (
    ANSWERED,
    MISSING,
    Sums,
    answered_lines,
    name_activities,
    scaled_lines,
)
from diandian.emissions.lines import M1, ZERO
from diandian.emissions.pinned import unpin
from diandian.emissions.uncertainty import DEFAULT
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from diandian.emissions.estimate import Estimate
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.lines import Line

FEWEST = 5
NEAREST = "band:under_50"
STRATA = {
    "same_city": N_("From the same city"),
    "same_country": N_("From the same country"),
    "abroad": N_("From elsewhere"),
}
STATES = {
    "complete": N_("Everybody answered."),
    "extrapolated": N_("The mean of the answers stands for those who did not answer."),
    "too_few": N_("Too few answers to say anything about the others; they are not counted."),
}
# Student's t, 95 % two-sided, by degrees of freedom; between two rows the larger value is taken.
_T = {
    1: "12.706", 2: "4.303", 3: "3.182", 4: "2.776", 5: "2.571", 6: "2.447", 7: "2.365",
    8: "2.306", 9: "2.262", 10: "2.228", 12: "2.179", 15: "2.131", 20: "2.086", 25: "2.060",
    30: "2.042", 40: "2.021", 60: "2.000", 120: "1.980", 1000: "1.962",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GuestAnswer:
    """What one guest answered: where from, and the lines of travel, nights and local transport.

    ``organiser_pct``: the organiser's part of this visit, fixed when it was saved; None where the
    scene's own part holds, which is that of everybody who did not answer.
    """

    stratum: str
    lines: tuple[Line, ...]
    organiser_pct: Decimal | None = None

    def part(self, usual: Decimal) -> Decimal:
        """Return the organiser's part of this visit in per cent."""
        return usual if self.organiser_pct is None else self.organiser_pct


@dataclass(frozen=True, slots=True)
class Stratum:
    """How one stratum was counted.

    ``borrowed``: strata whose answers stand in. ``mean_g``: grams per person taken for the missing.
    ``sampling_pct``: error of the sample; ``doubt_pct``: with the 60 % of not knowing; text.
    """

    key: str
    people: int
    answers: int
    missing: int
    state: str
    borrowed: tuple[str, ...] = ()
    mean_g: int = 0
    sampling_pct: str = "0.0"
    doubt_pct: str = "0.0"


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """Lines of the organiser's part and of the guests' part, and how they came about."""

    own: tuple[Line, ...]
    others: tuple[Line, ...]
    strata: tuple[Stratum, ...] = field(default=())

    @property
    def uncounted_people(self) -> int:
        """Return how many people are neither answered for nor extrapolated."""
        return sum(s.missing for s in self.strata if s.state == "too_few")

    def to_json(self) -> list[dict[str, Any]]:
        """Return how each stratum was counted; no answers."""
        return [
            {name: getattr(stratum, name) for name in Stratum.__slots__}
            | {"borrowed": list(stratum.borrowed)}
            for stratum in self.strata
        ]


def answer(
    estimate: Estimate, *, city_key: str, country: str, organiser_pct: Decimal | None = None
) -> GuestAnswer:
    """Return what a guest's estimate says about travel and nights.

    ``city_key``, ``country``: of the scene. ``organiser_pct``: see ``GuestAnswer``. An estimate
    without its answers (erased), or whose guest did not say from where, counts as from the same
    country.
    """
    origin = str(estimate.inputs.get("answers", {}).get("from", ""))
    stratum = "same_country"
    if origin in {city_key, NEAREST}:
        stratum = "same_city"
    elif origin in BANDS:
        stratum = "abroad" if BANDS[origin].abroad else stratum
    elif origin and origin != UNKNOWN:
        carried = estimate.inputs.get("places", {})
        spot = unpin(origin, carried[origin]) if origin in carried else place(origin)
        stratum = stratum if spot.country == country else "abroad"
    return GuestAnswer(stratum, estimate.lines, organiser_pct)


def attendance_from_total(
    people: int, sample: Sequence[GuestAnswer], strata: Sequence[str] = tuple(STRATA)
) -> dict[str, int]:
    """Return people per stratum where only their number is known: as the answers are spread.

    Largest remainders get what rounding leaves. Raises: AttendanceError.
    """
    counts = {key: sum(item.stratum == key for item in sample) for key in strata}
    answers = sum(counts.values())
    if people < answers:
        raise AttendanceError(field="people", answers=answers, people=people)
    if not answers:
        return {key: people if key == strata[0] else 0 for key in strata}
    shares = {key: divmod(people * count, answers) for key, count in counts.items()}
    result = {key: whole for key, (whole, _) in shares.items()}
    rest = people - sum(result.values())
    for key in sorted(strata, key=lambda key: -shares[key][1])[:rest]:
        result[key] += 1
    return result


def extrapolate(
    sample: Sequence[GuestAnswer],
    strata: Sequence[str],
    attendance: Mapping[str, int],
    *,
    factors: FactorSet,
    organiser_pct: Decimal = ALL_PCT,
) -> Extrapolation:
    """Return the travel and nights of everybody who came.

    ``strata``: near to far. ``attendance``: people per stratum; one left out had nobody but those
    who answered. ``factors``: the scene's edition, for the words of the rows. ``organiser_pct``:
    the organiser's part of guests' travel, 100 all, 0 none, where an answer has none of its own;
    the guests' part is theirs to the gram, as each was shown it.
    Raises: AttendanceError; EntryBrokenError on an answer of an unknown stratum.
    """
    by_key: dict[str, list[GuestAnswer]] = {key: [] for key in strata}
    for item in sample:
        if item.stratum not in by_key:
            raise EntryBrokenError(key=item.stratum, why="no such stratum")
        by_key[item.stratum].append(item)
    answered = Sums()
    for item in sample:
        answered.add(item.lines, item.part(organiser_pct))
    own, others = answered_lines(answered, ANSWERED)
    results = []
    for key in strata:
        people = attendance.get(key, len(by_key[key]))
        if people < len(by_key[key]):
            given = {"answers": len(by_key[key]), "people": people}
            raise AttendanceError(field=key, **given)
        stratum, used = _stratum(key, people, by_key)
        results.append(stratum)
        if stratum.state != "extrapolated":
            continue
        sums = Sums.of((line for item in used for line in item.lines), organiser_pct)
        more, more_others = scaled_lines(
            sums,
            MISSING,
            stratum=key,
            scale=M1.divide(Decimal(stratum.missing), Decimal(len(used))),
            doubt=Decimal(stratum.doubt_pct),
        )
        own += more
        others += more_others
    return Extrapolation(
        own=tuple(name_activities(own, factors)),
        others=tuple(name_activities(others, factors)),
        strata=tuple(results),
    )


def _stratum(
    key: str, people: int, by_key: Mapping[str, list[GuestAnswer]]
) -> tuple[Stratum, list[GuestAnswer]]:
    mine = by_key[key]
    missing = people - len(mine)
    if not missing:
        return Stratum(key, people, len(mine), 0, "complete"), mine
    used, borrowed = _enough(key, by_key)
    if len(used) < FEWEST:
        return Stratum(key, people, len(mine), missing, "too_few"), []
    grams = [_grams(item) for item in used]
    spread = _relative_spread(grams)
    if borrowed and mine:
        few = [_grams(item) for item in mine]
        if sum(few) * len(grams) > sum(grams) * len(few):
            # Their own answers are larger: borrowing must not make the total smaller.
            used, grams, borrowed = mine, few, ()
            spread = max(spread, _relative_spread(few))
    sampling = _sampling_pct(len(grams), missing, spread)
    doubt = (DEFAULT * DEFAULT + sampling * sampling).sqrt(M1)
    mean = M1.divide(Decimal(sum(grams)), Decimal(len(grams)))
    stratum = Stratum(
        key,
        people,
        len(mine),
        missing,
        "extrapolated",
        borrowed,
        int(mean.quantize(Decimal(1), ROUND_HALF_UP)),
        f"{sampling:.1f}",
        f"{doubt:.1f}",
    )
    return stratum, used


def _enough(
    key: str, by_key: Mapping[str, list[GuestAnswer]]
) -> tuple[list[GuestAnswer], tuple[str, ...]]:
    """Return at least FEWEST answers if there are, own ones first, and whose the others are."""
    order = list(by_key)
    here = order.index(key)
    used, borrowed = list(by_key[key]), []
    for other in (*order[here + 1 :], *reversed(order[:here])):
        if len(used) >= FEWEST:
            break
        if by_key[other]:
            used += by_key[other]
            borrowed.append(other)
    return used, tuple(borrowed)


def _grams(item: GuestAnswer) -> int:
    return sum(line.mass_g for line in item.lines if Sums.counts(line))


def _relative_spread(grams: Iterable[int]) -> Decimal:
    """Return the standard deviation over the mean; 0 where there is no mean."""
    values = [Decimal(mass) for mass in grams]
    mean = sum(values, ZERO) / len(values)
    if not mean or len(values) < 2:  # noqa: PLR2004 - one value has no spread
        return ZERO
    squares = sum(((value - mean) ** 2 for value in values), ZERO)
    return (squares / (len(values) - 1)).sqrt(M1) / mean


def _sampling_pct(answers: int, missing: int, spread: Decimal) -> Decimal:
    """Return the 95 % half-width of the sum of the missing, in per cent of it."""
    freedom = max(answers - 1, 1)
    t = Decimal(_T[max(row for row in _T if row <= freedom)])
    part = (Decimal(1) / answers + Decimal(1) / missing).sqrt(M1)
    return t * spread * part * 100
