"""Words of the inventory: units, and what a table may say in any of our languages."""

from django.utils.translation import gettext, override

from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.activity import Activity
from diandian.emissions.inventory.categories import CATEGORIES
from diandian.emissions.inventory.entries import QUALITIES, STATED, Entry
from diandian.emissions.inventory.units import converted
from diandian.emissions.lines import ONE
from diandian.emissions.numbers import plain
from diandian.kernel.errors import N_
from diandian.kernel.units import UnitError
from diandian.ui.amounts import unit_word

# Units that a form offers, where they can become the activity's.
_OFFERED = ("kWh", "MWh", "GJ", "MJ", "kg", "g", "tonne", "litre", "us_gallon", "m3", "km", "mile")
_OWNERS = {"organiser": N_("Organiser"), "guest": N_("Guests")}
_LANGUAGES = ("en", "zh-hans", "nl")


def units_for(activity: Activity) -> list[tuple[str, str]]:
    """Return the units in which an activity can be given, the usual one first."""
    fitting = [activity.unit, *(unit for unit in _OFFERED if _fits(unit, activity.unit))]
    return [(unit, unit_word(unit)) for unit in dict.fromkeys(fitting)]


def _fits(unit: str, to_unit: str) -> bool:
    try:
        converted(ONE, unit, to_unit)
    except UnitError:
        return False
    return True


def names_in_tables() -> dict[str, str]:
    """Return what a table may call activities, sources, qualities and owners, by what it means.

    A word that means two things means neither; it is then refused as unknown.
    """
    meanings: dict[str, set[str]] = {}
    labelled = [(key, activity.label) for key, activity in ACTIVITIES.items()]
    labelled += [(key, category.label) for key, category in CATEGORIES.items()]
    labelled += [(key, QUALITIES[key]) for key in STATED]
    labelled += _OWNERS.items()
    for code in _LANGUAGES:
        with override(code):
            for key, label in labelled:
                meanings.setdefault(gettext(label).casefold(), set()).add(key)
    return {word: keys.pop() for word, keys in meanings.items() if len(keys) == 1}


def raw_of(entry: Entry) -> dict[str, str]:
    """Return an entry's texts by field, as if they were typed."""
    own = entry.own
    return {
        "activity": entry.activity,
        "category": entry.category,
        "amount": plain(entry.amount),
        "unit": entry.unit,
        "quality": entry.quality if entry.quality in STATED else "estimated",
        "share_pct": plain(entry.share * 100),
        "uses": str(entry.uses),
        "owner": plain(entry.organiser_pct),
        "own_value": plain(own.value) if own else "",
        "own_source": own.source if own else "",
        "own_doubt_pct": plain(own.doubt_pct) if own else "",
        "note": entry.note,
        "evidence": entry.evidence,
    }
