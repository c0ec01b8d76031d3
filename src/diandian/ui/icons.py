"""The icon set: outlines on a 24 px grid, round caps, at most one solid dot as detail.

Icons never stand alone: a word is always beside them, so they are hidden from screen readers.
"""

# ruff: noqa: E501 - a drawn line is not broken
from __future__ import annotations

from functools import cache

_WHEELS = '<path d="M7.5 14.8h0M16.5 14.8h0" stroke-width="2.6"/>'

ICONS: dict[str, str] = {
    "train": '<path d="M7 3.5h10A2.5 2.5 0 0 1 19.5 6v8a3.5 3.5 0 0 1-3.5 3.5H8A3.5 3.5 0 0 1 4.5 14V6'
    'A2.5 2.5 0 0 1 7 3.5ZM4.5 10.5h15M8 17.5 6 21m10-3.5 2 3.5"/>'
    '<path d="M8.5 14h0M15.5 14h0" stroke-width="2.6"/>',
    "plane": '<path d="M3 14.2 21 5.5c.9 1.6.3 3-1.4 3.9L6 16.6l-3-2.4Zm5.2-2.6L4.8 8.4l2.3-.9 5.1 2.2'
    'M12.4 13.3l1.4 5 2.1-1.1.6-6M4 20.5h16"/>',
    "car": '<path d="M3.5 16.5v-4l2-5A2 2 0 0 1 7.4 6h9.2a2 2 0 0 1 1.9 1.5l2 5v4a1 1 0 0 1-1 1h-15'
    'a1 1 0 0 1-1-1ZM4 12h16M6 17.5v2m12-2v2"/>' + _WHEELS,
    "coach": '<path d="M5 5.5A1.5 1.5 0 0 1 6.5 4h11A1.5 1.5 0 0 1 19 5.5v11a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1'
    'v-11ZM5 12h14M12 4v8M7 17.5v2m10-2v2"/><path d="M8.5 14.8h0M15.5 14.8h0" stroke-width="2.6"/>',
    "metro": '<circle cx="12" cy="12" r="8.5"/><path d="M8 15.5V9l4 4.5L16 9v6.5"/>',
    "bike": '<circle cx="6" cy="16" r="3.5"/><circle cx="18" cy="16" r="3.5"/>'
    '<path d="m6 16 3.5-7h5.5l3 7M10.5 16 15 9M10.5 16 8.2 9M7 9h2.5M14 6h2"/>',
    "walk": '<path d="m9.5 20.5 2-5.5-2.5-2.5 1-5 3 .5 2 3.5 2.5 1M11.5 15l3 2 1 3.5M10 7.5 7 10v3"/>'
    '<path d="M12 4.2h0" stroke-width="2.6"/>',
    "ferry": '<path d="M4 13.5 12 11l8 2.5-1.5 4.5h-13L4 13.5ZM7 12.5V7.5h10v5M12 7.5v-3'
    'M3.5 20.5c1.5 0 1.5-1 3-1s1.5 1 3 1 1.5-1 3-1 1.5 1 3 1 1.5-1 3-1 1.5 1 2 1"/>',
    "bed": '<path d="M3.5 19V6M3.5 15.5h17V19m0-3.5V13a3 3 0 0 0-3-3H10v5.5"/>'
    '<circle cx="6.9" cy="11.8" r="1.7"/>',
    "hall": '<path d="M3 20h18M5 20v-8m14 8v-8M3 12c3-5.5 6-7 9-7s6 1.5 9 7H3Zm6 8v-4.5h6V20"/>',
    "bowl": '<path d="M3.5 11.5h17a8.5 7.5 0 0 1-5.5 7v1.5H9v-1.5a8.5 7.5 0 0 1-5.5-7ZM9 8.5c-1-1.5'
    ' 1-2.5 0-4m5 4c-1-1.5 1-2.5 0-4"/>',
    "basket": '<path d="M3.5 10h17L19 19.5H5L3.5 10ZM7.5 10 11 4m5.5 6L13 4M9.5 13.5V16m5-2.5V16"/>',
    "home": '<path d="m3.5 11.5 8.5-7 8.5 7M5.5 10v9.5h13V10M10 19.5v-5h4v5"/>',
    "mountain": '<path d="M2.5 19.5 9 7l4 7.5 2.5-4 6 9h-19ZM7 11l2 1.5 2-1.5"/>'
    '<path d="M17.5 6h0" stroke-width="2.6"/>',
    "building": '<path d="M5 20.5v-16h9v16M14 10h5v10.5M3 20.5h18M8 8.5h3M8 12h3m-3 3.5h3"/>',
    "share": '<path d="M12 15V4m0 0L8 8m4-4 4 4M5 12.5V18a1.5 1.5 0 0 0 1.5 1.5h11A1.5 1.5 0 0 0 19 18v-5.5"/>',
    "save": '<path d="M12 4v11m0 0 4-4m-4 4-4-4M5 19.5h14"/>',
    "shield": '<path d="M12 3.5 5 6v5.5c0 4.3 2.8 7.5 7 9 4.2-1.5 7-4.7 7-9V6l-7-2.5Zm-3 8.7 2.2 2.2 4-4.2"/>',
    "swap": '<path d="M4 8.5h14m0 0L14.5 5M18 8.5 14.5 12M20 16H6m0 0 3.5-3.5M6 16l3.5 3.5"/>',
    "help": '<circle cx="12" cy="12" r="8.5"/><path d="M9.7 9.7a2.4 2.4 0 1 1 3.4 2.4c-.7.4-1.1.9-1.1 1.7"/>'
    '<path d="M12 16.6h0" stroke-width="2.4"/>',
    "check": '<path d="m5 12.5 4.5 4.5L19 7.5"/>',
    "cross": '<path d="m6.5 6.5 11 11m0-11-11 11"/>',
    "chevron-left": '<path d="M14.5 5.5 8 12l6.5 6.5"/>',
    "chevron-right": '<path d="m9.5 5.5 6.5 6.5-6.5 6.5"/>',
    "chevron-down": '<path d="m5.5 9.5 6.5 6.5 6.5-6.5"/>',
    "circle": '<circle cx="12" cy="12" r="8.5"/>',
    "clock": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3.5 2"/>',
    "person": '<circle cx="12" cy="8" r="3.5"/><path d="M5 20c.5-4 3.2-6 7-6s6.5 2 7 6"/>',
    "search": '<circle cx="10.5" cy="10.5" r="6"/><path d="m15 15 5 5"/>',
    "mail": '<path d="M3.5 6.5h17v11h-17v-11Zm0 .5 8.5 6.5L20.5 7"/>',
    "language": '<circle cx="12" cy="12" r="8.5"/><path d="M3.5 12h17M12 3.5c3.2 3 3.2 14 0 17-3.2-3-3.2-14 0-17Z"/>',
}

_ALIASES = {
    "download": "save",
    # Categories
    "travel": "train",
    "stay": "bed",
    "local": "metro",
    "food": "bowl",
    "venue": "hall",
    "goods": "basket",
    # Scene kinds
    "conference": "hall",
    "scenic_spot": "mountain",
    "supermarket": "basket",
    "restaurant": "bowl",
    "hotel": "bed",
    "other": "circle",
    "life": "home",
}


@cache
def icon(name: str, size: int = 24) -> str:
    """Draw an icon in the current colour. Raises: KeyError on an unknown name."""
    shape = ICONS[_ALIASES.get(name, name)]
    return (
        f'<svg class="icon" width="{size}" height="{size}" viewBox="0 0 24 24" fill="none"'
        ' stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"'
        f' aria-hidden="true" focusable="false">{shape}</svg>'
    )
