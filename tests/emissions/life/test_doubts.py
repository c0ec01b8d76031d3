"""What an average stands in for is doubtful by 60 per cent, wherever the average hides."""

import random
from decimal import Decimal

import pytest

from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import factor_set
from diandian.emissions.life import calculator, detailed
from tests.emissions.golden import lives

pytestmark = pytest.mark.pure

FACTORS = factor_set("2026.1")
BILL = {"activity": "electricity", "amount": "2000", "basis": "bill"}


def of_a_bill(people: str) -> Estimate:
    values = calculator.read("NL", {"people": people}).values
    items = detailed.read_items("NL", [BILL], FACTORS).items
    return detailed.estimate(values, items, FACTORS, "NL")


def test_no_assumed_line_is_surer_than_a_default() -> None:
    dice, assumed = random.Random(23), 0
    for _ in range(150):
        for line in lives.year(dice, FACTORS).estimate(FACTORS).lines:
            if line.key.startswith("moving.car"):
                continue  # of a car whose fuel is not known the kilometres may be: the row is rough
            assert not line.assumed or line.uncertainty_activity_pct == 60, line.key
            assumed += line.assumed
    assert assumed > 500


def test_a_bill_divided_by_people_nobody_counted_is_no_bill_of_one() -> None:
    counted, guessed = of_a_bill("2"), of_a_bill("unknown")
    (sure,) = (line for line in counted.lines if line.key == "home.electricity.0")
    (line,) = (line for line in guessed.lines if line.key == "home.electricity.0")
    assert (sure.uncertainty_activity_pct, sure.assumed) == (5, False)
    assert (line.uncertainty_activity_pct, line.assumed) == (60, True)
    assert round(line.share, 6) == Decimal("0.476190")
    assert line.details["question"] == "people"


def test_what_is_not_of_the_home_needs_no_people() -> None:
    items = detailed.read_items("NL", [{**BILL, "activity": "petrol", "amount": "90"}], FACTORS)
    for line in detailed.item_lines(items.items, {}, FACTORS, "NL"):
        assert (line.uncertainty_activity_pct, line.assumed) == (5, False)
