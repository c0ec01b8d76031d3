"""Money, mass, counts, dates and serial numbers as text in the visitor's language.

A stored value is never the displayed one: here numbers lose digits, nowhere else.
*Source:* product design, section 11: no more digits than an estimate deserves. Amounts of the books
are written to the gram.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import format_date
from babel.numbers import get_currency_symbol, parse_pattern

from diandian.kernel.mass import GRAMS_PER_KG, GRAMS_PER_TONNE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from babel.numbers import NumberPattern

    from diandian.kernel.money import Money

_KEPT = 4_096  # written amounts and dates
THIN = "\u202f"  # thin no-break space between a number and its unit
_LOCALES = {"zh-Hans": "zh_Hans_CN", "en": "en_GB", "nl": "nl_NL"}
_UNITS = {"zh-Hans": ("千克", "吨"), "en": ("kg", "t"), "nl": ("kg", "t")}
_DOTS = {"zh-Hans": ("点", "点"), "en": ("dot", "dots"), "nl": ("stip", "stippen")}
_FROM_TO = {"zh-Hans": ("从", "至"), "en": ("from", "to"), "nl": ("van", "tot")}
# The yuan is this product's home currency; the yen then needs its letters.
_SYMBOLS = {"CNY": "¥", "JPY": "JP¥"}

_STEPS = tuple(Decimal(1).scaleb(-places) for places in range(7))

# Each bound is where rounding would already print the next step's first value.
KG_WITH_TENTHS_BELOW_G = 9_950
WHOLE_KG_BELOW_G = 999_500
TONNES_WITH_TENTHS_BELOW_G = 99_950_000
EXACT_KG_BELOW_G = 10 * GRAMS_PER_TONNE
_SAMPLE_MARK = re.compile(r" ?[(（](?:示例|sample|voorbeeld)[)）]$")


@lru_cache(maxsize=256)
def canonical_lang(lang: str) -> str:
    """Return the language's code as data is keyed: zh-Hans, en, nl; others in their first part.

    >>> canonical_lang("zh-hans"), canonical_lang("en-gb")
    ('zh-Hans', 'en')
    """
    primary = lang.lower().partition("-")[0]
    return "zh-Hans" if primary == "zh" else primary


def pick(names: Mapping[str, str], lang: str) -> str:
    """Choose the text of a language; without it zh-Hans and English stand in for each other."""
    for wanted in (canonical_lang(lang), "en", "zh-Hans"):
        if text := names.get(wanted):
            return text
    return next((text for text in names.values() if text), "")


@cache
def _locale(lang: str) -> Locale:
    return Locale.parse(_LOCALES.get(canonical_lang(lang), "en_GB"))


@cache
def _marks(lang: str) -> tuple[str, str]:
    """Return the marks between thousands and before decimals."""
    symbols = _locale(lang).number_symbols["latn"]
    return symbols["group"], symbols["decimal"]


@cache
def _pattern(text: str) -> NumberPattern:
    return parse_pattern(text)


@cache
def _symbol(currency: str, lang: str) -> tuple[str, str]:
    """Return the symbol that the locale data writes and the one that we write."""
    written = get_currency_symbol(currency, _locale(lang))
    return written, _SYMBOLS.get(currency, written)


def _write(value: Decimal, places: int, lang: str) -> str:
    """Write a number with a fixed count of decimals. Rounding: half up."""
    rounded = value.quantize(_STEPS[places], rounding=ROUND_HALF_UP)
    group, decimal = _marks(lang)
    whole, _, part = f"{rounded:,f}".partition(".")
    whole = whole.replace(",", group)
    return f"{whole}{decimal}{part}" if part else whole


def _word(words: Mapping[str, tuple[str, str]], lang: str, place: int) -> str:
    return words.get(canonical_lang(lang), words["en"])[place]


def number(value: int | Decimal, lang: str) -> str:
    """Write a whole number with the language's grouping."""
    return _write(Decimal(value), 0, lang)


