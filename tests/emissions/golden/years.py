"""Invented years, diaries and inventories, from dice: what m1's corpus did not have."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from diandian.emissions.activity import is_shown
from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import FactorSet
from diandian.emissions.inventory import compute
from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.activity import known_at
from diandian.emissions.inventory.entries import QUALITY_PCT, Entry, OwnValue
from diandian.emissions.life import calculator, detailed, diary
from diandian.emissions.life.activities import activities
from diandian.emissions.life.entries import BASES
from diandian.emissions.life.entries import Entry as Done

REGIONS = ("CN-SC", "CN-XZ", "NL", "US", "FR")
FIRST_DAY = date(2026, 1, 1)


def _answers(dice: random.Random, region: str) -> dict[str, object]:
    raw: dict[str, str] = {}
    for question in calculator.questions(region):
        if question.shown_when and not is_shown(question, calculator.read(region, raw).values):
            continue
        offered = [choice.value for choice in question.choices]
        if question.kind == "number":
            offered = [str(dice.randint(int(question.minimum), min(int(question.maximum), 60)))]
        if dice.random() < 0.8:
            raw[question.key] = dice.choice([*offered, "unknown"])
    parsed = calculator.read(region, raw)
    assert not parsed.errors, (region, raw)
    return dict(parsed.values)


def _done(dice: random.Random, region: str, factors: FactorSet) -> Iterator[Done]:
    known = activities(calculator.context_of(region), factors)
    for activity in dice.sample(known, dice.randint(1, 6)):
        yield Done(activity.key, Decimal(dice.randint(1, 20_000)) / 100, dice.choice(list(BASES)))


def year(dice: random.Random, factors: FactorSet) -> Estimate:
    """Return a year from quick answers, every other one with things entered in detail."""
    region = dice.choice(REGIONS)
    values = _answers(dice, region)
    items = [detailed.Item(done) for done in _done(dice, region, factors)]
    return detailed.estimate(values, items if dice.random() < 0.5 else [], factors, region)


def days(dice: random.Random, factors: FactorSet) -> Estimate:
    """Return a diary as one estimate."""
    region = dice.choice(REGIONS)
    noted = [
        diary.DiaryEntry(FIRST_DAY + timedelta(days=dice.randint(0, 300)), done)
        for done in _done(dice, region, factors)
    ]
    return diary.estimate(noted, factors, region)


def inventory(dice: random.Random, factors: FactorSet) -> Estimate:
    """Return the organiser's part of an inventory."""
    known = sorted(key for key in ACTIVITIES if known_at(ACTIVITIES[key], factors, "CN-SC"))
    entries = []
    for number, key in enumerate(dice.sample(known, dice.randint(1, 8))):
        own = OwnValue(Decimal("0.05"), f"supplier {number}", Decimal(dice.choice([5, 20, 75])))
        entries.append(
            Entry(
                f"e{number}",
                key,
                ACTIVITIES[key].categories[0],
                Decimal(dice.randint(0, 10**6)) / 100,
                ACTIVITIES[key].unit,
                dice.choice(sorted(QUALITY_PCT)),
                organiser_pct=Decimal(dice.choice([100, 100, 50])),
                own=own if dice.random() < 0.2 else None,
            )
        )
    return compute.estimate(entries, factors, "CN-SC", non_co2=dice.random() < 0.9).own
