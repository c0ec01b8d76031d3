"""A conference, fair or meeting: the guest answers for the way, the nights and own meals.

Meals of the programme and the hall are the host's. Where the guest does not say, one meal a night
is taken: the evening one, since lunch belongs to the programme and breakfast to the room.
*Source:* methodology, sections 4 and 7.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from diandian.emissions.blocks.food import Meals
from diandian.emissions.blocks.local import LocalTransport
from diandian.emissions.blocks.stay import Stay
from diandian.emissions.blocks.travel import Travel
from diandian.emissions.estimate import Lever
from diandian.emissions.inventory.boundary import (
    ASK,
    FROM_GUESTS,
    NO_AVERAGE,
    ONLY_TOPPED_UP,
    HostSource,
)
from diandian.emissions.lines import ONE, mass_of
from diandian.emissions.scene_kind import Boundary, SceneKind
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.lines import Line

HOURS_A_DAY, MOST_DAYS = 8, 30


def join_online(lines: Sequence[Line], context: SceneContext, factors: FactorSet) -> Lever:
    """Return what joining by video would save: everything but eight hours of video a day."""
    days = 1
    if context.starts_on and context.ends_on:
        days = min(max((context.ends_on - context.starts_on).days + 1, 1), MOST_DAYS)
    hours = Decimal(days * HOURS_A_DAY)
    row = factors.find("digital.video_call", context.country).factor
    saved = sum(line.mass_g for line in lines) - mass_of(hours, row.value, ONE)
    return Lever("online", N_("Join online"), {}, max(saved, 0))


KIND = SceneKind(
    key="conference",
    names={"zh-Hans": "会议活动", "en": "Conference", "nl": "Congres"},
    blocks=(Travel(), Stay(), LocalTransport(), Meals(per_night=1, day_trip=0)),
    boundary=Boundary(
        guest=N_("Your way there and back, your nights, and meals outside the programme."),
        host=N_("The hall, programme meals, print, stands, freight, staff, speakers and waste."),
        outside=N_("The permanent building, and exhibitors' own factories."),
    ),
    skip=join_online,
    host_sources=(
        HostSource("electricity", "electricity", ASK),
        HostSource("heat", "heat", ASK),
        HostSource("fuel_site", "gas_m3", ASK),
        HostSource("fuel_vehicles", "diesel", ASK),
        HostSource("refrigerant", "r410a", ONLY_TOPPED_UP),
        HostSource("attendee_travel", "train_fast", FROM_GUESTS),
        HostSource("attendee_lodging", "hotel", FROM_GUESTS),
        HostSource("local_transport", "coach", FROM_GUESTS),
        HostSource("staff_travel", "train_fast", NO_AVERAGE),
        HostSource("staff_lodging", "hotel_mid", NO_AVERAGE),
        HostSource(
            "catering",
            "meal",
            N_("One programme meal a person and day; in China a buffet. Say what was served."),
            per="person_day",
            amount=ONE,
            china="meal_buffet",
        ),
        HostSource("goods", "paper", NO_AVERAGE),
        HostSource("freight", "freight_truck", NO_AVERAGE),
        HostSource("water", "water", ASK),
        HostSource("waste", "waste_landfill", NO_AVERAGE),
        HostSource("digital", "streaming", NO_AVERAGE),
    ),
)