@lru_cache(maxsize=_KEPT)
def money(amount: Money, lang: str) -> str:
    """Write an amount with its symbol and all its decimals.

    >>> from diandian.kernel.money import Money
    >>> money(Money(804, "CNY"), "en")
    '¥8.04'
    """
    locale = _locale(lang)
    pattern = locale.currency_formats["standard"]
    text = str(pattern.apply(amount.decimal(), locale, currency=amount.currency))
    written, ours = _symbol(amount.currency, lang)
    return text.replace(written, ours)


def whole_money(amount: Money, lang: str) -> str:
    """Write an amount in whole units. Rounding: up."""
    locale = _locale(lang)
    # The language's own pattern without its cents.
    pattern = _pattern(locale.currency_formats["standard"].pattern.replace(".00", ""))
    whole = amount.decimal().to_integral_value(ROUND_CEILING)
    text = str(pattern.apply(whole, locale, currency=amount.currency, currency_digits=False))
    written, ours = _symbol(amount.currency, lang)
    return text.replace(written, ours)


@lru_cache(maxsize=_KEPT)
def money_span(low: Money, high: Money, lang: str) -> str:
    """Write a span of prices in whole units, outwards, with the symbol once; "" from below one.

    >>> from diandian.kernel.money import Money
    >>> money_span(Money(312, "CNY"), Money(1486, "CNY"), "en")
    '¥3–15'
    """
    first = low.decimal().to_integral_value(ROUND_FLOOR)
    end = number(high.decimal().to_integral_value(ROUND_CEILING), lang)
    return whole_money(high, lang).replace(end, f"{number(first, lang)}–{end}") if first else ""


def mass_number(mass_g: int, lang: str) -> tuple[str, bool]:
    """Return the number of a mass by the display rule, and whether it counts tonnes."""
    in_tonnes = abs(mass_g) >= WHOLE_KG_BELOW_G
    value = Decimal(mass_g) / (GRAMS_PER_TONNE if in_tonnes else GRAMS_PER_KG)
    bound = TONNES_WITH_TENTHS_BELOW_G if in_tonnes else KG_WITH_TENTHS_BELOW_G
    if abs(mass_g) < bound:
        value = value.quantize(_STEPS[1], rounding=ROUND_HALF_UP)
    # A printed ".0" would claim a measurement.
    places = 1 if abs(mass_g) < bound and value % 1 else 0
    return _write(value, places, lang), in_tonnes


@lru_cache(maxsize=_KEPT)
def mass(mass_g: int, lang: str, *, co2e: bool = False) -> str:
    """Write a mass with its unit; with ``co2e`` the substance is named.

    Rounding: kg with one decimal under 10, whole kg under a tonne, tonnes with one decimal under
    100, whole tonnes above; a zero after the point is left out.
    """
    text, in_tonnes = mass_number(mass_g, lang)
    unit = _word(_UNITS, lang, 1 if in_tonnes else 0)
    return f"{text}{THIN}{unit} CO₂e" if co2e else f"{text}{THIN}{unit}"


@lru_cache(maxsize=_KEPT)
def exact_mass(mass_g: int, lang: str, *, co2e: bool = False) -> str:
    """Write an amount that was bought, held or retired, to the gram: it must add up by eye.

    >>> [exact_mass(mass_g, "nl").replace(THIN, " ") for mass_g in (1_240_000, 54_091_500)]
    ['1.240 kg', '54,0915 t']
    """
    in_tonnes = abs(mass_g) >= EXACT_KG_BELOW_G
    value = Decimal(mass_g) / (GRAMS_PER_TONNE if in_tonnes else GRAMS_PER_KG)
    exponent = value.normalize().as_tuple().exponent
    places = max(0, -exponent) if isinstance(exponent, int) else 0
    unit = _word(_UNITS, lang, 1 if in_tonnes else 0)
    substance = " CO₂e" if co2e else ""
    return f"{_write(value, places, lang)}{THIN}{unit}{substance}"


