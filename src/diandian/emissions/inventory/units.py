"""Units as people write them in a table, and the conversions an inventory needs.

The kernel knows lengths, masses, volumes and energy; here come heat in joules, and the words of
three languages. What is not in the list is refused, never guessed.
*Source:* methodology, section 9; 1 kWh = 3.6 MJ by definition.
"""

from __future__ import annotations

import unicodedata
from decimal import Decimal

from diandian.emissions.lines import M1
from diandian.kernel.units import UnitError, convert

_WORDS = {
    "kWh": "kwh 度 千瓦时",
    "MWh": "mwh 兆瓦时",
    "GJ": "gj 吉焦",
    "MJ": "mj 兆焦",
    "therm": "therm therms",
    "kg": "kg 公斤 千克 kilogram kilograms kilo",
    "g": "g 克 gram grams",
    "tonne": "t 吨 tonne tonnes ton",
    "litre": "l 升 litre litres liter liters",
    "us_gallon": "us_gallon us_gallons",
    "m3": "m3 立方米 立方 方",
    "km": "km 公里 千米 kilometre kilometres kilometer kilometers",
    "m": "m 米",
    "mile": "mile miles 英里",
    "vehicle-km": "vehicle-km vkm 车公里 voertuigkm",
    "passenger-km": "passenger-km pkm 人公里 reizigerskm",
    "tonne-km": "tonne-km tkm 吨公里 tonkm",
    "room-night": "room-night room-nights 间夜 kamernacht kamernachten",
    "person-night": "person-night person-nights 人夜 persoonsnacht persoonsnachten",
    "meal": "meal meals 份 餐 portion portions maaltijd maaltijden",
    "cup": "cup cups 杯 kop koppen",
    "item": "item items 件 个 stuk stuks piece pieces",
    "sheet": "sheet sheets 张 vel vellen",
    "hour": "hour hours h 小时 uur uren",
}
_UNITS = {word: unit for unit, words in _WORDS.items() for word in words.split()}
_MEGAJOULES = {
    "MJ": Decimal(1),
    "GJ": Decimal(1000),
    "kWh": Decimal("3.6"),
    "MWh": Decimal(3600),
    "therm": M1.multiply(Decimal("29.307107"), Decimal("3.6")),
}
_BY_DISTANCE = {"vehicle-km", "passenger-km"}  # "km" means either; one is never taken for the other


def unit_named(text: str) -> str | None:
    """Return the unit a text names in one of three languages, or None.

    >>> unit_named("度"), unit_named("m³"), unit_named("Litres"), unit_named("stone")
    ('kWh', 'm3', 'litre', None)
    """
    typed = unicodedata.normalize("NFKC", text).strip()
    return _UNITS.get(typed.casefold())


def converted(amount: Decimal, unit: str, to_unit: str) -> Decimal:
    """Return an amount in another unit of the same dimension. Raises: UnitError.

    >>> converted(Decimal(1000), "kWh", "GJ")
    Decimal('3.6')
    """
    if unit == to_unit:
        return amount
    if unit in _MEGAJOULES and to_unit in _MEGAJOULES:
        return M1.divide(M1.multiply(amount, _MEGAJOULES[unit]), _MEGAJOULES[to_unit])
    if to_unit in _BY_DISTANCE:
        if unit in _BY_DISTANCE:
            raise UnitError(f"{unit!r} cannot be given where {to_unit!r} is needed")
        to_unit = "km"
    return M1.plus(convert(amount, unit, to_unit))
