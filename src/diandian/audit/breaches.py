"""The shape in which every room reports a broken invariant, and how checks are asked."""

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from django.db import connection, transaction

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that does not hold. ``rule``: its number in the design; ``subject_ref``: where."""

    rule: str
    subject_ref: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule} {self.subject_ref}: {self.detail}"


def asked(*checks: Callable[[], Iterable[Breach]]) -> list[Breach]:
    """Return what the checks find; one that cannot be finished is itself a breach, ``CHECK``.

    What it had found is kept, and the others are asked all the same: a row that nobody can read
    must not hide what is wrong. Its error's text goes to the program's log alone, since it may hold
    what stands in a row. Raises: whatever a check raises when the database no longer answers, which
    says nothing of its rows.
    """
    found: list[Breach] = []
    for check in checks:
        try:
            with _aside():
                for breach in check():
                    found.append(breach)  # noqa: PERF402 - what came before an error is kept
        except Exception as error:
            if not connection.is_usable():
                raise
            log.exception("a check could not be finished: %s", _name(check))
            detail = f"could not be finished ({type(error).__name__}); the program's log says why"
            found.append(Breach("CHECK", f"check:{_name(check)}", detail))
    return found


def computed(reckon: Callable[[], T]) -> tuple[T | None, list[Breach]]:
    """Return what is computed of the books; what cannot be is a breach, ``CHECK``, and None.

    What nobody can add up does not hold. Raises: as ``asked`` does.
    """
    try:
        with _aside():
            return reckon(), []
    except Exception as error:
        if not connection.is_usable():
            raise
        log.exception("nobody could compute %s", _name(reckon))
        detail = (
            f"could not be computed ({type(error).__name__}), so that nobody knows whether it"
            " holds; the program's log says why"
        )
        return None, [Breach("CHECK", f"equation:{_name(reckon)}", detail)]


def _aside() -> AbstractContextManager[object]:
    """On PostgreSQL an error ends the transaction, or what of it lies behind a savepoint."""
    return transaction.atomic() if connection.in_atomic_block else nullcontext()


def _name(check: Callable[[], object]) -> str:
    asked_for = getattr(check, "func", check)  # of a partial one, what it stands for
    return f"{asked_for.__module__}.{asked_for.__name__}"
