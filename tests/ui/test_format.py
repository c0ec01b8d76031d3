"""Numbers as people read them, in three languages."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.claims import phrases
from diandian.kernel.money import EXPONENTS, Money
from diandian.ui import format as text

pytestmark = pytest.mark.pure

LANGUAGES = ("zh-Hans", "en", "nl")
PLAIN = str.maketrans({"\u202f": " ", "\xa0": " "})


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (Money(804, "CNY"), ("¥8.04", "¥8.04", "¥ 8,04")),
        (Money(348_000, "CNY"), ("¥3,480.00", "¥3,480.00", "¥ 3.480,00")),
        (Money(-1_050, "EUR"), ("-€10.50", "-€10.50", "€ -10,50")),
        (Money(500, "JPY"), ("JP¥500", "JP¥500", "JP¥ 500")),
        (Money(1_234, "KWD"), ("KWD1.234", "KWD1.234", "KWD 1,234")),
    ],
)
def test_money(amount, expected):
    assert tuple(text.money(amount, lang).translate(PLAIN) for lang in LANGUAGES) == expected


@pytest.mark.parametrize("currency", EXPONENTS)
def test_money_prints_every_minor_unit(currency):
    digits = re.sub(r"\D", "", text.money(Money(123_456, currency), "en"))
    assert digits == "123456"


@pytest.mark.parametrize(
    ("mass_g", "expected"),
    [
        (0, ("0 千克", "0 kg", "0 kg")),
        (43_000, ("43 千克", "43 kg", "43 kg")),
        (400, ("0.4 千克", "0.4 kg", "0,4 kg")),
        (9_949, ("9.9 千克", "9.9 kg", "9,9 kg")),
        (9_950, ("10 千克", "10 kg", "10 kg")),
        (43_040, ("43 千克", "43 kg", "43 kg")),
        (123_500, ("124 千克", "124 kg", "124 kg")),
        (999_499, ("999 千克", "999 kg", "999 kg")),
        (999_500, ("1 吨", "1 t", "1 t")),
        (3_700_000, ("3.7 吨", "3.7 t", "3,7 t")),
        (34_567_000, ("34.6 吨", "34.6 t", "34,6 t")),
        (99_950_000, ("100 吨", "100 t", "100 t")),
        (376_020_000, ("376 吨", "376 t", "376 t")),
        (92_000_000, ("92 吨", "92 t", "92 t")),
    ],
)
def test_mass(mass_g, expected):
    assert tuple(text.mass(mass_g, lang).translate(PLAIN) for lang in LANGUAGES) == expected


@pytest.mark.parametrize(
    ("mass_g", "expected"),
    [
        (72_000, ("72 千克", "72 kg", "72 kg")),
        (400, ("0.4 千克", "0.4 kg", "0,4 kg")),
        (1_240_001, ("1,240.001 千克", "1,240.001 kg", "1.240,001 kg")),
        (54_091_000, ("54.091 吨", "54.091 t", "54,091 t")),
        (400_000_000, ("400 吨", "400 t", "400 t")),
    ],
)
def test_amounts_of_the_books_are_exact(mass_g, expected):
    assert tuple(text.exact_mass(mass_g, lang).translate(PLAIN) for lang in LANGUAGES) == expected


@given(st.integers(0, 10**12), st.sampled_from(LANGUAGES))
def test_pages_and_claims_write_the_same_amounts(mass_g, lang):
    assert text.exact_mass(mass_g, lang) == phrases.exact_mass(mass_g, lang)
    assert text.mass(mass_g, lang) == phrases.shown_mass(mass_g, lang)


@pytest.mark.parametrize(
    ("low", "high", "currency", "expected"),
    [
        (312, 1486, "CNY", ("¥3–15", "¥3–15", "¥ 3–15")),
        (312, 148_600, "EUR", ("€3–1,486", "€3–1,486", "€ 3–1.486")),
        (70, 3486, "CNY", ("", "", "")),
    ],
)
def test_a_span_of_prices_is_whole_and_opens_outwards(low, high, currency, expected):
    spans = [
        text.money_span(Money(low, currency), Money(high, currency), lang) for lang in LANGUAGES
    ]
    assert tuple(span.translate(PLAIN) for span in spans) == expected


def test_mass_names_the_substance_only_when_asked():
    assert text.mass(124_000, "en", co2e=True) == "124\u202fkg CO₂e"


@given(st.integers(0, 10**10), st.sampled_from(LANGUAGES))
def test_mass_keeps_number_and_unit_together(mass_g, lang):
    assert " " not in text.mass(mass_g, lang)


def test_dots():
    assert [text.dots(124, lang).translate(PLAIN) for lang in LANGUAGES] == [
        "124 点",
        "124 dots",
        "124 stippen",
    ]
    assert [text.dots(1, lang).translate(PLAIN) for lang in LANGUAGES] == [
        "1 点",
        "1 dot",
        "1 stip",
    ]


def test_nothing_incomplete_is_called_whole():
    assert text.percent(999, 1000, "en") == "99%"
    assert text.percent(1000, 1000, "zh-Hans") == "100%"
    assert text.percent(0, 0, "nl") == "0%"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (
            date(2026, 11, 26),
            date(2026, 11, 27),
            ("2026年11月26日至27日", "26–27 November 2026", "26–27 november 2026"),
        ),
        (
            date(2026, 11, 30),
            date(2026, 12, 1),
            (
                "2026年11月30日至12月1日",
                "30 November – 1 December 2026",
                "30 november – 1 december 2026",
            ),
        ),
        (
            date(2026, 12, 31),
            date(2027, 1, 1),
            (
                "2026年12月31日至2027年1月1日",
                "31 December 2026 – 1 January 2027",
                "31 december 2026 – 1 januari 2027",
            ),
        ),
        (
            date(2026, 11, 27),
            date(2026, 11, 27),
            ("2026年11月27日", "27 November 2026", "27 november 2026"),
        ),
    ],
)
def test_day_range(first, last, expected):
    assert tuple(text.day_range(first, last, lang) for lang in LANGUAGES) == expected


@pytest.mark.parametrize(
    ("start_g", "end_g", "expected"),
    [
        (250_000, 1_387_000, "CD-000120 [from 0.250 t] to …-000121 [to 0.387 t]"),
        (0, 2_000_000, "CD-000120 to …-000121"),
        (0, 1_000_000, "CD-000120"),
        (1_000_000, 1_137_000, "CD-000121 [0.000–0.137 t]"),
        (0, 500, "CD-000120 [0.000–0.000500 t]"),
    ],
)
def test_serial_range(start_g, end_g, expected):
    assert text.serial_range("CD-", 120, start_g, end_g, "en").translate(PLAIN) == expected


def test_an_empty_range_of_serials_is_refused():
    with pytest.raises(ValueError, match="at least one gram"):
        text.serial_range("CD-", 120, 5, 5, "en")


def test_pick_falls_back_between_chinese_and_english():
    assert text.pick({"zh-Hans": "成都", "en": "Chengdu"}, "zh-hans") == "成都"
    assert text.pick({"zh-Hans": "成都"}, "en") == "成都"
    assert text.pick({"zh-Hans": "成都", "en": "Chengdu"}, "nl") == "Chengdu"
    assert text.pick({"nl": "Luik"}, "en") == "Luik"
    assert text.pick({}, "en") == ""
