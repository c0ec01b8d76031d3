"""Amounts with their units, as people read them; symbols stay as they are."""

from decimal import Decimal

from django.utils.translation import get_language, gettext

from diandian.kernel.errors import N_
from diandian.ui.format import canonical_lang, number

UNITS = {
    "litre": N_("litres"),
    "us_gallon": N_("US gallons"),
    "m3": "m³",
    "tonne": N_("tonnes"),
    "mile": N_("miles"),
    "vehicle-km": N_("vehicle kilometres"),
    "passenger-km": N_("passenger kilometres"),
    "tonne-km": N_("tonne kilometres"),
    "room-night": N_("room nights"),
    "person-night": N_("person nights"),
    "meal": N_("meals"),
    "cup": N_("cups"),
    "item": N_("pieces"),
    "sheet": N_("sheets"),
    "hour": N_("hours"),
}


def unit_word(unit: str) -> str:
    """Return the word for a unit in the visitor's language."""
    return gettext(UNITS[unit]) if unit in UNITS else unit


def amount_words(amount: Decimal, unit: str) -> str:
    """Return an amount with every digit it was given in, and its unit."""
    lang = canonical_lang(get_language() or "en")
    whole, _, part = f"{amount:f}".partition(".")
    part = part.rstrip("0")
    mark = "," if lang == "nl" else "."
    written = number(int(whole or 0), lang) + (f"{mark}{part}" if part else "")
    return f"{written} {unit_word(unit)}"
