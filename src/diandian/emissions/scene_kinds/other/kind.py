"""Any other visit: the way, the nights, local rides and own meals.

Three meals a night are taken where the guest does not say, none on a day trip.

*Source:* methodology, sections 4 and 7.
"""

from diandian.emissions.blocks.food import Meals
from diandian.emissions.blocks.local import LocalTransport
from diandian.emissions.blocks.stay import Stay
from diandian.emissions.blocks.travel import Travel
from diandian.emissions.inventory.boundary import ASK, NO_AVERAGE, HostSource
from diandian.emissions.scene_kind import Boundary, SceneKind
from diandian.kernel.errors import N_

KIND = SceneKind(
    key="other",
    names={"zh-Hans": "其他", "en": "Other", "nl": "Overig"},
    blocks=(Travel(), Stay(), LocalTransport(), Meals(per_night=3, day_trip=0)),
    boundary=Boundary(
        guest=N_("Your way there and back, getting around, your nights, and your own meals."),
        host=N_("The place itself, its energy, staff and waste."),
        outside=N_("Buildings and long-lived equipment."),
    ),
    host_sources=(
        HostSource("electricity", "electricity", ASK),
        HostSource("heat", "heat", ASK),
        HostSource("fuel_site", "gas_m3", ASK),
        HostSource("staff_travel", "bus", NO_AVERAGE),
        HostSource("waste", "waste_landfill", NO_AVERAGE),
    ),
)
