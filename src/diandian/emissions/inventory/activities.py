"""The activities an organiser can enter, each with its unit and its rows.

Amounts that nobody can tie to a factor are not here: there is no row "other".
*Source:* methodology, sections 4 and 5; the ratios of hotel classes are ADEME's, 0.20698 kWh a
kilometre is the average battery car of DESNZ, a sheet is 0.06237 m2 of 80 g/m2.
"""

from __future__ import annotations

from decimal import Decimal

from diandian.emissions.blocks.ground import BATTERY_KWH_PER_KM
from diandian.emissions.inventory.activity import Activity, Row
from diandian.kernel.errors import N_

_FUEL = ("fuel_site", "fuel_vehicles")
_TRIP = ("staff_travel", "local_transport", "attendee_travel")
_NIGHT = ("staff_lodging", "attendee_lodging")
_ROOM = "accommodation.hotel.room"
_KILO = "kg"
A4_SHEET_KG = Decimal("0.0049896")


def _fuel(key: str, label: str, row: str, unit: str = "litre") -> Activity:
    return Activity(key, label, _FUEL, unit, (Row(f"energy.fuel.{row}"),))


def _trip(key: str, label: str, *rows: str, unit: str = "passenger-km") -> Activity:
    return Activity(key, label, _TRIP, unit, tuple(map(Row, rows)), guest=True)


def _city_ride(key: str, label: str, row: str) -> Activity:
    return Activity(key, label, _TRIP, "passenger-km", (Row(row, national=True),), guest=True)


def _flight(key: str, label: str, row: str, only: str = "") -> Activity:
    rows = (Row(f"transport.air.{row}.rf", only=only),)
    return Activity(key, label, _TRIP[::2], "passenger-km", rows, guest=True)


def _hotel(key: str, label: str, china: str, ratio: str) -> Activity:
    rows = (Row(f"{_ROOM}{china}", only="CN"), Row(_ROOM, Decimal(ratio)))
    return Activity(key, label, _NIGHT, "room-night", rows, guest=True)


def _served(key: str, label: str, row: str, unit: str = "meal", home: str = "") -> Activity:
    return Activity(key, label, ("catering",), unit, (Row(row, home=home),), guest=True)


def _thing(key: str, label: str, row: str, unit: str = _KILO) -> Activity:
    return Activity(key, label, ("goods",), unit, (Row(row),), guest=True)


def _carried(key: str, label: str, row: str) -> Activity:
    return Activity(key, label, ("freight",), "tonne-km", (Row(f"freight.{row}"),))


def _gas(key: str, label: str, row: str) -> Activity:
    return Activity(key, label, ("refrigerant",), _KILO, (Row(f"refrigerant.{row}"),))


def _dumped(key: str, label: str, row: str) -> Activity:
    return Activity(key, label, ("waste",), _KILO, (Row(f"waste.{row}"),), guest=True)


