"""What the organiser still owes when guests have retired credits for lines of the same inventory.

*Source:* methodology, section 10, rules 6 and 7.
"""

from __future__ import annotations


def debt_g(inventory_g: int, retired_by_guests_g: int) -> int:
    """Return the grams that are left to the organiser, never below 0.

    ``retired_by_guests_g``: only for lines that lie within this inventory.
    """
    if inventory_g < 0 or retired_by_guests_g < 0:
        raise ValueError("grams are never negative")
    return max(inventory_g - retired_by_guests_g, 0)


def site_without_matched_rooms_g(site_g: int, rooms_matched_g: int) -> int:
    """Return a hotel's site inventory without the room-nights that guests have matched.

    A room's factor covers the whole house, so its grams lie within the site's. Never below 0.
    """
    return debt_g(site_g, rooms_matched_g)
