"""Invented years and diaries, from dice: quick and detailed, in many countries, with gaps."""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from diandian.emissions.activity import Question, is_shown, parse
from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import FactorSet
from diandian.emissions.life import activities, calculator, detailed, diary
from diandian.emissions.life.entries import BASES, units_of
from diandian.emissions.life.parts import TIMES

# The regions that differ: grid rows of provinces, heated north, own rows, stand-ins only.
REGIONS = (
    "CN", "CN-SC", "CN-BJ", "CN-SH", "CN-GD", "CN-XZ", "CN-HL", "CN-XJ", "CN-YN", "HK", "TW",
    "NL", "GB", "FR", "DE", "US", "JP", "SG", "IN", "BR", "KE", "AE",
)  # fmt: skip
MOST = {
    "people": 6, "electricity_kwh": 900, "gas_m3": 150, "home_m2": 240, "cooking_gas_m3": 30,
    "water_m3": 25, "waste_kg": 9, "car_km": 30_000, "car_people": 5, "commute_km": 500,
    "train_km": 9_000, "flights_short": 9, "flights_long": 4, "beef_meals": 6, "meat_meals": 10,
    "coffee_cups": 6, "alcohol_glasses": 14, "clothes": 60, "devices": 4, "large_items": 4,
    "video_hours": 9, "hotel_nights": 40,
}  # fmt: skip
MOST_OF = {"kWh": 6000, "m3": 900, "GJ": 60, "litre": 900, "kg": 300, "km": 20_000, "meal": 400,
           "cup": 900, "item": 12, "hour": 900, "night": 40}  # fmt: skip
FIRST_DAY, DAYS = date(2025, 1, 1), 690
TODAY = date(2026, 11, 22)
LEFT_EMPTY, NOT_KNOWN = 0.2, 0.15


@dataclass(frozen=True)
class Year:
    """A year of one person as the calculator takes it."""

    region: str
    values: dict[str, Any]
    items: list[detailed.Item]

    def estimate(self, factors: FactorSet) -> Estimate:
        return detailed.estimate(self.values, self.items, factors, self.region)


@dataclass(frozen=True)
class Days:
    """A diary."""

    region: str
    entries: list[diary.DiaryEntry]

    def estimate(self, factors: FactorSet) -> Estimate:
        return diary.estimate(self.entries, factors, self.region)


def _number(dice: random.Random, most: int, *, whole: bool) -> str:
    if whole:
        return str(dice.randint(0, most))
    return f"{dice.randint(0, most * 1000) / 1000:.{dice.choice((0, 1, 3))}f}"


def _answer(question: Question, dice: random.Random) -> str:
    if dice.random() < LEFT_EMPTY:
        return ""
    if question.unknown_allowed and dice.random() < NOT_KNOWN:
        return "unknown"
    if question.kind == "choice":
        return dice.choice([choice.value for choice in question.choices])
    typed = _number(dice, MOST[question.key], whole=question.whole)
    return str(max(Decimal(typed), question.minimum))


def values(dice: random.Random, region: str) -> dict[str, Any]:
    """Return the answers of one year; now and then nobody knows anything."""
    raw: dict[str, str] = {}
    said: dict[str, Any] = {}
    knows = dice.random() > 0.05
    for question in calculator.questions(region):
        if knows and is_shown(question, said):
            raw[question.key] = _answer(question, dice)
            said |= parse([question], raw).values
    parsed = calculator.read(region, raw)
    assert not parsed.errors, (region, raw, parsed.errors)
    return parsed.values


def unsure(dice: random.Random, region: str) -> dict[str, Any]:
    """Return the answers of somebody who knows one thing in three, and guesses none."""
    raw = {
        question.key: "unknown"
        for question in calculator.questions(region)
        if question.unknown_allowed and dice.random() < 0.67
    }
    known = {key: str(value) for key, value in values(dice, region).items()}
    return calculator.read(region, known | raw).values


def _entry(dice: random.Random, region: str, factors: FactorSet) -> dict[str, str]:
    """Return what somebody types of one activity."""
    known = dice.choice(activities.activities(calculator.context_of(region), factors))
    unit = dice.choice(units_of(known)) if dice.random() < 0.2 else ""
    most = MOST_OF[known.unit] // (1000 if unit == "MWh" else 1) or 1
    amount = _number(dice, min(most, 5000), whole=known.unit == "item")
    basis = dice.choice(sorted(BASES))
    return {"activity": known.key, "amount": amount, "unit": unit, "basis": basis}


def year(dice: random.Random, factors: FactorSet, *, region: str = "", items: int = -1) -> Year:
    """Return one year. ``items``: how many are entered in detail; -1 for as the dice fall."""
    region = region or dice.choice(REGIONS)
    counted = dice.choice((0, 0, 1, 3, 8)) if items < 0 else items
    periods = sorted(TIMES)
    raw = []
    for _ in range(counted):
        often = {"period": dice.choice(periods), "years": str(dice.choice((1, 1, 3, 7)))}
        if often["period"] == "day":
            often["period"] = "year"
        raw.append(_entry(dice, region, factors) | often)
    parsed = detailed.read_items(region, raw, factors)
    assert not parsed.errors, (region, raw, parsed.errors)
    return Year(region, values(dice, region), parsed.items)


def days(dice: random.Random, factors: FactorSet) -> Days:
    """Return one diary of up to thirty entries."""
    region = dice.choice(REGIONS)
    entries = []
    for _ in range(dice.randint(1, 30)):
        day = FIRST_DAY + timedelta(days=dice.randrange(DAYS))
        raw = _entry(dice, region, factors) | {"day": day.isoformat()}
        if dice.random() < 0.4:
            raw["people"] = str(dice.randint(1, 6))
        parsed = diary.read_entry(region, raw, factors, today=TODAY)
        assert parsed.entry is not None, (region, raw, parsed.errors)
        entries.append(parsed.entry)
    return Days(region, entries)
