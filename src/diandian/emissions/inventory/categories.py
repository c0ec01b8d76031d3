"""Where an organiser's grams come from: sixteen sources, each with the tags that guides ask for.

``group`` is one of the six source groups of annex 1 of China's 2019 guideline for large events
(MEE announcement 2019 No. 19), or "" for a source which that list does not name; it is counted all
the same. ``nzce`` is the nearest of the nine categories of the events industry's measurement
method (NZCE, December 2023). Names of the nine as reported by the trade press; the method itself
was not read.
*Source:* methodology, section 5; market note B1-08 and B3-06.
"""

from __future__ import annotations

from dataclasses import dataclass

from diandian.kernel.errors import N_

GROUPS = {
    "combustion": N_("Fuel burned on site and in own vehicles"),
    "purchased_energy": N_("Purchased electricity, heat and cooling"),
    "transport": N_("Transport of organiser and participants"),
    "lodging_catering": N_("Lodging and catering"),
    "supplies": N_("Supplies and materials"),
    "waste": N_("Waste"),
}
NZCE = {
    "production": N_("Production and materials"),
    "freight": N_("Freight and logistics"),
    "food": N_("Food and drink"),
    "travel": N_("Travel to the place"),
    "local_transport": N_("Local transport"),
    "accommodation": N_("Accommodation"),
    "energy": N_("Energy"),
    "waste": N_("Waste"),
    "digital": N_("Digital content and communication"),
}


@dataclass(frozen=True, slots=True)
class Category:
    """One source. ``broad``: the category of ``Line`` that pages draw it with."""

    key: str
    label: str
    group: str
    nzce: str
    broad: str


_ALL = (
    Category("electricity", N_("Electricity"), "purchased_energy", "energy", "venue"),
    Category("heat", N_("Heat and cooling"), "purchased_energy", "energy", "venue"),
    Category("fuel_site", N_("Fuel burned on site"), "combustion", "energy", "venue"),
    Category("fuel_vehicles", N_("Fuel of own vehicles"), "combustion", "local_transport", "venue"),
    Category("refrigerant", N_("Cooling gases"), "", "energy", "venue"),
    Category("attendee_travel", N_("Guests' travel"), "transport", "travel", "travel"),
    Category("staff_travel", N_("Travel of staff and speakers"), "transport", "travel", "travel"),
    Category("local_transport", N_("Local transport"), "transport", "local_transport", "local"),
    Category("attendee_lodging", N_("Guests' nights"), "lodging_catering", "accommodation", "stay"),
    Category(
        "staff_lodging",
        N_("Nights of staff and speakers"),
        "lodging_catering",
        "accommodation",
        "stay",
    ),
    Category("catering", N_("Catering"), "lodging_catering", "food", "food"),
    Category("goods", N_("Print, stands and goods"), "supplies", "production", "goods"),
    Category("freight", N_("Freight"), "", "freight", "venue"),
    Category("water", N_("Water"), "", "energy", "venue"),
    Category("waste", N_("Waste"), "waste", "waste", "venue"),
    Category("digital", N_("Streaming and computing"), "", "digital", "venue"),
)
CATEGORIES = {category.key: category for category in _ALL}