_ENERGY = (
    Activity(
        "electricity",
        N_("Electricity from the grid"),
        ("electricity",),
        "kWh",
        (Row("energy.electricity.grid"),),
    ),
    Activity(
        "heat", N_("District heat or cooling"), ("heat",), "GJ", (Row("energy.heat.district"),)
    ),
    _fuel("gas_m3", N_("Natural gas, by volume"), "natural_gas.m3", "m3"),
    _fuel("gas_kwh", N_("Natural gas, by energy"), "natural_gas.gross_kwh", "kWh"),
    _fuel("lpg", N_("Liquefied petroleum gas"), "lpg.litre"),
    _fuel("propane", N_("Propane"), "propane.litre"),
    _fuel("diesel", N_("Diesel"), "diesel.mineral.litre"),
    _fuel("petrol", N_("Petrol"), "petrol.mineral.litre"),
    _fuel("heating_oil", N_("Heating oil"), "gas_oil.litre"),
    _fuel("coal_kwh", N_("Coal, by energy"), "coal.industrial.gross_kwh", "kWh"),
    _gas("r410a", N_("Refrigerant R-410A, topped up"), "r410a"),
    _gas("r32", N_("Refrigerant R-32, topped up"), "hfc-32"),
    _gas("r134a", N_("Refrigerant R-134a, topped up"), "hfc-134a"),
    _gas("r404a", N_("Refrigerant R-404A, topped up"), "r404a"),
    _gas("r407c", N_("Refrigerant R-407C, topped up"), "r407c"),
    _gas("r507a", N_("Refrigerant R-507A, topped up"), "r507a"),
    _gas("r22", N_("Refrigerant R-22, topped up"), "r22"),
    _gas("r290", N_("Refrigerant R-290, topped up"), "r290"),
    Activity("water", N_("Water, supplied and treated"), ("water",), "m3", (Row("water.supply"),)),
)
_TRIPS = (
    _trip(
        "train_fast",
        N_("High-speed train"),
        "transport.rail.high_speed",
        "transport.rail.national",
    ),
    _trip("train", N_("Train"), "transport.rail.conventional", "transport.rail.national"),
    _city_ride("metro", N_("Metro"), "transport.rail.metro"),
    _city_ride("bus", N_("City bus"), "transport.road.bus.local"),
    _trip("coach", N_("Coach or shuttle bus"), "transport.road.coach"),
    _trip("ferry", N_("Ferry"), "transport.sea.ferry.average"),
    _trip("ebike", N_("E-bike or e-scooter"), "transport.active.ebike"),
    _trip("bicycle", N_("Bicycle or shared bike"), "transport.active.bicycle"),
    _trip(
        "taxi",
        N_("Taxi or ride-hailing"),
        "transport.road.taxi.ride_hailing.vehicle",
        "transport.road.taxi.regular.vehicle",
        unit="vehicle-km",
    ),
    _trip("car", N_("Car, fuel unknown"), "transport.road.car.average.unknown", unit="vehicle-km"),
    _trip("car_petrol", N_("Petrol car"), "transport.road.car.average.petrol", unit="vehicle-km"),
    _trip("car_diesel", N_("Diesel car"), "transport.road.car.average.diesel", unit="vehicle-km"),
    _trip("car_hybrid", N_("Hybrid car"), "transport.road.car.average.hybrid", unit="vehicle-km"),
    Activity(
        "car_electric",
        N_("Battery car"),
        _TRIP,
        "vehicle-km",
        (Row("energy.electricity.grid"),),
        becomes="kWh",
        ratio=BATTERY_KWH_PER_KM,
        guest=True,
    ),
    _flight(
        "flight_china", N_("Flight within mainland China, from 500 km"), "china_domestic", "CN"
    ),
    _flight("flight_under_500", N_("Flight under 500 km"), "domestic.average"),
    _flight("flight_short", N_("Flight of 500 to 3,700 km, economy"), "short_haul.economy"),
    _flight(
        "flight_short_business", N_("Flight of 500 to 3,700 km, business"), "short_haul.business"
    ),
    _flight("flight_long", N_("Flight over 3,700 km, economy"), "long_haul.economy"),
    _flight("flight_long_business", N_("Flight over 3,700 km, business"), "long_haul.business"),
)
_NIGHTS = (
    _hotel("hotel", N_("Hotel, class unknown"), ".midscale_fnb", "1"),
    _hotel("hotel_budget", N_("Budget hotel"), ".economy", "0.86"),
    _hotel("hotel_mid", N_("Mid-range hotel"), ".midscale", "0.85"),
    _hotel("hotel_high", N_("Upscale hotel"), ".upscale", "1.15"),
    _hotel("hotel_five", N_("Five-star hotel"), "", "1.73"),
    Activity(
        "hostel",
        N_("Hostel"),
        _NIGHT,
        "person-night",
        (Row("accommodation.hostel.person_night"),),
        guest=True,
    ),
)
_FOOD = (
    _served("meal", N_("Everyday or boxed meal"), "meal.pork"),
    _served("meal_vegetarian", N_("Vegetarian meal"), "meal.vegetarian"),
    _served("meal_vegan", N_("Vegan meal"), "meal.vegan"),
    _served("meal_chicken", N_("Meal with chicken"), "meal.chicken"),
    _served("meal_fish", N_("Meal with fish"), "meal.fish_white"),
    _served("meal_beef", N_("Meal with beef or lamb"), "meal.beef"),
    _served("meal_buffet", N_("Buffet or banquet"), "meal.buffet.hotel", home="CN"),
    _served("meal_buffet_frugal", N_("Frugal buffet"), "meal.buffet.hotel.low", home="CN"),
    _served("meal_hotpot", N_("Hotpot"), "meal.hotpot", home="CN"),
    _served("breakfast", N_("Continental breakfast"), "meal.breakfast.continental"),
    _served("coffee", N_("Cup of coffee"), "drink.coffee_cup", "cup"),
    _served("tea", N_("Tea"), "drink.tea", "litre"),
    _served("bottled_water", N_("Bottled water"), "drink.bottled_water", "litre"),
    _served("tap_water", N_("Tap water"), "drink.tap_water", "litre"),
    _served("juice", N_("Fruit juice"), "drink.fruit_juice", "litre"),
    _served("soft_drink", N_("Soft drink"), "drink.soda", "litre"),
    _served("beer", N_("Beer"), "drink.beer", "litre"),
    _served("wine", N_("Wine"), "drink.wine", "litre"),
)
_THINGS = (
    _thing("paper", N_("Paper, new"), "material.paper.primary"),
    _thing("paper_recycled", N_("Paper, recycled"), "material.paper.recycled"),
    Activity(
        "sheet_a4",
        N_("A4 sheets of 80 g/m²"),
        ("goods",),
        "sheet",
        (Row("material.paper.primary"),),
        becomes=_KILO,
        ratio=A4_SHEET_KG,
        guest=True,
    ),
    _thing("board", N_("Cardboard"), "material.board.primary"),
    _thing("wood", N_("Wood"), "material.wood.primary"),
    _thing("aluminium", N_("Aluminium"), "material.aluminium.primary"),
    _thing("steel", N_("Steel"), "material.steel_can.primary"),
    _thing("glass", N_("Glass"), "material.glass.primary"),
    _thing("plastic", N_("Plastic"), "material.plastic.primary"),
    _thing("plastic_film", N_("Plastic film and bags"), "material.plastic_film.primary"),
    _thing("pvc", N_("PVC banners"), "material.pvc.primary"),
    _thing("textile", N_("Textiles"), "material.clothing.primary"),
    _thing("tshirt", N_("Cotton T-shirts"), "goods.clothing.tshirt_cotton", "item"),
    _carried("freight_truck", N_("Freight by lorry"), "road.hgv.average"),
    _carried("freight_truck_cold", N_("Freight by refrigerated lorry"), "road.hgv.refrigerated"),
    _carried("freight_van", N_("Freight by van"), "road.van.diesel"),
    _carried("freight_rail", N_("Freight by rail"), "rail"),
    _carried("freight_ship", N_("Freight by container ship"), "sea.container"),
    _carried("freight_air", N_("Freight by air, over 3,700 km"), "air.long_haul.rf"),
    _dumped("waste_landfill", N_("Mixed waste to landfill"), "household_residual.landfill"),
    _dumped("waste_burned", N_("Mixed waste burned"), "household_residual.incineration_fossil"),
    _dumped("waste_food_landfill", N_("Food waste to landfill"), "food.landfill"),
    _dumped("waste_food_compost", N_("Food waste composted"), "food.composting"),
    _dumped("waste_paper_recycled", N_("Paper recycled"), "paper.recycled"),
    _dumped("waste_plastic_burned", N_("Plastic burned"), "plastic.incineration_fossil"),
    _dumped("waste_plastic_recycled", N_("Plastic recycled"), "plastic.recycled"),
    _dumped("waste_glass_recycled", N_("Glass recycled"), "glass.recycled"),
    _dumped("waste_metal_recycled", N_("Metal recycled"), "metal_can.recycled"),
    _dumped("waste_wood_recycled", N_("Wood recycled"), "wood.recycled"),
    Activity(
        "streaming",
        N_("Video streamed, hours of all viewers"),
        ("digital",),
        "hour",
        (Row("digital.video_stream"),),
        guest=True,
    ),
    Activity(
        "video_call",
        N_("Video call, hours of all participants"),
        ("digital",),
        "hour",
        (Row("digital.video_call"),),
        guest=True,
    ),
)
ACTIVITIES = {
    activity.key: activity for activity in (*_ENERGY, *_TRIPS, *_NIGHTS, *_FOOD, *_THINGS)
}
