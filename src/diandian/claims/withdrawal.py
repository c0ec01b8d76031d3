"""Who may withdraw from an online purchase, and until when; never shorter than the law says.

Retirement is final, so it waits while a consumer may still withdraw, unless they ask for it at once
and know that the right then ends. *Source:* Directive 2011/83/EU, articles 8, 9 and 16; Regulation
(EEC, Euratom) No 1182/71, article 3; United Kingdom: Consumer Contracts Regulations 2013. What was
read, where and when stands in ``withdrawal.toml``.
"""

import tomllib
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from functools import cache
from pathlib import Path

from diandian.claims.rule_pack import Rule

_FILE = Path(__file__).with_name("withdrawal.toml")
_SATURDAY, _WEEK = 5, 7
# Where a consumer is we do not know: the day of the event is the latest that it can be in these
# places, and the last day ends when it has ended in all of them (Finland in summer, the Azores).
_EASTERNMOST = timezone(timedelta(hours=3))
_WESTERNMOST = timezone(timedelta(hours=-1))


@dataclass(frozen=True, slots=True)
class _Law:
    days: int
    countries: frozenset[str]
    languages_without_place: frozenset[str]
    rules: tuple[Rule, ...]


@cache
def _law() -> _Law:
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return _Law(
        days=table["days"],
        countries=frozenset(code for right in table["right"] for code in right["countries"]),
        languages_without_place=frozenset(table["languages_without_place"]),
        rules=tuple(Rule(**row, blocking=False) for row in table["rule"]),
    )


def rules() -> tuple[Rule, ...]:
    """Return the rules with their sources and the days on which they were read."""
    return _law().rules


def applies(*, is_person: bool, country: str, language: str) -> bool:
    """Tell whether a buyer may withdraw and must be asked before anything is retired.

    ``country``: of the scene or the home, "" where none is known; then ``language`` decides, which
    is the best sign there is.
    """
    if not is_person:
        return False
    if country:
        return country in _law().countries
    return language in _law().languages_without_place


def is_ruled_out(*, is_person: bool, country: str) -> bool:
    """Tell whether a buyer has no such right for certain; without a place nobody knows."""
    return not is_person or bool(country and country not in _law().countries)


def ends_at(paid_at: datetime) -> datetime:
    """Return the instant at which the right has ended everywhere, counted from the payment.

    The payment is never before the contract, so nobody gets less than the law says. Saturdays and
    Sundays move the end to Monday; public holidays, which differ by country, are not known here.

    >>> from datetime import UTC
    >>> ends_at(datetime(2026, 11, 24, 9, 0, tzinfo=UTC)).isoformat()
    '2026-12-09T01:00:00+00:00'
    """
    last = paid_at.astimezone(_EASTERNMOST).date() + timedelta(days=_law().days)
    if last.weekday() >= _SATURDAY:
        last += timedelta(days=_WEEK - last.weekday())
    midnight = datetime.combine(last + timedelta(days=1), time(), tzinfo=_WESTERNMOST)
    return midnight.astimezone(paid_at.tzinfo)
