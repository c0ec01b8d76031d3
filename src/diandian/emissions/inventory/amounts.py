"""Reads the numbers of a table: strictly, since nobody watches a thousand rows being typed.

A lone comma before three digits is a thousand to some and a fraction to others; it is refused. So
is a lone point where the file comes from a place that writes fractions with a comma.
*Source:* methodology, section 9 (inputs to 0.000001).
"""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal

from diandian.emissions.errors import (
    AnswerMissingError,
    BelowZeroError,
    NotANumberError,
    OutOfRangeError,
    TooLongError,
)
from diandian.emissions.inventory.errors import AmbiguousNumberError
from diandian.emissions.lines import M1

LONGEST = 40
MILLIONTH = Decimal("0.000001")
LARGEST = Decimal(10) ** 12
_ASCII = re.ASCII
_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d{1,2})?", _ASCII | re.IGNORECASE)
_POINT = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+\.\d+|[+-]?\d{1,3}(?:,\d{3}){2,}", _ASCII)
_COMMA = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})*,\d+|[+-]?\d{1,3}(?:\.\d{3}){2,}", _ASCII)
_LONE_COMMA = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", _ASCII)
_LONE_POINT = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", _ASCII)
_LONG_COMMA = re.compile(r"[+-]?\d+,\d+", _ASCII)


def read_amount(
    text: str,
    *,
    field: str = "amount",
    largest: Decimal = LARGEST,
    comma_fractions: bool = False,
) -> Decimal:
    """Return the number of a cell.

    ``comma_fractions``: the file separates its columns by semicolons, as it is done where a comma
    begins the fraction. Rounding: to 0.000001, half up.
    Raises: AnswerMissingError, TooLongError, NotANumberError, AmbiguousNumberError,
    BelowZeroError, OutOfRangeError.
    """
    typed = unicodedata.normalize("NFKC", text).strip().replace("−", "-")
    if not typed:
        raise AnswerMissingError(field=field)
    if len(typed) > LONGEST:
        raise TooLongError(field=field)
    if _LONE_COMMA.fullmatch(typed) or (comma_fractions and _LONE_POINT.fullmatch(typed)):
        raise AmbiguousNumberError(field=field, given=typed)
    number = _number(typed)
    if number is None:
        raise NotANumberError(field=field, given=typed)
    if number < 0:
        raise BelowZeroError(field=field, given=typed)
    if number > largest:
        raise OutOfRangeError(field=field, given=typed, minimum=0, maximum=f"{largest:f}")
    return number.quantize(MILLIONTH, ROUND_HALF_UP, M1)


def _number(typed: str) -> Decimal | None:
    if _PLAIN.fullmatch(typed):
        return Decimal(typed)
    if _POINT.fullmatch(typed):
        return Decimal(typed.replace(",", ""))
    if _COMMA.fullmatch(typed) or _LONG_COMMA.fullmatch(typed):
        return Decimal(typed.replace(".", "").replace(",", "."))
    return None
