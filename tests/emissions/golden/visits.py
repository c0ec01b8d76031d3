"""Invented visits of every kind, from dice: the same seed gives the same visits."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from diandian.emissions import geo, geo_table
from diandian.emissions.activity import Question, is_shown, parse
from diandian.emissions.bare_lines import BASES
from diandian.emissions.context import SceneContext
from diandian.emissions.factor_set import FactorSet
from diandian.emissions.scene_kind import scene_kind, scene_kinds

SCENES = (
    "成都", "上海", "北京", "深圳", "拉萨", "九寨沟", "香港", "台北", "Amsterdam", "London",
    "Paris", "Dubai", "Singapore", "New York", "Tokyo", "Nairobi", "Berlin", "São Paulo",
)  # fmt: skip
MOST = {"nights": 9, "meals": 20, "cups": 6, "dishes": 20, "diners": 12, "room_people": 4,
        "occupants": 6, "car_km": 900, "way_km": 60, "local_km": 90}  # fmt: skip
KINDS = tuple(sorted(scene_kinds()))
PLACES_LOOKED_AT = 5000  # the most populous of the table
ABROAD, LEFT_EMPTY = 0.3, 0.25
UNITS = {"kWh": "MWh", "km": "mile", "kg": "g", "litre": "us_gallon", "m3": "litre"}


@dataclass(frozen=True)
class Visit:
    """A scene, and what one guest typed; every field can be read, the whole may be refused."""

    kind: str
    context: SceneContext
    raw: dict[str, str]

    def values(self) -> dict[str, Any]:
        """Return the answers as the calculator takes them."""
        parsed = parse(scene_kind(self.kind).questions(self.context), self.raw)
        assert not parsed.errors, (self, parsed.errors)
        return parsed.values


@cache
def _towns() -> dict[str, list[str]]:
    """Return the keys of towns by country, and of all of them under ""."""
    found: dict[str, list[str]] = {"": []}
    for row in range(PLACES_LOOKED_AT):
        town = geo_table.table().place_at(row)
        if town.kind != "airport":
            found.setdefault(town.country, []).append(town.key)
            found[""].append(town.key)
    return found


def _scene(dice: random.Random) -> SceneContext:
    city = geo.resolve_place(dice.choice(SCENES))
    return SceneContext(city.key, city.region, city.country, non_co2=dice.random() < 0.9)


def _place(dice: random.Random, context: SceneContext) -> str:
    country = "" if dice.random() < ABROAD else context.country
    if dice.random() < 0.02:
        return context.city_key
    return dice.choice(_towns().get(country) or _towns()[""])


def _answer(question: Question, dice: random.Random, context: SceneContext, *, rough: bool) -> str:
    offered = [choice.value for choice in question.choices]
    if rough and question.key == "from":
        return dice.choice(offered)
    if question.kind == "flag":
        return "on" if dice.random() < 0.1 else ""
    if question.kind == "place":
        return "" if question.fine_tune and dice.random() < 0.85 else _place(dice, context)
    optional = question.default is not None or question.fine_tune
    if optional and dice.random() < LEFT_EMPTY:
        return ""
    if question.kind == "choice":
        return dice.choice([*offered, *(["unknown"] if question.unknown_allowed else [])])
    return _number(question, dice)


def _number(question: Question, dice: random.Random) -> str:
    if question.unknown_allowed and dice.random() < 0.1:
        return "unknown"
    if not question.whole and question.unit == "kg":
        return f"{dice.randint(0, 4000) / 1000:.3f}"
    most = MOST.get(question.key, 50)
    if question.whole:
        return str(dice.randint(int(question.minimum), most))
    return f"{dice.randint(0, most * 1000) / 1000:.3f}"


def visit(dice: random.Random, kind: str = "", *, rough: bool = False) -> Visit:
    """Return one visit. ``rough``: from a rough distance instead of a city, where one is asked."""
    kind = kind or dice.choice(KINDS)
    context = _scene(dice)
    raw: dict[str, str] = {}
    said: dict[str, Any] = {}
    for question in scene_kind(kind).questions(context):
        if is_shown(question, said):
            raw[question.key] = _answer(question, dice, context, rough=rough)
            if not question.shown_when:
                said |= parse([question], raw).values
    return Visit(kind, context, {key: text for key, text in raw.items() if text})


def bare_lines(dice: random.Random, factors: FactorSet) -> list[dict[str, Any]]:
    """Return activity lines as a program sends them."""
    rows = [row for row in factors.rows() if not row.id.startswith("gwp100.")]
    return list(_bare(dice, rows))


def _bare(dice: random.Random, rows: list[Any]) -> Iterator[dict[str, Any]]:
    for number in range(dice.randint(1, 7)):
        row = dice.choice(rows)
        basis = dice.choice(sorted(BASES))
        line: dict[str, Any] = {"amount": f"{dice.randint(0, 10**7) / 1000:.3f}", "basis": basis}
        if dice.random() < 0.3:
            line["share"] = dice.choice(["0.5", "0.25", "0.333", "2"])
        if dice.random() < 0.3 and row.unit in UNITS:
            line["unit"] = UNITS[row.unit]
        if dice.random() < 0.15:
            value = f"{dice.randint(1, 10**5) / 10**4:.4f}"
            own = {"value": value, "unit": row.unit, "source": f"own meter {number}"}
            if dice.random() < 0.5:
                own["uncertainty_pct"] = str(dice.choice([3, 12, 30, 75]))
            yield line | {"own_factor": own}
            continue
        yield line | {"factor": row.id, "region": row.region}
