"""How people are ranked: by scenes lit, ties by who was earlier; never by kilograms or money.

*Source:* the experience design, section 16: ranking by mass would reward those who fly most.
"""

import hashlib
from datetime import date

# With fewer people than this a rank says too much about single persons: names only.
RANKED_FROM_PEOPLE = 5
SCENE_BOARD_FROM_GUESTS = 20


def boards_of(day: date) -> tuple[str, ...]:
    """Return the boards that a scene lit on a day counts for."""
    return ("people:all", f"people:{day.year}")


def board_key(period: str, today: date) -> str:
    """Return the board of a period, "year" or "all"."""
    return "people:all" if period == "all" else f"people:{today.year}"


def avatar_seed(guest_key: str) -> int:
    """Return the number that a person's bloom grows from; it says nothing about the person."""
    return int.from_bytes(hashlib.sha256(f"avatar/{guest_key}".encode()).digest()[:3], "big")
