"""Food: main meals and breakfasts of a week by kind, and some drinks.

A pattern stands for fourteen main meals a week; who knows better gives the meals with meat.
Meals hold no kitchen energy: that is in the home's bills.
*Source:* methodology, section 8 (meals per week by type x row x 52.142857; check for China); the
patterns behind the words are ours.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from diandian.emissions.activity import UNKNOWN, Choice, Question
from diandian.emissions.blocks.base import Block, Option
from diandian.emissions.life.parts import TIMES, amount, chosen, said
from diandian.emissions.lines import M1, ZERO, Doubt, make_line
from diandian.emissions.numbers import plain
from diandian.emissions.uncertainty import DEFAULT, GUESS
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diandian.emissions.activity import Value
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.lines import Line

MAIN_MEALS, BREAKFASTS, MOST_MEALS = Decimal(14), Decimal(7), Decimal(21)
# diet -> (meals with beef or lamb, meals with other meat or fish) a week; the rest has none
PATTERNS: dict[str, tuple[int, int]] = {
    "vegan": (0, 0),
    "vegetarian": (0, 0),
    "some": (1, 4),
    "daily": (2, 8),
    "much": (5, 9),
}
LESS = {"much": "daily", "daily": "some", "some": "vegetarian", "vegetarian": "vegan"}
DIETS = (
    Choice("vegan", N_("Plants only")),
    Choice("vegetarian", N_("Vegetarian")),
    Choice("some", N_("Meat or fish on some days")),
    Choice("daily", N_("Meat or fish about once a day")),
    Choice("much", N_("Meat or fish at most meals")),
    Choice(UNKNOWN, N_("Don't know"), "unknown"),
)
MIXED = ("some", "daily", "much")
BREAKFAST = (
    Choice("continental", N_("Bread and the like")),
    Choice("cow_milk_cereal", N_("Cereal with milk")),
    Choice("soy_milk_cereal", N_("Cereal with soy milk")),
    Choice("none", N_("No breakfast")),
)
# line -> (row, label); meat is the everyday meal of the methodology, section 4
MEALS = {
    "beef": ("meal.beef", N_("Meals with beef or lamb")),
    "meat": ("meal.pork", N_("Meals with other meat or fish")),
    "vegetarian": ("meal.vegetarian", N_("Vegetarian meals")),
    "vegan": ("meal.vegan", N_("Meals of plants only")),
}
# kg a day in China beyond which an answer is asked back: half of 2.3 and twice 3.7
USUAL_DAY_G = (1150, 7400)
UNUSUAL_DAY = N_("This comes to a day far from 2.3 to 3.7 kg. Is that what you eat?")
CUP_LITRES = Decimal("0.25")


class Diet(Block):
    """Main meals and breakfasts."""

    reads: ClassVar = frozenset({"diet", "beef_meals", "meat_meals", "breakfast"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return the pattern, and for fine-tuning the meals."""
        mixed = {"diet": MIXED}
        return (
            Question(
                "diet", "choice", N_("What do you usually eat?"), DIETS,
                default=UNKNOWN, unknown_allowed=True,
            ),
            Question(
                "beef_meals", "number", N_("Meals with beef or lamb, a week"), unit="meal",
                maximum=MOST_MEALS, default=UNKNOWN, unknown_allowed=True,
                shown_when=mixed, fine_tune=True,
            ),
            Question(
                "meat_meals", "number", N_("Meals with other meat or fish, a week"), unit="meal",
                maximum=MOST_MEALS, default=UNKNOWN, unknown_allowed=True,
                shown_when=mixed, fine_tune=True,
            ),
            Question(
                "breakfast", "choice", N_("What do you have for breakfast?"), BREAKFAST,
                default="continental", unknown_allowed=True, fine_tune=True,
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return a line per kind of meal, or the recommended day where nothing is known."""
        diet = chosen(values, "diet")
        if diet == UNKNOWN and context.country == "CN":
            return [_recommended_day(factors)]
        unknown = diet == UNKNOWN
        counted = {"meat": MAIN_MEALS} if unknown else _meals(values, diet)
        lines = [
            make_line(
                factors.find(MEALS[kind][0], context.country),
                key=f"food.{kind}",
                category="food",
                label=MEALS[kind][1],
                amount=M1.multiply(meals, TIMES["week"]),
                doubt=Doubt(DEFAULT if unknown else GUESS),
                assumed=unknown,
                details={"question": "diet", "meals_a_week": plain(meals)},
            )
            for kind, meals in counted.items()
            if meals
        ]
        lines += _breakfast(context, values, factors, assumed=unknown)
        low, high = USUAL_DAY_G
        if context.country == "CN" and lines:
            day_g = sum(line.mass_g for line in lines) / TIMES["day"]
            if not low <= day_g <= high:
                lines[0].details["confirm"] = UNUSUAL_DAY
        return lines

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:  # noqa: ARG002 - the same everywhere
        """Return the next diet with less meat, and other meat for beef."""
        diet = chosen(values, "diet")
        stated = said(values, "beef_meals") is not None or said(values, "meat_meals") is not None
        beef, meat = (_meals(values, diet).get(kind, ZERO) for kind in ("beef", "meat"))
        if diet == UNKNOWN:
            yield Option("less_meat", N_("Eat meat only on some days"), {"diet": "some"})
        elif diet in MIXED and stated:
            label = N_("Eat half of your meals with meat without it")
            half = {"beef_meals": int(beef) // 2, "meat_meals": int(meat) // 2}
            yield Option("less_meat", label, half)
        elif diet in LESS:
            labels = {
                "much": N_("Eat meat about once a day"),
                "daily": N_("Eat meat only on some days"),
                "some": N_("Eat vegetarian"),
                "vegetarian": N_("Eat plants only"),
            }
            yield Option("less_meat", labels[diet], {"diet": LESS[diet]})
        if beef and diet in MIXED:
            other = {"beef_meals": 0, "meat_meals": int(beef + meat)}
            yield Option("no_beef", N_("Eat other meat instead of beef and lamb"), other)


class Drinks(Block):
    """Coffee, beer and the like."""

    reads: ClassVar = frozenset({"diet", "coffee_cups", "alcohol_glasses"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return cups a day and glasses a week."""
        return (
            Question(
                "coffee_cups", "number", N_("Cups of coffee a day"), unit="cup",
                maximum=Decimal(30), default=UNKNOWN, unknown_allowed=True, fine_tune=True,
            ),
            Question(
                "alcohol_glasses", "number", N_("Glasses of beer or wine a week"), unit="cup",
                maximum=Decimal(100), default=UNKNOWN, unknown_allowed=True, fine_tune=True,
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return a line per drink; the recommended Chinese day holds what was not said."""
        in_the_day = context.country == "CN" and chosen(values, "diet") == UNKNOWN
        asked = (
            ("coffee_cups", "day", "drink.coffee_cup", N_("Coffee"), Decimal(1)),
            ("alcohol_glasses", "week", "drink.beer", N_("Beer or wine"), CUP_LITRES),
        )
        lines = []
        for key, period, row, label, size in asked:
            drunk = amount(values, key, context, period)
            if drunk.value and not (in_the_day and drunk.assumed):
                line = make_line(
                    factors.find(row, context.country),
                    key=f"food.{key}",
                    category="food",
                    label=label,
                    amount=M1.multiply(drunk.value, size),
                    doubt=Doubt(max(drunk.doubt.activity, GUESS)),
                    assumed=drunk.assumed,
                    details=drunk.details,
                )
                lines.append(line)
        return lines


def _meals(values: Mapping[str, Value], diet: str) -> dict[str, Decimal]:
    """Return meals a week by kind; those left of fourteen have no meat."""
    beef, meat = map(Decimal, PATTERNS.get(diet, (0, 0)))
    if diet in MIXED:
        stated = said(values, "beef_meals"), said(values, "meat_meals")
        beef = beef if stated[0] is None else stated[0]
        meat = meat if stated[1] is None else stated[1]
    rest = max(MAIN_MEALS - beef - meat, ZERO)
    return {"beef": beef, "meat": meat, "vegan" if diet == "vegan" else "vegetarian": rest}


def _recommended_day(factors: FactorSet) -> Line:
    return make_line(
        factors.find("food.diet.day_recommended", "CN"),
        key="food.day",
        category="food",
        label=N_("Food, the recommended diet"),
        amount=TIMES["day"],
        doubt=Doubt(DEFAULT),
        assumed=True,
        details={"question": "diet"},
    )


def _breakfast(
    context: SceneContext, values: Mapping[str, Value], factors: FactorSet, *, assumed: bool
) -> list[Line]:
    kind = chosen(values, "breakfast")
    if kind == "none":
        return []
    row = "continental" if kind == UNKNOWN else kind
    line = make_line(
        factors.find(f"meal.breakfast.{row}", context.country),
        key="food.breakfast",
        category="food",
        label=N_("Breakfasts"),
        amount=M1.multiply(BREAKFASTS, TIMES["week"]),
        doubt=Doubt(DEFAULT if assumed else GUESS),
        assumed=assumed,
        details={"question": "diet"},
    )
    return [line]
