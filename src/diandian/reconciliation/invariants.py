"""What must hold of days of gateways that are closed."""

from collections.abc import Iterator

from diandian.audit.breaches import Breach
from diandian.reconciliation import queries, rules


def check() -> list[Breach]:
    """Return every closed day that is not what it was closed with."""
    return [*_sealed()]


def _sealed() -> Iterator[Breach]:
    """B1: the seal of a closed day is that of its figures."""
    for day in queries.closed_days():
        if rules.day_sha256(day.figures) != day.sha256:
            yield Breach("B1", f"gateway_day:{day}", "its figures are not those it was closed with")
