"""System checks: what must be in place before anything is served."""

from collections.abc import Sequence

from django.core.checks import CheckMessage, Error, Tags, register

from diandian.config import guards


@register(Tags.database)
def guards_in_place(*, databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Report each guard trigger that is missing from a database that was asked for."""
    return [
        Error(
            f"The guard {name} is missing: rows that are for ever could be changed.",
            hint="Run: diandian migrate --skip-checks. Then find out who removed it.",
            id="diandian.E001",
        )
        for alias in databases or ()
        for name in guards.missing(alias)
    ]