def unmarked(name: str) -> str:
    """Drop the mark of sample data at the end of a name; only where a label beside it says so.

    >>> unmarked("Yulin Market (sample)"), unmarked("玉林生活超市（示例）")
    ('Yulin Market', '玉林生活超市')
    """
    return _SAMPLE_MARK.sub("", name)


def dots(count: int, lang: str) -> str:
    """Write a count of dots: 124 dots, 124 点, 124 stippen."""
    word = _word(_DOTS, lang, 0 if count == 1 else 1)
    return f"{number(count, lang)}{THIN}{word}"


def percent(part: int, whole: int, lang: str) -> str:
    """Write a share. Rounding: down, so that nothing incomplete is called 100%."""
    share = 100 * part // whole if whole else 0
    return str(_pattern("#,##0%").apply(Decimal(share) / 100, _locale(lang)))


@lru_cache(maxsize=_KEPT)
def day(value: date, lang: str) -> str:
    """Write a date as it is spoken: 27 November 2026, 2026年11月27日, 27 november 2026."""
    return format_date(value, "long", locale=_locale(lang))


@lru_cache(maxsize=_KEPT)
def day_range(first: date, last: date, lang: str) -> str:
    """Write two dates as one range, saying month and year once where they agree."""
    if first == last:
        return day(first, lang)
    if canonical_lang(lang) == "zh-Hans":
        same = "d日" if (first.year, first.month) == (last.year, last.month) else "M月d日"
        shape = same if first.year == last.year else "y年M月d日"
        return f"{day(first, lang)}至{format_date(last, shape, locale=_locale(lang))}"
    if first.year != last.year:
        return f"{day(first, lang)} – {day(last, lang)}"
    if first.month == last.month:
        return f"{first.day}–{day(last, lang)}"
    return f"{format_date(first, 'd MMMM', locale=_locale(lang))} – {day(last, lang)}"


def serial_range(
    prefix: str, first: int, start_g: int, end_g: int, lang: str, *, width: int = 6
) -> str:
    """Write the grams [start_g, end_g) of a batch as serial numbers and the fractions at its edges.

    ``first``: serial of the batch's gram 0; each serial is one tonne.

    >>> serial_range("CD-", 120, 250_000, 1_387_000, "en").replace(THIN, " ")
    'CD-000120 [from 0.250 t] to …-000121 [to 0.387 t]'
    """
    if end_g <= start_g:
        raise ValueError("a range of serials holds at least one gram")
    begin, begin_g = divmod(start_g, GRAMS_PER_TONNE)
    end, last_g = divmod(end_g - 1, GRAMS_PER_TONNE)
    from_word, to_word = (_word(_FROM_TO, lang, place) for place in (0, 1))
    unit = THIN + _word(_UNITS, lang, 1)
    head = f"{prefix}{first + begin:0{width}d}"
    starts, ends = _tonnes(begin_g, lang), _tonnes(last_g + 1, lang)
    cut_start, cut_end = begin_g > 0, last_g + 1 < GRAMS_PER_TONNE
    if begin == end:
        return f"{head} [{starts}–{ends}{unit}]" if cut_start or cut_end else head
    tail = f"…-{first + end:0{width}d}"
    opening = f" [{from_word} {starts}{unit}]" if cut_start else ""
    closing = f" [{to_word} {ends}{unit}]" if cut_end else ""
    return f"{head}{opening} {to_word} {tail}{closing}"


def _tonnes(mass_g: int, lang: str) -> str:
    """Write tonnes to the kilogram, or to the gram when there is a part of a kilogram."""
    places = 6 if mass_g % GRAMS_PER_KG else 3
    return _write(Decimal(mass_g) / GRAMS_PER_TONNE, places, lang)
