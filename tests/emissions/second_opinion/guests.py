"""Guests' travel and nights in an inventory: section 10, rule 5, and the rules it leaves open.

Grams of those who answered are those that each was shown; of a split the guest keeps the part that
is printed for them. Sums are by factor row. Within a sum one default is one error and one detour is
one error, while what people say errs for each alone. A stratum needs five answers, else it borrows
those of the next farther stratum, then of nearer ones, unless its own few are larger; with fewer
than five in all nobody is guessed. Who did not answer: the mean, doubtful by 60 % and by the error
of the sample (Student's t), all of them together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import floor
from typing import Any

from tests.emissions.second_opinion.arithmetic import HALF, Part, digits, root
from tests.emissions.second_opinion.data import Factors, spot
from tests.emissions.second_opinion.travel import ROUGH, Case, travel
from tests.emissions.second_opinion.visits import _local, _stay

STRATA = ("same_city", "same_country", "abroad")
FEWEST = 5
NONE, ONE = Fraction(0), Fraction(1)
SOURCE = {"travel": "attendee_travel", "local": "local_transport", "stay": "attendee_lodging"}
STUDENT = {1: "12.706", 2: "4.303", 3: "3.182", 4: "2.776", 5: "2.571", 6: "2.447", 7: "2.365",
           8: "2.306", 9: "2.262", 10: "2.228", 12: "2.179", 15: "2.131", 20: "2.086",
           25: "2.060", 30: "2.042", 40: "2.021", 60: "2.000", 120: "1.980",
           1000: "1.962"}  # fmt: skip


@dataclass(frozen=True)
class Counted(Part):
    """A line whose grams are added up and not multiplied."""

    fixed: int = 0
    fixed_without: int = 0

    @property
    def grams(self) -> int:
        return self.fixed

    @property
    def grams_without(self) -> int:
        return self.fixed_without


@dataclass
class Sum:
    """Lines of one row added up."""

    part: Part
    broad: str
    amount: Fraction = NONE
    grams: int = 0
    without: int = 0
    defaults: Fraction = NONE
    alone: Fraction = NONE
    far: Fraction = NONE


@dataclass(frozen=True)
class Answer:
    """Lines of one guest with their category, and whether an average stands in."""

    stratum: str
    lines: list[tuple[str, Part, bool]] = field(default_factory=list)

    @property
    def grams(self) -> int:
        return sum(part.grams for _, part, _ in self.lines)


def _answer(inputs: dict[str, Any], city: str, country: str, factors: Factors) -> Answer:
    said = inputs["answers"]
    where = (inputs["city"], inputs["country"], inputs["region"])
    case = Case(said, *where, inputs["non_co2"], factors)
    lines = [("travel", part, _assumed(case, part)) for part in travel(case)]
    lines += [("stay", part, not case.said("stay")) for part in _stay(case)]
    lines += [("local", part, "local_km" not in said) for part in _local(case)]
    return Answer(_stratum(str(said.get("from", "")), city, country), lines)


def _assumed(case: Case, part: Part) -> bool:
    mode = case.answers.get("mode", "unknown")
    if case.at_home:
        return not (mode == "car" and "car_km" in case.answers)
    return mode == "unknown" or part.key.startswith("travel.ground.")


def _stratum(origin: str, city: str, country: str) -> str:
    if origin in {city, "band:under_50"}:
        return "same_city"
    if origin in ROUGH:
        return "abroad" if ROUGH[origin][2] else "same_country"
    if origin in {"", "unknown"} or spot(origin).country == country:
        return "same_country"
    return "abroad"


def _sums(lines: Iterable[tuple[str, Part, bool]], pct: Fraction, *, others: bool) -> list[Sum]:
    found: dict[object, Sum] = {}
    rest = 1 - digits(pct / 100)
    if (others and not rest) or (not others and rest == 1):
        return []
    for broad, part, assumed in lines:
        amount = digits(part.amount * digits(part.share))
        guests = without = 0
        if rest:
            guests = floor(digits(digits(amount * part.row.value) * rest) * 1000 + HALF)
            without = floor(digits(part.grams_without * rest) + HALF)
        mine = guests if others else part.grams - guests
        same = (broad, part.row.name, part.row.value, part.row.doubt, part.row.how)
        one = found.setdefault(same, Sum(part, broad))
        one.amount = digits(one.amount + digits(amount * (rest if others else 1 - rest)))
        one.grams += mine
        one.without += without if others else part.grams_without - without
        if assumed:
            one.defaults += mine * part.activity
        else:
            one.alone += (mine * part.activity) ** 2
        one.far += mine * part.distance
    return list(found.values())


def _thousandth(number: Fraction) -> Fraction:
    return Fraction(floor(number * 1000 + HALF), 1000)


def _tenth(number: Fraction) -> Fraction:
    exact = Decimal(number.numerator) / Decimal(number.denominator)
    return Fraction(exact.quantize(Decimal("0.1"), ROUND_HALF_EVEN))


class Guests:
    """Everybody who came to a scene, as far as answers tell."""

    def __init__(
        self, inputs: list[dict[str, Any]], city: str, country: str, factors: Factors
    ) -> None:
        self.answers = [_answer(each, city, country, factors) for each in inputs]
        self.by_stratum: dict[str, list[Answer]] = {key: [] for key in STRATA}
        for answer in self.answers:
            self.by_stratum[answer.stratum].append(answer)

    def parts(self, attendance: dict[str, int], pct: Fraction, *, others: bool) -> list[Part]:
        """Return the lines of the organiser's part, or of the guests' own."""
        lines = [line for answer in self.answers for line in answer.lines]
        parts = [
            self._answered(one, f"answered.{number}")
            for number, one in enumerate(_sums(lines, pct, others=others))
        ]
        for stratum in STRATA:
            parts += self._silent(stratum, attendance, pct, others=others)
        return parts

    def _answered(self, one: Sum, tail: str) -> Part:
        activity = far = NONE
        if one.grams:
            activity = _thousandth(root(one.defaults**2 + one.alone) / one.grams)
            far = _thousandth(one.far / one.grams)
        return Counted(f"{SOURCE[one.broad]}.{tail}", one.part.row, one.amount, ONE, activity, far,
                       fixed=one.grams, fixed_without=min(one.grams, one.without))  # fmt: skip

    def _silent(
        self, stratum: str, attendance: dict[str, int], pct: Fraction, *, others: bool
    ) -> Iterator[Part]:
        mine = self.by_stratum[stratum]
        missing = attendance.get(stratum, len(mine)) - len(mine)
        used, spread = self._standing_in(stratum)
        if not missing or not used:
            return
        freedom = max(len(used) - 1, 1)
        t = Fraction(STUDENT[max(row for row in STUDENT if row <= freedom)])
        sampling = t * spread * root(Fraction(1, len(used)) + Fraction(1, missing)) * 100
        doubt, scale = _tenth(root(60**2 + sampling**2)), digits(Fraction(missing, len(used)))
        lines = [line for answer in used for line in answer.lines]
        for number, one in enumerate(_sums(lines, pct, others=others)):
            amount = _thousandth(digits(one.amount * scale))
            grams = floor(digits(amount * one.part.row.value) * 1000 + HALF)
            without = floor(digits(one.without * scale) + HALF)
            yield Counted(f"{SOURCE[one.broad]}.{stratum}.{number}", one.part.row, amount, ONE,
                          doubt, NONE, together="guests.extrapolated",
                          fixed=grams, fixed_without=min(grams, without))  # fmt: skip

    def _standing_in(self, stratum: str) -> tuple[list[Answer], Fraction]:
        """Return the answers whose mean is taken, none where they are too few, and their spread."""
        mine = self.by_stratum[stratum]
        here = STRATA.index(stratum)
        used = list(mine)
        for other in (*STRATA[here + 1 :], *reversed(STRATA[:here])):
            if len(used) < FEWEST:
                used += self.by_stratum[other]
        if len(used) < FEWEST:
            return [], NONE
        spread = _spread(used)
        if 0 < len(mine) < len(used) and _mean(mine) > _mean(used):
            return mine, max(spread, _spread(mine))
        return used, spread


def _mean(answers: list[Answer]) -> Fraction:
    return Fraction(sum(answer.grams for answer in answers), len(answers))


def _spread(answers: list[Answer]) -> Fraction:
    """Return the standard deviation over the mean."""
    mean = _mean(answers)
    if not mean or len(answers) == 1:
        return NONE
    square = sum((answer.grams - mean) ** 2 for answer in answers) / (len(answers) - 1)
    return root(square) / mean
