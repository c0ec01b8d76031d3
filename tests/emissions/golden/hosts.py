"""Invented inventories of organisers, from dice: entries, measures, and guests who answered."""

import random
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from typing import Any

from diandian.emissions import geo
from diandian.emissions.context import SceneContext
from diandian.emissions.errors import FactorMissingError
from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import FactorSet, factor_set
from diandian.emissions.inventory import compute, measures, travel
from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.activity import known_at
from diandian.emissions.inventory.categories import CATEGORIES
from diandian.emissions.inventory.entries import STATED, Entry, Reader
from diandian.emissions.scene_kind import scene_kind
from diandian.kernel.errors import InputError
from tests.emissions.golden.visits import Visit, visit

SCENES = ("成都", "上海", "北京", "深圳", "拉萨", "香港", "台北", "Amsterdam", "London", "Paris",
          "Berlin", "New York", "Tokyo", "Singapore", "Nairobi", "Dubai")  # fmt: skip
KIND = "conference"
POOL = 24  # guests to choose from at one scene
# What else an amount may be typed in, by the unit of the activity.
ALSO = {"kWh": ("MWh", "MJ"), "GJ": ("MJ", "kWh", "MWh"), "litre": ("us_gallon", "m3"),
        "m3": ("litre",), "kg": ("g", "tonne"), "vehicle-km": ("km", "mile"),
        "passenger-km": ("km",)}  # fmt: skip
MOST = {"kWh": 90_000, "GJ": 900, "m3": 4000, "litre": 3000, "kg": 900, "passenger-km": 60_000,
        "vehicle-km": 9000, "tonne-km": 9000, "room-night": 400, "person-night": 200,
        "meal": 3000, "cup": 4000, "item": 900, "sheet": 20_000, "hour": 5000}  # fmt: skip
EVIDENCE = "e3" * 32
Strata = dict[str, int]


@dataclass(frozen=True)
class Guest:
    """A guest's answers as stored, and what they came to."""

    inputs: dict[str, Any]
    estimate: Estimate


@dataclass(frozen=True)
class Host:
    """One inventory as an organiser entered it. ``guests``: None where nobody was asked."""

    scene: SceneContext
    entries: tuple[Entry, ...]
    guests: tuple[Guest, ...] | None = None
    attendance: Strata = field(default_factory=dict)
    organiser_pct: Decimal = Decimal(100)

    def inventory(self, factors: FactorSet) -> compute.Inventory:
        """Return the inventory."""
        more = {"non_co2": self.scene.non_co2}
        if self.guests is None:
            return compute.estimate(self.entries, factors, self.scene.region, **more)
        place = {"city_key": self.scene.city_key, "country": self.scene.country}
        found = travel.extrapolate(
            [travel.answer(guest.estimate, **place) for guest in self.guests],
            tuple(travel.STRATA),
            self.attendance,
            factors=factors,
            organiser_pct=self.organiser_pct,
        )
        return compute.estimate(self.entries, factors, self.scene.region, guests=found, **more)


@cache
def _scene(name: str, *, non_co2: bool) -> SceneContext:
    city = geo.resolve_place(name)
    return SceneContext(city.key, city.region, city.country, non_co2=non_co2)


@cache
def _pool(scene: SceneContext, edition: str) -> tuple[Guest, ...]:
    """Return guests of a scene, the same for the same scene and edition."""
    dice = random.Random(f"guests {scene.city_key} {scene.non_co2} {edition}")
    found: list[Guest] = []
    while len(found) < POOL:
        one = replace_scene(visit(dice, KIND, rough=dice.random() < 0.3), scene, dice)
        try:
            estimate = scene_kind(KIND).compute(scene, one.values(), factor_set(edition))
        except (InputError, FactorMissingError):
            continue  # an impossible journey
        found.append(Guest(estimate.inputs, estimate))
    return tuple(found)


def replace_scene(one: Visit, scene: SceneContext, dice: random.Random) -> Visit:
    """Return a visit at another scene; some of its guests live there."""
    raw = {key: text for key, text in one.raw.items() if key != "meal_kind"}
    if dice.random() < 0.25:
        raw["from"] = scene.city_key
    return Visit(one.kind, scene, raw)


