"""Meals, dishes and drinks that the guest answers for.

The rows of meals hold no kitchen energy: that is the host's.
*Source:* methodology, sections 4 ("Chinese meals") and 7 (boundary per scene).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from diandian.emissions.activity import Choice, Question
from diandian.emissions.blocks.base import Block, Option, number, text
from diandian.emissions.lines import M1, ONE, Doubt, make_line
from diandian.emissions.numbers import plain
from diandian.emissions.uncertainty import DEFAULT, EXACT
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diandian.emissions.activity import Value
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.lines import Line

# kind of meal -> row; canteen and boxed meals take the row of a meal with pork (1.65 kg)
ROWS = {
    "canteen": "meal.pork",
    "vegetarian": "meal.vegetarian",
    "chicken": "meal.chicken",
    "fish": "meal.fish_white",
    "beef": "meal.beef",
    "hotpot": "meal.hotpot",
    "banquet": "meal.buffet.hotel",
}
CHINESE_ROWS = {"hotpot", "banquet"}
KINDS = (
    Choice("canteen", N_("Everyday meal")),
    Choice("vegetarian", N_("Vegetarian")),
    Choice("chicken", N_("Mostly chicken")),
    Choice("fish", N_("Mostly fish")),
    Choice("beef", N_("Mostly beef or lamb")),
    Choice("hotpot", N_("Hotpot")),
    Choice("banquet", N_("Buffet or banquet")),
)
LABELS = {
    "canteen": N_("Everyday meals: %(meals)s"),
    "vegetarian": N_("Vegetarian meals: %(meals)s"),
    "chicken": N_("Meals with chicken: %(meals)s"),
    "fish": N_("Meals with fish: %(meals)s"),
    "beef": N_("Meals with beef or lamb: %(meals)s"),
    "hotpot": N_("Hotpot meals: %(meals)s"),
    "banquet": N_("Buffet or banquet meals: %(meals)s"),
}
AVERAGE = N_("Meals, average: %(meals)s")
EAT_GREEN = N_("Eat vegetarian")
MEALS_A_DAY, HEAVY_DAY_KG = 3, 15
HEAVY_DAY = N_("Three such meals a day come to more than 15 kg. Is that what you ate?")
CUP_LITRES = Decimal("0.25")
DRINKS = {
    "tea": "drink.tea",
    "coffee": "drink.coffee",
    "soft": "drink.soda",
    "beer": "drink.beer",
    "wine": "drink.wine",
}


def kinds(context: SceneContext) -> tuple[Choice, ...]:
    """Return the kinds of meal that have a row in the scene's country."""
    china = context.country == "CN"
    return tuple(kind for kind in KINDS if china or kind.value not in CHINESE_ROWS)


