"""When a scene is open, and what a host may write; pure."""

import re
from datetime import date, timedelta
from typing import Literal

Phase = Literal["before", "open", "after", "closed"]

# Guests who travel home late still find the scene; after that only its report stays.
DAYS_AFTER = timedelta(days=30)
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
MARK = re.compile(r"[a-z0-9]{1,8}")
CATEGORIES = frozenset({"travel", "stay", "local", "food", "venue", "goods"})


def phase_of(starts_on: date, ends_on: date | None, today: date) -> Phase:
    """Return where a day lies; a venue without an end never closes.

    >>> phase_of(date(2026, 11, 26), date(2026, 11, 27), date(2026, 12, 27))
    'after'
    """
    if today < starts_on:
        return "before"
    if ends_on is None or today <= ends_on:
        return "open"
    return "after" if today <= ends_on + DAYS_AFTER else "closed"


def last_day(ends_on: date | None) -> date | None:
    """Return the last day on which guests may still take part."""
    return ends_on + DAYS_AFTER if ends_on else None


def has_words(names: object) -> bool:
    """Tell whether a text has at least Chinese or English words, and only words."""
    return (
        isinstance(names, dict)
        and all(isinstance(key, str) and isinstance(text, str) for key, text in names.items())
        and bool(names.get("zh-Hans") or names.get("en"))
    )
