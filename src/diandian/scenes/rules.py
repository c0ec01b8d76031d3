"""When a scene is open, and what a host may write; pure."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal

Phase = Literal["before", "open", "after", "closed"]

# Guests who travel home late still find the scene; after that only its report stays.
DAYS_AFTER = timedelta(days=30)
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
# Addresses below /host that are pages of the desk.
RESERVED_SLUGS = frozenset(
    {"new", "preview", "places", "sign-in", "sign-out", "account", "organisation", "sponsor"}
)
MARK = re.compile(r"[a-z0-9]{1,8}")
LANGUAGES = ("zh-Hans", "en", "nl")
LONGEST_WORDS = 120
LONGEST_WORDS_OF_SLUG = 24
MOST_GUESTS = 1_000_000
MOST_POSTERS = 20
_REAL_WORD = 4  # letters; an address does not end in "of" or "the"
_ALL_PCT = 100
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


def meet(*scenes: tuple[str, date, date | None]) -> bool:
    """Tell whether scenes are in one city on days that overlap: place, first day, last day or None.

    >>> meet(("a", date(2026, 1, 1), None), ("a", date(2026, 11, 26), date(2026, 11, 27)))
    True
    """
    first_end = min((ends for _, _, ends in scenes if ends), default=None)
    last_start = max(starts for _, starts, _ in scenes)
    in_one_city = len({place for place, _, _ in scenes}) == 1
    return in_one_city and (first_end is None or last_start <= first_end)


def is_split(travel_owner: str, organiser_pct: int) -> bool:
    """Tell whether a percentage fits who owns the travel: 1 to 99 of a split, else 0."""
    return 0 < organiser_pct < _ALL_PCT if travel_owner == "split" else organiser_pct == 0


def last_day(ends_on: date | None) -> date | None:
    """Return the last day on which guests may still take part."""
    return ends_on + DAYS_AFTER if ends_on else None


def has_words(names: object) -> bool:
    """Tell whether a text has words in one of our languages at least, and only words."""
    return (
        isinstance(names, dict)
        and all(isinstance(key, str) and isinstance(text, str) for key, text in names.items())
        and any(names.get(lang) for lang in LANGUAGES)
    )


def too_long(names: Mapping[str, str]) -> bool:
    """Tell whether a text is longer than a page or a poster shows, in any language."""
    return any(len(text) > LONGEST_WORDS for text in names.values())


def slug_from(words: str, year: int) -> str:
    """Return an address from a name that is written in Latin letters, "" when it holds none.

    >>> slug_from("Tianfu Low-Carbon Building Conference", 2026)
    'tianfu-low-carbon-2026'
    """
    plain = unicodedata.normalize("NFKD", words.lower()).encode("ascii", "ignore").decode()
    kept, length = [], 0
    for word in re.findall(r"[a-z0-9]+", plain):
        length += len(word) + 1
        if length > LONGEST_WORDS_OF_SLUG:
            break
        kept.append(word)
    while kept and (kept[-1] == str(year) or (len(kept) > 1 and len(kept[-1]) < _REAL_WORD)):
        kept.pop()
    return f"{'-'.join(kept)}-{year}" if kept else ""
