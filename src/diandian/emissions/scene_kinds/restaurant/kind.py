"""A restaurant: the guest answers for the way and for what was eaten and drunk.

*Source:* methodology, sections 4 and 7.
"""

from diandian.emissions.blocks.food import Eaten
from diandian.emissions.blocks.local import Outing
from diandian.emissions.inventory.boundary import ASK, NO_AVERAGE, HostSource
from diandian.emissions.scene_kind import Boundary, SceneKind
from diandian.kernel.errors import N_

KIND = SceneKind(
    key="restaurant",
    names={"zh-Hans": "餐厅", "en": "Restaurant", "nl": "Restaurant"},
    blocks=(Outing(), Eaten()),
    boundary=Boundary(
        guest=N_("Your way there and back, and what you eat and drink."),
        host=N_("Kitchen gas and power, the dining room, tableware and waste."),
        outside=N_("The buildings and machines of suppliers."),
    ),
    host_sources=(
        HostSource("electricity", "electricity", ASK),
        HostSource("fuel_site", "gas_m3", ASK),
        HostSource("heat", "heat", ASK),
        HostSource("goods", "plastic", NO_AVERAGE),
        HostSource("waste", "waste_food_landfill", NO_AVERAGE),
    ),
)
