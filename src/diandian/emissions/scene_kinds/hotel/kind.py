"""A hotel: the guest answers for the way, the nights and meals not in the room rate.

Two meals a night are taken where the guest does not say: breakfast is in the rate.

*Source:* methodology, sections 4 and 7.
"""

from diandian.emissions.blocks.food import Meals
from diandian.emissions.blocks.local import LocalTransport
from diandian.emissions.blocks.stay import Stay
from diandian.emissions.blocks.travel import Travel
from diandian.emissions.inventory.boundary import ASK, NO_AVERAGE, ONLY_TOPPED_UP, HostSource
from diandian.emissions.scene_kind import Boundary, SceneKind
from diandian.kernel.errors import N_

KIND = SceneKind(
    key="hotel",
    names={"zh-Hans": "酒店", "en": "Hotel", "nl": "Hotel"},
    blocks=(Travel(), Stay(usual_nights=1), LocalTransport(), Meals(per_night=2, day_trip=0)),
    boundary=Boundary(
        guest=N_("Your way there and back, your nights, and meals not in the room rate."),
        host=N_("Rooms that guests have not matched, public areas, laundry, staff and waste."),
        outside=N_("The construction of the building."),
    ),
    host_sources=(
        HostSource("electricity", "electricity", ASK),
        HostSource("fuel_site", "gas_m3", ASK),
        HostSource("heat", "heat", ASK),
        HostSource("refrigerant", "r410a", ONLY_TOPPED_UP),
        HostSource("staff_travel", "bus", NO_AVERAGE),
        HostSource("goods", "textile", NO_AVERAGE),
        HostSource("water", "water", ASK),
        HostSource("waste", "waste_landfill", NO_AVERAGE),
    ),
)