@cache
def _counted(region: str, edition: str) -> tuple[str, ...]:
    factors = factor_set(edition)
    return tuple(key for key, each in ACTIVITIES.items() if known_at(each, factors, region))


def raw_entry(dice: random.Random, activity: str) -> dict[str, str]:
    """Return what an organiser types in a row of the table."""
    known = ACTIVITIES[activity]
    unit = dice.choice(ALSO.get(known.unit, ("",))) if dice.random() < 0.25 else ""
    most = MOST[known.unit] if activity[:2] != "r4" else 40
    raw = {
        "activity": activity,
        "category": dice.choice(known.categories),
        "amount": f"{dice.randint(0, most * 1000) / 1000:.{dice.choice((0, 1, 4))}f}",
        "unit": unit,
        "quality": dice.choice(STATED),
        "share_pct": dice.choice(("", "", "50", "12.5", "33.3")),
        "uses": dice.choice(("", "", "3", "7")) if "goods" in known.categories else "",
        "owner": dice.choice(("", "", "organiser", "guest", "split 40")),
        "evidence": EVIDENCE if dice.random() < 0.3 else "",
    }
    if dice.random() < 0.1:
        raw |= {"own_value": f"{dice.randint(1, 9000) / 1000:.3f}", "own_source": "supplier"}
        raw["own_doubt_pct"] = dice.choice(("", "8", "25"))
    return raw


def _entries(dice: random.Random, region: str, edition: str) -> list[Entry]:
    reader = Reader(factor_set(edition), region)
    counted = _counted(region, edition)
    found: list[Entry] = []
    for number in range(dice.randint(1, 16)):
        read = reader.read(raw_entry(dice, dice.choice(counted)), f"e{number}")
        assert read.entry is not None, (region, read.errors)
        entry = read.entry
        found.append(replace(entry, quality="default") if dice.random() < 0.08 else entry)
    return found


def _measured(dice: random.Random, entries: list[Entry], region: str, edition: str) -> list[Entry]:
    """Return the entries with some of the measures taken that are proposed, one unconfirmed."""
    taken = []
    for number, proposed in enumerate(measures.suggestions(entries, factor_set(edition), region)):
        done = replace(
            proposed.expected, amount=proposed.expected.amount * dice.randint(60, 110) / 100
        )
        measure = proposed
        if number % 2 == 0 and done.key not in {each.before.key for each in taken}:
            measure = measures.confirm(proposed, done, EVIDENCE)
        taken.append(measure)
    return list(measures.applied(entries, taken))


def _attendance(dice: random.Random, guests: tuple[Guest, ...], scene: SceneContext) -> Strata:
    """Return people by stratum; some strata are full, some have many who did not answer."""
    place = {"city_key": scene.city_key, "country": scene.country}
    sample = [travel.answer(guest.estimate, **place) for guest in guests]
    if dice.random() < 0.25:
        return travel.attendance_from_total(len(sample) + dice.randint(0, 300), sample)
    counted = {key: sum(item.stratum == key for item in sample) for key in travel.STRATA}
    return {
        key: answers + dice.choice((0, 1, 7, 60, 400))
        for key, answers in counted.items()
        if dice.random() < 0.85
    }


def host(dice: random.Random, edition: str) -> Host:
    """Return one inventory."""
    scene = _scene(dice.choice(SCENES), non_co2=dice.random() < 0.9)
    entries = _entries(dice, scene.region, edition)
    if dice.random() < 0.4:
        entries = _measured(dice, entries, scene.region, edition)
    if dice.random() < 0.3:
        return Host(scene, tuple(entries))
    few = dice.choice((0, 3, 6, 12, 30))
    guests = tuple(dice.choice(_pool(scene, edition)) for _ in range(few))
    attendance = _attendance(dice, guests, scene)
    part = Decimal(dice.choice(("100", "100", "0", "60", "33.3")))
    return Host(scene, tuple(entries), guests, attendance, part)


def sources_of(host_of: Host) -> set[str]:
    """Return the groups of the 2019 guideline that the entries belong to."""
    return {CATEGORIES[entry.category].group for entry in host_of.entries}
