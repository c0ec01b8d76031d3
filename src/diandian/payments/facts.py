"""What the other side says, and how a call ends; believes nothing about its shape; pure.

The readers raise MalformedError where a fact is missing, of another type, or out of bounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from diandian.payments.messages import Done, Rejected, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from diandian.payments.messages import Outcome

T = TypeVar("T")
Facts = dict[str, Any]

# More than any gateway moves at once, in minor units.
LARGEST_MINOR = 10**12
LONGEST_TEXT = 255


class MalformedError(ValueError):
    """An answer lacks a fact, or holds something else in its place; the text names the fact."""


class NoAnswerError(Exception):
    """A call that led to no answer. ``outcome``: what that means to the caller.

    ``hint``: the gateway's own code, where there is one that may be told.
    """

    def __init__(self, outcome: Rejected | Unknown, hint: str = "") -> None:
        self.outcome = outcome
        self.hint = hint
        super().__init__(str(outcome))

    @property
    def said(self) -> str:
        """Return why, for people."""
        outcome = self.outcome
        return outcome.cause if isinstance(outcome, Unknown) else outcome.message or outcome.code


def outcome_of(call: Callable[[], T]) -> Outcome[T]:
    """Return what a call led to; hostile answers end here, and nobody knows what happened."""
    try:
        return Done(call())
    except NoAnswerError as error:
        return error.outcome
    except MalformedError as error:
        return Unknown(f"an answer cannot be read: {error}")
    except Exception as error:  # noqa: BLE001 - whatever a library makes of what came
        return Unknown(type(error).__name__)


def mapping(value: object, name: str = "answer") -> Facts:
    """Return an object. Raises: MalformedError."""
    if not isinstance(value, dict):
        raise MalformedError(f"{name} is not an object")
    return value


def text(facts: Mapping[str, object], name: str, *, longest: int = LONGEST_TEXT) -> str:
    """Return a printable text that is not empty. Raises: MalformedError."""
    value = facts.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise MalformedError(f"{name} is not a text of 1 to {longest} characters")
    return value


def minor(facts: Mapping[str, object], name: str) -> int:
    """Return an amount in minor units, of either sign. Raises: MalformedError."""
    value = facts.get(name)
    if type(value) is not int or abs(value) >= LARGEST_MINOR:
        raise MalformedError(f"{name} is not an amount")
    return value


def amount(facts: Mapping[str, object], name: str) -> int:
    """Return an amount in minor units that is not below zero. Raises: MalformedError."""
    value = minor(facts, name)
    if value < 0:
        raise MalformedError(f"{name} is below zero")
    return value
