"""Amounts, days, names and lists as short text in the three languages, for sentences of claims.

Retired amounts are printed exactly; estimates with no more digits than they deserve.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from diandian.kernel.clock import business_day
from diandian.kernel.mass import GRAMS_PER_KG, GRAMS_PER_TONNE
from diandian.kernel.money import Money

Text = Mapping[str, str]
LANGUAGES = ("zh-Hans", "en", "nl")
# Between a number and its unit; it never breaks.
THIN = "\u202f"
_KG = {"zh-Hans": "千克", "en": "kg", "nl": "kg"}
_TONNE = {"zh-Hans": "吨", "en": "t", "nl": "t"}
_GROUP = {"zh-Hans": ",", "en": ",", "nl": "."}
_POINT = {"zh-Hans": ".", "en": ".", "nl": ","}
_AND = {"zh-Hans": "与", "en": " and ", "nl": " en "}
_COMMA = {"zh-Hans": "、", "en": ", ", "nl": ", "}
_SYMBOLS = {"CNY": "¥", "EUR": "€", "GBP": "£", "JPY": "JP¥", "USD": "US$", "HKD": "HK$"}
_TEN_TONNES_G = 10 * GRAMS_PER_TONNE
# Each bound is where rounding would already print the next step's first value.
_KG_WITH_TENTHS_BELOW_G = 9_950
_WHOLE_KG_BELOW_G = 999_500
_TONNES_WITH_TENTHS_BELOW_G = 99_950_000


def pick(names: Mapping[str, str] | None, lang: str) -> str:
    """Return the name in a language; zh-Hans and en stand in for each other, then any other."""
    if not names:
        return ""
    for key in (lang, "en" if lang != "en" else "zh-Hans", "zh-Hans"):
        if names.get(key):
            return names[key]
    return next((name for name in names.values() if name), "")


def number(value: Decimal, lang: str) -> str:
    """Return a number with the language's separators, with the digits that it has."""
    text = f"{value:,f}"
    table = str.maketrans({",": _GROUP[lang], ".": _POINT[lang]})
    return text.translate(table)


def _exact(value: Decimal, lang: str) -> str:
    text = f"{value:f}"
    return number(Decimal(text.rstrip("0").rstrip(".") if "." in text else text), lang)


def exact_mass(mass_g: int, lang: str) -> str:
    """Return a retired amount, to the gram: kilograms below ten tonnes, tonnes above.

    >>> exact_mass(124_000, "en") == "124\u202fkg"
    True
    >>> exact_mass(12_345_678, "nl") == "12,345678\u202ft"
    True
    """
    if mass_g < _TEN_TONNES_G:
        return f"{_exact(Decimal(mass_g) / GRAMS_PER_KG, lang)}{THIN}{_KG[lang]}"
    return f"{_exact(Decimal(mass_g) / GRAMS_PER_TONNE, lang)}{THIN}{_TONNE[lang]}"


def _tonnes(mass_g: int) -> Decimal:
    return Decimal(mass_g) / GRAMS_PER_TONNE


def shown_number(mass_g: int, lang: str) -> tuple[str, str]:
    """Return an estimated amount as (number, unit word), with no more digits than it deserves.

    Rounding: half up; kg with one decimal under 10, whole kg under a tonne, tonnes with one decimal
    under 100, whole tonnes above.
    """
    if mass_g >= _WHOLE_KG_BELOW_G:
        value, unit, tenths_below_g = _tonnes(mass_g), _TONNE, _TONNES_WITH_TENTHS_BELOW_G
    else:
        value, unit, tenths_below_g = Decimal(mass_g) / GRAMS_PER_KG, _KG, _KG_WITH_TENTHS_BELOW_G
    step = Decimal("0.1") if mass_g < tenths_below_g else Decimal(1)
    rounded = value.quantize(step, rounding=ROUND_HALF_UP)
    if rounded == rounded.to_integral_value():
        rounded = rounded.quantize(Decimal(1))
    return number(rounded, lang), unit[lang]


def shown_mass(mass_g: int, lang: str) -> str:
    """Return an estimated amount with its unit."""
    value, unit = shown_number(mass_g, lang)
    return f"{value}{THIN}{unit}"


def shown_range(low_g: int, high_g: int, lang: str) -> str:
    """Return an interval with one unit where both ends share it: 90–165 kg."""
    low, low_unit = shown_number(low_g, lang)
    high, high_unit = shown_number(high_g, lang)
    start = low if low_unit == high_unit else f"{low}{THIN}{low_unit}"
    return f"{start}–{high}{THIN}{high_unit}"


def amount(amount_minor: int, currency: str, lang: str) -> str:
    """Return money in a sentence: ¥8.04, in Dutch ¥ 8,04."""
    symbol = _SYMBOLS.get(currency, f"{currency} ")
    gap = "\u00a0" if lang == "nl" and not symbol.endswith(" ") else ""
    return f"{symbol}{gap}{number(Money(amount_minor, currency).decimal(), lang)}"


def day(text: str | None) -> str:
    """Return the day of an instant or a date, as records show it: 2026-11-27.

    Instants are read in the business zone.
    """
    if not text:
        return ""
    if "T" not in text:
        return text
    return business_day(datetime.fromisoformat(text)).isoformat()


def listed(words: Sequence[str], lang: str) -> str:
    """Return words as a list: travel, stay and food."""
    if not words[1:]:
        return "".join(words)
    return _COMMA[lang].join(words[:-1]) + _AND[lang] + words[-1]
