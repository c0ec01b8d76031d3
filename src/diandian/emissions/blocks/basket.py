"""Food carried home from a shop, by weight; every question is optional.

One family of rows (Agribalyse, farm to shop) and never a second beside it.
*Source:* methodology, sections 7 (supermarket) and 8 (one family).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from diandian.emissions.activity import Question
from diandian.emissions.blocks.base import Block, Option, number
from diandian.emissions.lines import Doubt, make_line
from diandian.emissions.uncertainty import GUESS
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diandian.emissions.activity import Value
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.lines import Line

# question -> (row, question label, line label)
GOODS = {
    "beef_kg": ("food.beef.agribalyse", N_("Beef"), N_("Beef, %(kg)s kg")),
    "pork_kg": ("food.pork.agribalyse", N_("Pork"), N_("Pork, %(kg)s kg")),
    "chicken_kg": ("food.chicken.agribalyse", N_("Chicken or duck"), N_("Poultry, %(kg)s kg")),
    "egg_kg": ("food.egg.agribalyse", N_("Eggs"), N_("Eggs, %(kg)s kg")),
    "rice_kg": ("food.rice.agribalyse", N_("Rice and noodles"), N_("Rice and noodles, %(kg)s kg")),
    "greens_kg": ("food.cabbage.agribalyse", N_("Vegetables"), N_("Vegetables, %(kg)s kg")),
    "fruit_kg": ("food.apple.agribalyse", N_("Fruit"), N_("Fruit, %(kg)s kg")),
}


class Basket(Block):
    """The goods chosen; left empty, only the way to the shop counts."""

    reads: ClassVar = frozenset(GOODS)

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return the weight of each group of goods."""
        return tuple(
            Question(
                key, "number", label, unit="kg",
                maximum=Decimal(200), whole=False, default="0", fine_tune=True,
            )
            for key, (_, label, _) in GOODS.items()
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return a line per group that was bought."""
        return [
            make_line(
                factors.find(row, context.country),
                key=f"goods.{key.removesuffix('_kg')}",
                category="goods",
                label=label,
                amount=number(values, key, 0),
                params={"kg": str(values[key])},
                doubt=Doubt(GUESS),
            )
            for key, (row, _, label) in GOODS.items()
            if number(values, key, 0)
        ]

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:  # noqa: ARG002 - the same everywhere
        """Return poultry for beef, of the same weight."""
        beef = number(values, "beef_kg", 0)
        if beef:
            both = str(beef + number(values, "chicken_kg", 0))
            yield Option(
                "poultry", N_("Buy poultry instead of beef"), {"beef_kg": "0", "chicken_kg": both}
            )
