"""Amounts with their units, as people read them; symbols stay as they are."""

from collections.abc import Iterable
from decimal import Decimal

from django.utils.translation import get_language, gettext

from diandian.kernel.errors import N_
from diandian.ui.format import canonical_lang, number

UNITS = {
    "kg": N_("kg"),
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


# One of each: what a factor is given for.
_ONE = {
    "litre": N_("litre"),
    "us_gallon": N_("US gallon"),
    "tonne": N_("tonne"),
    "mile": N_("mile"),
    "vehicle-km": N_("vehicle kilometre"),
    "passenger-km": N_("passenger kilometre"),
    "tonne-km": N_("tonne kilometre"),
    "room-night": N_("room night"),
    "person-night": N_("person night"),
    "meal": N_("meal"),
    "cup": N_("cup"),
    "item": N_("piece"),
    "sheet": N_("sheet"),
    "hour": N_("hour"),
}


def unit_word(unit: str) -> str:
    """Return the word for a unit in the visitor's language."""
    return gettext(UNITS[unit]) if unit in UNITS else unit


def factor_words(values: Iterable[Decimal], unit: str) -> str:
    """Return what factors say together (use and supply): kilograms of CO2e for one unit."""
    value = " + ".join(map(decimal_text, values))
    one = gettext(_ONE[unit]) if unit in _ONE else unit_word(unit)
    return gettext("%(value)s kg per %(unit)s") % {"value": value, "unit": one}


def decimal_text(value: Decimal) -> str:
    """Return a number with every digit it was given, as the visitor's language writes it."""
    lang = canonical_lang(get_language() or "en")
    whole, _, part = f"{value:f}".partition(".")
    part = part.rstrip("0")
    mark = "," if lang == "nl" else "."
    return number(int(whole or 0), lang) + (f"{mark}{part}" if part else "")


def amount_words(amount: Decimal, unit: str) -> str:
    """Return an amount with every digit it was given in, and its unit."""
    return f"{decimal_text(amount)} {unit_word(unit)}"
