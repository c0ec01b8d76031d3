"""Home: people, electricity, heating, gas for cooking, water and waste.

Bills of a home are divided by the people in it. Electric heating and heat pumps are in the
electricity; a home without a bill takes its floor area.
*Source:* methodology, sections 6 (waste) and 8 (housing energy, no bill, water, waste).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from diandian.emissions.activity import UNKNOWN, Choice, Question
from diandian.emissions.blocks.base import Block, Option, pair
from diandian.emissions.blocks.city_ride import SUPPLY
from diandian.emissions.life.assumptions import assumption
from diandian.emissions.life.parts import (
    TIMES,
    Amount,
    amount,
    assumed_amount,
    chosen,
    french_row,
    per_person,
    said,
    stand_in,
    with_supply,
)
from diandian.emissions.lines import M1, ONE, Doubt, make_line
from diandian.emissions.numbers import plain
from diandian.emissions.uncertainty import DEFAULT
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diandian.emissions.activity import Value
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.lines import Line

MOST_PEOPLE, MOST_M2 = Decimal(20), Decimal(2000)
MOST_KWH, MOST_M3 = Decimal(10_000), Decimal(2000)
# The provinces with heating by the city: CHIC 2021, "severe cold and cold zones, 15 provinces".
NORTH = frozenset(
    [
        "CN-BJ",
        "CN-TJ",
        "CN-HE",
        "CN-SX",
        "CN-NM",
        "CN-LN",
        "CN-JL",
        "CN-HL",
        "CN-SD",
        "CN-HA",
        "CN-SN",
        "CN-GS",
        "CN-QH",
        "CN-NX",
        "CN-XJ",
    ]
)
KEPT = Decimal("0.9")  # the lever "a tenth less"
BY_AREA = {
    "gas": "housing.heating.gas",
    "district": "housing.heating.district",
    "oil": "housing.heating.oil",
    "wood": "housing.heating.wood_stove",
}
HEATING = (
    Choice("gas", N_("Gas")),
    Choice("district", N_("District heating")),
    Choice("electric", N_("Electricity, heat pump or air conditioner")),
    Choice("oil", N_("Heating oil")),
    Choice("wood", N_("Wood")),
    Choice("none", N_("No heating")),
    Choice(UNKNOWN, N_("Don't know"), "unknown"),
)
GAS = N_("Gas from the meter")


class Electricity(Block):
    """The home's electricity, divided by the people in it."""

    reads: ClassVar = frozenset({"people", "electricity_kwh"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return how many people, and how many kWh a month."""
        return (
            Question(
                "people", "number", N_("How many people live in your home, with you?"),
                unit="person", minimum=ONE, maximum=MOST_PEOPLE,
                default=UNKNOWN, unknown_allowed=True,
            ),
            Question(
                "electricity_kwh", "number", N_("How much electricity does your home use a month?"),
                unit="kWh", maximum=MOST_KWH, whole=False, default=UNKNOWN, unknown_allowed=True,
                hint=N_("The bill of the whole home, in kWh. An average of the year is best."),
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return one line."""
        if said(values, "electricity_kwh") is None:
            used, share = stand_in("electricity_kwh", context), ONE
        else:
            used, share = _of_the_home(values, context, "electricity_kwh")
        line = make_line(
            factors.find("energy.electricity.grid", context.region),
            key="home.electricity",
            category="stay",
            label=N_("Electricity at home"),
            amount=used.value,
            share=share,
            doubt=used.doubt,
            assumed=used.assumed,
            details=used.details,
        )
        return [line]

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:
        """Return a tenth less electricity."""
        used = said(values, "electricity_kwh")
        if used is None:
            people = said(values, "people") or assumption("people", context).value
            used = assumption("electricity_kwh", context).value * people / TIMES["month"]
            less = {"people": plain(people), "electricity_kwh": plain(used * KEPT)}
        else:
            less = {"electricity_kwh": plain(used * KEPT)}
        yield Option("electricity", N_("Use a tenth less electricity"), less)


class Heating(Block):
    """Heat of the home and gas for cooking."""

    reads: ClassVar = frozenset({"people", "heating", "gas_m3", "home_m2", "cooking_gas_m3"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return how it is heated, and the bill or the floor area."""
        area = ("district", "oil", "wood")
        rest = tuple(way.value for way in HEATING if way.value != "gas")
        return (
            Question(
                "heating", "choice", N_("How is your home heated?"), HEATING,
                default=UNKNOWN, unknown_allowed=True,
            ),
            Question(
                "gas_m3", "number", N_("How much gas does your home use a month?"),
                unit="m3", maximum=MOST_M3, whole=False, default=UNKNOWN, unknown_allowed=True,
                shown_when={"heating": ("gas",)},
                hint=N_("The average of the year, in cubic metres, cooking included."),
            ),
            Question(
                "home_m2", "number", N_("How large is your home?"), unit="m2",
                minimum=Decimal(5), maximum=MOST_M2, whole=False,
                default=UNKNOWN, unknown_allowed=True, shown_when={"heating": area},
            ),
            Question(
                "cooking_gas_m3", "number", N_("Gas for cooking and hot water, a month"),
                unit="m3", maximum=Decimal(200), whole=False, default="0", unknown_allowed=True,
                shown_when={"heating": rest}, fine_tune=True,
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return the lines of heat and of gas."""
        way = chosen(values, "heating")
        if way == UNKNOWN:
            way = usual_heating(context)
        lines = []
        if way == "gas" and said(values, "gas_m3") is not None:
            lines += _gas(context, values, factors, "gas_m3")
        elif way in BY_AREA:
            lines.append(_by_area(context, values, factors, way))
        if said(values, "cooking_gas_m3"):
            lines += _gas(context, values, factors, "cooking_gas_m3")
        return lines

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:  # noqa: ARG002 - the same everywhere
        """Return a tenth less gas."""
        used = said(values, "gas_m3")
        if used:
            label = N_("Heat with a tenth less gas")
            yield Option("gas", label, {"gas_m3": plain(used * KEPT)})


class Water(Block):
    """Water from the tap and its treatment; left out unless given, under one per cent."""

    reads: ClassVar = frozenset({"people", "water_m3"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return how much a month."""
        return (
            Question(
                "water_m3", "number", N_("Water your home uses a month"), unit="m3",
                maximum=Decimal(500), whole=False, default="0", unknown_allowed=True,
                fine_tune=True,
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return supply and treatment, or nothing."""
        if not said(values, "water_m3"):
            return []
        used, share = _of_the_home(values, context, "water_m3")
        return [
            make_line(
                factors.find(row, context.country),
                key=f"home.{row}",
                category="stay",
                label=label,
                amount=used.value,
                share=share,
                doubt=used.doubt,
                assumed=used.assumed,
                details=used.details,
            )
            for row, label in (
                ("water.supply", N_("Water from the tap")),
                ("water.treatment", N_("Treatment of waste water")),
            )
        ]


class Waste(Block):
    """Mixed household waste of one person."""

    reads: ClassVar = frozenset({"waste_kg"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return how many kilograms a week."""
        return (
            Question(
                "waste_kg", "number", N_("Your own mixed waste, a week"), unit="kg",
                maximum=Decimal(100), whole=False, default=UNKNOWN, unknown_allowed=True,
                fine_tune=True,
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return one line, or none without waste."""
        left = amount(values, "waste_kg", context, "week")
        if not left.value:
            return []
        line = make_line(
            factors.find(waste_row(context), context.country),
            key="home.waste",
            category="stay",
            label=N_("Household waste"),
            amount=left.value,
            doubt=left.doubt,
            assumed=left.assumed,
            details=left.details,
        )
        return [line]


def waste_row(context: SceneContext) -> str:
    """Return the row of mixed waste: Chinese landfill, elsewhere burned with its fossil carbon."""
    if context.country == "CN":
        return "waste.household_residual.landfill"
    return "waste.household_residual.incineration_fossil"


def usual_heating(context: SceneContext) -> str:
    """Return what is taken where the heating is not known."""
    if context.country != "CN":
        return "gas"
    return "district" if context.region in NORTH else "none"


def _of_the_home(
    values: Mapping[str, Value], context: SceneContext, key: str
) -> tuple[Amount, Decimal]:
    """Return a monthly bill as an amount of a year, and one person's share."""
    used = amount(values, key, context, "month")
    share, guessed = per_person(values, context)
    if guessed:
        used = assumed_amount(used.value, {"question": "people"})
    return used, share


def _gas(
    context: SceneContext, values: Mapping[str, Value], factors: FactorSet, key: str
) -> list[Line]:
    used, share = _of_the_home(values, context, key)
    if not used.value:
        return []
    return pair(
        with_supply(factors, "energy.fuel.natural_gas.m3", context.country),
        key=f"home.{key.removesuffix('_m3')}",
        category="stay",
        labels=(GAS, SUPPLY),
        amount=used.value,
        share=share,
        doubt=used.doubt,
        assumed=used.assumed,
        details=used.details,
    )


def _by_area(
    context: SceneContext, values: Mapping[str, Value], factors: FactorSet, way: str
) -> Line:
    known = chosen(values, "heating") == way
    asked = ("gas_m3" if way == "gas" else "home_m2") if known else "heating"
    share = ONE
    floor = stand_in("home_m2", context, asked=asked)
    if known and way != "gas" and said(values, "home_m2") is not None:
        floor = amount(values, "home_m2", context)
        share, guessed = per_person(values, context)
        if guessed:
            floor = assumed_amount(floor.value, {"question": "people"})
    details = floor.details | {"floor_m2": plain(floor.value)}
    found, used = french_row(factors, BY_AREA[way], context.country), floor.value
    if way == "district" and context.country == "CN":
        heat = assumption("heat_gj_per_m2", context)
        found = factors.find("energy.heat.district", "CN")
        used = M1.multiply(floor.value, heat.value)
        details |= {"gj_per_m2": plain(heat.value), "heat_source": heat.source}
    return make_line(
        found,
        key=f"home.heating.{way}",
        category="stay",
        label=N_("Heating, by floor area"),
        amount=used,
        share=share,
        doubt=Doubt(DEFAULT),  # a floor area says little about the heat
        assumed=floor.assumed,
        details=details,
    )
