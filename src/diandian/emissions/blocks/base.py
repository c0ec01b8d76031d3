"""The contract of a building block, and small things that every block uses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from diandian.emissions.lines import NO_DOUBT, ONE, Doubt, Line, make_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diandian.emissions.activity import Question, Value
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet, FoundFactor


# Rows of these scopes hold the use of the vehicle only; their ".wtt" row adds the fuel's supply.
NEEDS_UPSTREAM = ("TTW", "operation (fuel", "operation (direct", "tailpipe")


@dataclass(frozen=True, slots=True)
class Option:
    """Other answers to compare with: a lever if they emit less, praise if they emit more.

    ``label``: a message id for ``params``.
    """

    key: str
    label: str
    changes: Mapping[str, Value]
    params: dict[str, str] = field(default_factory=dict)


class Block(ABC):
    """One part of a visit. ``reads``: the answers that change its lines."""

    reads: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def questions(self, context: SceneContext) -> tuple[Question, ...]:
        """Return the questions of this part."""

    @abstractmethod
    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return the lines of this part. Raises: InputError naming a question."""

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:  # noqa: ARG002 - blocks without levers
        """Return what the guest could do otherwise next time."""
        return ()

    def praises(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:  # noqa: ARG002 - blocks without praise
        """Return worse answers that the guest did not give; the first that applies is shown."""
        return ()


def number(values: Mapping[str, Value], key: str, default: int | str = 0) -> Decimal:
    """Return a number answer as a decimal; "don't know" and no answer give the default."""
    value = values.get(key, default)
    if value == "unknown" or isinstance(value, bool):
        value = default
    return Decimal(value)


def text(values: Mapping[str, Value], key: str, default: str) -> str:
    """Return a choice as text."""
    value = values.get(key, default)
    return value if isinstance(value, str) else default


def with_upstream(
    factors: FactorSet, factor_id: str, region: str
) -> tuple[tuple[str, FoundFactor], ...]:
    """Return ("", row) and, where the row holds the use only, (".wtt", supply row)."""
    found = factors.find(factor_id, region)
    if not found.factor.scope_included.startswith(NEEDS_UPSTREAM):
        return (("", found),)
    return (("", found), (".wtt", factors.find(f"{factor_id}.wtt", region)))


def pair(  # noqa: PLR0913 - passes on what make_line needs
    rows: Iterable[tuple[str, FoundFactor]],
    *,
    key: str,
    category: str,
    labels: tuple[str, str],
    amount: Decimal,
    share: Decimal = ONE,
    params: dict[str, str] | None = None,
    doubt: Doubt = NO_DOUBT,
    assumed: bool = False,
    details: dict[str, Any] | None = None,
) -> list[Line]:
    """Return the line of the use and, where there is one, of the fuel's supply."""
    return [
        make_line(
            found,
            key=f"{key}{suffix}",
            category=category,
            label=labels[1 if suffix else 0],
            amount=amount,
            share=share,
            params=params,
            doubt=doubt,
            assumed=assumed,
            details=details,
        )
        for suffix, found in rows
    ]
