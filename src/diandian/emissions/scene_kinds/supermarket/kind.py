"""A supermarket: the guest answers for the way and, if wished, for the goods chosen.

*Source:* methodology, sections 4 and 7.
"""

from diandian.emissions.blocks.basket import Basket
from diandian.emissions.blocks.local import Outing
from diandian.emissions.inventory.boundary import ASK, NO_AVERAGE, ONLY_TOPPED_UP, HostSource
from diandian.emissions.scene_kind import Boundary, SceneKind
from diandian.kernel.errors import N_

KIND = SceneKind(
    key="supermarket",
    names={"zh-Hans": "商超", "en": "Supermarket", "nl": "Supermarkt"},
    blocks=(Outing(), Basket()),
    boundary=Boundary(
        guest=N_("Your way to the shop and, if you like, the goods you choose."),
        host=N_("Store energy, cooling gases, freight from the depot, bags and waste."),
        outside=N_("Food that nobody buys."),
    ),
    host_sources=(
        HostSource("electricity", "electricity", ASK),
        HostSource("heat", "heat", ASK),
        HostSource("refrigerant", "r404a", ONLY_TOPPED_UP),
        HostSource("freight", "freight_truck_cold", NO_AVERAGE),
        HostSource("goods", "plastic_film", NO_AVERAGE),
        HostSource("waste", "waste_landfill", NO_AVERAGE),
    ),
)
