"""Reads the numbers people type: full-width digits, separators, pasted units, Chinese numerals.

What cannot be read for certain is refused beside its field; nothing is silently made a number.
*Source:* methodology, section 9 (inputs to 0.001; miles times 1.609344).
"""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal

from diandian.emissions.errors import NotANumberError, NotWholeError, OutOfRangeError, TooLongError
from diandian.kernel.units import convert

LONGEST = 40
THOUSANDTH = Decimal("0.001")
_NUMBER = re.compile(r"([-+−]?)(\d{1,3}(?:,\d{3})+|\d+)?(?:([.,])(\d+))?\s*(.*)", re.DOTALL)
_CHINESE: dict[str, int | Decimal] = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
}
_CHINESE |= {"七": 7, "八": 8, "九": 9, "十": 10, "半": Decimal("0.5")}

# question unit -> words people add to it, and the kernel's unit when it needs converting
_WORDS: dict[str, dict[str, str]] = {
    "night": dict.fromkeys(
        ["晚", "夜", "night", "nights", "nacht", "nachten", "天晚上", "个晚上"], ""
    ),
    "person": dict.fromkeys(
        ["人", "位", "个人", "person", "persons", "people", "persoon", "personen"], ""
    ),
    "meal": dict.fromkeys(["餐", "顿", "meal", "meals", "maaltijd", "maaltijden"], ""),
    "dish": dict.fromkeys(
        ["道", "个", "盘", "道菜", "个菜", "dish", "dishes", "gerecht", "gerechten"], ""
    ),
    "cup": dict.fromkeys(
        ["杯", "瓶", "cup", "cups", "glass", "glasses", "kop", "koppen", "glas", "glazen"], ""
    ),
    "km": {"km": "", "公里": "", "千米": "", "kilometer": "", "kilometers": "", "kilometre": ""}
    | {"kilometres": "", "mile": "mile", "miles": "mile", "mi": "mile", "英里": "mile", "米": "m"}
    | {"m": "m"},
    "kg": {"kg": "", "公斤": "", "千克": "", "kilo": "", "kilogram": "", "g": "g", "克": "g"}
    | {"gram": "g", "grams": "g"},
    "kWh": {"kwh": "", "度": "", "千瓦时": "", "千瓦小时": "", "kilowattuur": "", "mwh": "MWh"},
    "m3": dict.fromkeys(["m3", "立方米", "立方", "方", "kuub", "cubic metres"], ""),
    "m2": dict.fromkeys(["m2", "平方米", "平方", "平米", "平", "square metres"], ""),
    "GJ": dict.fromkeys(["gj", "吉焦", "gigajoule"], ""),
    "litre": {"l": "", "升": "", "公升": "", "litre": "", "litres": "", "liter": "", "liters": ""}
    | {"us gallon": "us_gallon", "us gallons": "us_gallon"},
    "hour": dict.fromkeys(["h", "hour", "hours", "小时", "个小时", "uur", "uren"], ""),
    "item": dict.fromkeys(["件", "个", "台", "部", "item", "items", "stuk", "stuks"], ""),
    "flight": dict.fromkeys(["次", "趟", "flight", "flights", "vlucht", "vluchten"], ""),
}
_HALF_KILO = {"斤", "市斤"}


def read_number(
    text: str,
    *,
    unit: str,
    minimum: Decimal,
    maximum: Decimal,
    whole: bool,
    field: str,
) -> Decimal:
    """Return the number that a text means, in the question's unit.

    Rounding: to 0.001, half up. Raises: NotANumberError, NotWholeError, OutOfRangeError,
    TooLongError.
    """
    typed = unicodedata.normalize("NFKC", text).strip()
    if len(typed) > LONGEST:
        raise TooLongError(field=field)
    amount = _amount(typed, unit, field)
    if not minimum <= amount <= maximum:
        raise OutOfRangeError(field=field, given=typed, minimum=minimum, maximum=maximum)
    if whole and amount != amount.to_integral_value():
        raise NotWholeError(field=field, given=typed)
    return amount.quantize(Decimal(1) if whole else THOUSANDTH, rounding=ROUND_HALF_UP)


def _amount(typed: str, unit: str, field: str) -> Decimal:
    number, words = _leading_number(typed)
    known = _WORDS.get(unit, {})
    jin = unit == "kg" and words in _HALF_KILO
    if number is None or not (jin or not words or words in known):
        raise NotANumberError(field=field, given=typed)
    if jin:
        return number / 2
    other = known.get(words, "")
    return convert(number, other, unit) if other else number


def _leading_number(typed: str) -> tuple[Decimal | None, str]:
    if typed[:1] in _CHINESE:
        rest = typed[1:].strip().casefold()
        return (None, "") if rest[:1] in _CHINESE else (Decimal(_CHINESE[typed[0]]), rest)
    match = _NUMBER.match(typed)
    if match is None:
        return None, ""
    sign, whole, _, fraction, words = match.groups()
    if not (whole or fraction) or not (whole or "").replace(",", "").isascii():
        return None, ""
    if fraction and not fraction.isascii():
        return None, ""
    digits = f"{(whole or '0').replace(',', '')}.{fraction or '0'}"
    value = Decimal(digits)
    return (-value if sign in {"-", "−"} else value), words.strip().casefold()


def plain(amount: Decimal) -> str:
    """Return a decimal as the shortest plain text: 2.500 becomes "2.5", 120.000 "120".

    >>> plain(Decimal("2.500")), plain(Decimal("120.000")), plain(Decimal("0.000"))
    ('2.5', '120', '0')
    """
    text = f"{amount:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
