"""Amounts, factors and refusals in words: the language's units and decimal mark, every digit."""

from decimal import Decimal

import pytest
from django.utils.translation import override

from diandian.emissions.errors import OutOfRangeError
from diandian.emissions.inventory.errors import UnitUnfitError
from diandian.ui.amounts import amount_words, factor_words
from diandian.ui.templatetags.dd import decimal, said


@pytest.mark.parametrize(
    ("lang", "one", "two"),
    [
        ("en", "7.52 kg per meal", "2.66155 + 0.62409 kg per litre"),
        ("nl", "7,52 kg per maaltijd", "2,66155 + 0,62409 kg per liter"),
        ("zh-hans", "7.52 千克/餐", "2.66155 + 0.62409 千克/升"),
    ],
)
def test_a_factor_is_said_for_one_unit(lang, one, two):
    with override(lang):
        assert factor_words([Decimal("7.5200")], "meal") == one
        assert factor_words([Decimal("2.66155"), Decimal("0.62409")], "litre") == two


@pytest.mark.parametrize(
    ("lang", "said_so"),
    [("en", "1,200.5 kg"), ("nl", "1.200,5 kg"), ("zh-hans", "1,200.5 千克")],
)
def test_an_amount_keeps_its_digits(lang, said_so):
    with override(lang):
        assert amount_words(Decimal("1200.500000"), "kg") == said_so


@pytest.mark.parametrize(
    ("text", "dutch"), [("26.0", "26"), ("0.3", "0,3"), ("1234567", "1.234.567"), ("n/a", "n/a")]
)
def test_a_number_kept_as_text_is_written_as_the_language_does(text, dutch):
    with override("nl"):
        assert decimal(text) == dutch


def test_refusals_name_units_and_bounds_in_words():
    unfit = UnitUnfitError(field="unit", given="kg", unit="passenger-km")
    far = OutOfRangeError(field="amount", given="1e13", minimum=0, maximum="1000000000000")
    with override("nl"):
        assert "reizigerskilometer" in said(unfit)
        assert "1.000.000.000.000" in said(far)
    with override("zh-hans"):
        assert "人公里" in said(unfit)