class Meals(Block):
    """Meals bought on the way and at the place; an average unless the guest fine-tunes.

    ``per_night``, ``day_trip``: meals taken where the guest does not say, which the scene kind
    sets by its boundary.
    """

    reads: ClassVar = frozenset({"meals", "meal_kind", "nights"})

    def __init__(self, per_night: int, day_trip: int) -> None:
        self.per_night, self.day_trip = per_night, day_trip

    def questions(self, context: SceneContext) -> tuple[Question, ...]:
        """Return how many, and of what kind."""
        return (
            Question(
                "meals", "number", N_("Meals you pay for yourself"), unit="meal",
                maximum=Decimal(180), default="unknown", unknown_allowed=True, fine_tune=True,
            ),
            Question(
                "meal_kind", "choice", N_("What kind of meals?"), kinds(context),
                default="unknown", unknown_allowed=True, fine_tune=True,
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return one line, or none without a meal."""
        nights = int(number(values, "nights", 0))
        usual = nights * self.per_night if nights else self.day_trip
        meals = number(values, "meals", usual)
        kind = text(values, "meal_kind", "unknown")
        counted = values.get("meals", "unknown") != "unknown"
        if not meals:
            return []
        found = factors.find(ROWS.get(kind, ROWS["canteen"]), context.country)
        unsure = not counted or kind == "unknown"
        details = {"question": "meal_kind" if counted else "meals"}
        if (
            meals >= MEALS_A_DAY * max(nights, 1)
            and MEALS_A_DAY * found.factor.value > HEAVY_DAY_KG
        ):
            details["confirm"] = HEAVY_DAY
        line = make_line(
            found,
            key=f"food.meals.{kind}",
            category="food",
            label=LABELS.get(kind, AVERAGE),
            amount=meals,
            params={"meals": plain(meals)},
            doubt=Doubt(DEFAULT if unsure else EXACT),
            assumed=unsure,
            details=details,
        )
        return [line]

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:  # noqa: ARG002 - the same everywhere
        """Return vegetarian for other stated meals."""
        if text(values, "meal_kind", "unknown") not in {"unknown", "vegetarian"}:
            yield Option("vegetarian", EAT_GREEN, {"meal_kind": "vegetarian"})


class Eaten(Block):
    """What one person had in a restaurant: one meal, or dishes shared by the table, and drinks.

    Dishes stand instead of the meal, never on top of it.
    """

    reads: ClassVar = frozenset({"meal_kind", "dishes", "diners", "drink", "cups"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:
        """Return the kind of meal, the drinks, and in China the dishes on the table."""
        drinks = (
            Choice("none", N_("None or water")),
            Choice("tea", N_("Tea")),
            Choice("coffee", N_("Coffee")),
            Choice("soft", N_("Soft drink")),
            Choice("beer", N_("Beer")),
            Choice("wine", N_("Wine")),
        )
        asked = (
            Question(
                "meal_kind", "choice", N_("What did you eat?"),
                (*kinds(context), Choice("unknown", N_("Don't know"), "unknown")),
                default="unknown", unknown_allowed=True,
            ),
            Question("drink", "choice", N_("What did you drink?"), drinks, default="none"),
            Question(
                "cups", "number", N_("How many glasses or cups?"), unit="cup",
                minimum=ONE, maximum=Decimal(30), default=1,
                shown_when={"drink": tuple(DRINKS)},
            ),
        )  # fmt: skip
        if context.country != "CN":
            return asked
        dishes = (
            Question(
                "dishes", "number", N_("Dishes on the table"), unit="dish",
                maximum=Decimal(100), fine_tune=True,
            ),
            Question(
                "diners", "number", N_("People at the table"), unit="person",
                minimum=ONE, maximum=Decimal(100), default=1, fine_tune=True,
            ),
        )  # fmt: skip
        return (*asked, *dishes)

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return the meal or the dishes, and the drinks."""
        return [*_eaten(context, values, factors), *_drunk(context, values, factors)]

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:
        """Return vegetarian, and one dish fewer."""
        dishes = int(number(values, "dishes", 0)) if context.country == "CN" else 0
        if dishes > 1:
            yield Option("fewer_dishes", N_("Order one dish fewer"), {"dishes": dishes - 1})
        elif text(values, "meal_kind", "unknown") != "vegetarian":
            yield Option("vegetarian", EAT_GREEN, {"meal_kind": "vegetarian"})


def _eaten(context: SceneContext, values: Mapping[str, Value], factors: FactorSet) -> list[Line]:
    dishes = number(values, "dishes", 0)
    if dishes and context.country == "CN":
        people = number(values, "diners", 1)
        line = make_line(
            factors.find("meal.restaurant_dish", "CN"),
            key="food.dishes",
            category="food",
            label=N_("Dishes: %(dishes)s, shared by %(people)s"),
            amount=dishes,
            share=M1.divide(ONE, people),
            params={"dishes": plain(dishes), "people": plain(people)},
        )
        return [line]
    kind = text(values, "meal_kind", "unknown")
    unsure = kind == "unknown"
    line = make_line(
        factors.find(ROWS.get(kind, ROWS["canteen"]), context.country),
        key=f"food.meals.{kind}",
        category="food",
        label=LABELS.get(kind, AVERAGE),
        amount=ONE,
        params={"meals": "1"},
        doubt=Doubt(DEFAULT if unsure else EXACT),
        assumed=unsure,
        details={"question": "meal_kind"},
    )
    return [line]


def _drunk(context: SceneContext, values: Mapping[str, Value], factors: FactorSet) -> list[Line]:
    drink = text(values, "drink", "none")
    if drink not in DRINKS:
        return []
    cups = number(values, "cups", 1)
    line = make_line(
        factors.find(DRINKS[drink], context.country),
        key=f"food.drink.{drink}",
        category="food",
        label=N_("Drinks, glasses or cups: %(cups)s"),
        amount=M1.multiply(cups, CUP_LITRES),
        params={"cups": plain(cups)},
        doubt=Doubt(DEFAULT),  # a cup is taken as a quarter of a litre
        details={"litres_per_cup": str(CUP_LITRES)},
    )
    return [line]
