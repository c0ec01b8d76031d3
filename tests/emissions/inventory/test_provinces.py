"""Which row a province takes: its own grid, but no metro or bus that nobody has checked."""

from decimal import Decimal

import pytest

from diandian.emissions.factor_set import factor_set
from diandian.emissions.inventory.compute import entry_lines
from diandian.emissions.inventory.entries import Entry

pytestmark = pytest.mark.pure


def row_of(activity: str, category: str, unit: str, region: str) -> tuple[str, str]:
    entry = Entry("e", activity, category, Decimal(1000), unit)
    line = entry_lines(entry, factor_set("2026.1"), region)[0]
    return line.factor_region, str(line.value)


@pytest.mark.parametrize("region", ["CN-BJ", "CN-SH", "CN-GD", "CN-SC"])
@pytest.mark.parametrize(("ride", "value"), [("metro", "0.04314"), ("bus", "0.053")])
def test_unchecked_rows_of_provinces_are_not_taken(region: str, ride: str, value: str) -> None:
    assert row_of(ride, "staff_travel", "passenger-km", region) == ("CN", value)


def test_checked_rows_of_provinces_are() -> None:
    assert row_of("electricity", "electricity", "kWh", "CN-SH")[0] == "CN-SH"
    assert row_of("metro", "staff_travel", "passenger-km", "US-NY") == ("US", "0.05808")
