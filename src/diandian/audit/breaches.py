"""The shape in which every room reports a broken invariant, and how checks are asked."""

import logging
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass

from django.db import connection, transaction

log = logging.getLogger(__name__)


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
        # On PostgreSQL an error ends the transaction, or what of it lies behind a savepoint.
        aside = transaction.atomic() if connection.in_atomic_block else nullcontext()
        try:
            with aside:
                for breach in check():
                    found.append(breach)  # noqa: PERF402 - what came before an error is kept
        except Exception as error:
            if not connection.is_usable():
                raise
            asked_for = getattr(check, "func", check)  # of a partial one, what it stands for
            name = f"{asked_for.__module__}.{asked_for.__name__}"
            log.exception("a check could not be finished: %s", name)
            detail = f"could not be finished ({type(error).__name__}); the program's log says why"
            found.append(Breach("CHECK", f"check:{name}", detail))
    return found
