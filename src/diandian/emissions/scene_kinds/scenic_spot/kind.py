"""A scenic spot: the guest answers for the way, local rides, nights and meals bought.

Three meals a day are taken where the guest does not say, one on a day trip.

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
    key="scenic_spot",
    names={"zh-Hans": "景区", "en": "Scenic spot", "nl": "Bezienswaardigheid"},
    blocks=(Travel(), Stay(), LocalTransport(), Meals(per_night=3, day_trip=1)),
    boundary=Boundary(
        guest=N_("Your way there and back, getting around, your nights, and the meals you buy."),
        host=N_("Site energy, shuttle buses, cable cars, shops, staff and waste."),
        outside=N_("The land the site uses."),
    ),
    host_sources=(
        HostSource("electricity", "electricity", ASK),
        HostSource("heat", "heat", ASK),
        HostSource("fuel_site", "gas_m3", ASK),
        HostSource("fuel_vehicles", "diesel", ASK),
        HostSource("refrigerant", "r410a", ONLY_TOPPED_UP),
        HostSource("staff_travel", "bus", NO_AVERAGE),
        HostSource("goods", "textile", NO_AVERAGE),
        HostSource("water", "water", ASK),
        HostSource("waste", "waste_landfill", NO_AVERAGE),
    ),
)
