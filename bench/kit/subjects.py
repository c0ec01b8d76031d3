"""What the calculator's bench computes: guests of a conference, lives, an organiser's inventory."""

from __future__ import annotations

import random
import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diandian.emissions import activity, life
from diandian.emissions import scene_kinds as kinds
from diandian.emissions.context import SceneContext
from diandian.emissions.inventory import compute, travel
from diandian.emissions.inventory.entries import Entry, Reader
from diandian.emissions.life import calculator
from diandian.emissions.scene_kind import scene_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diandian.emissions.estimate import Estimate
    from diandian.emissions.factor_set import FactorSet

INLAND = ("西安", "重庆", "北京", "上海", "深圳", "广州", "杭州", "武汉", "绵阳", "昆明", "贵阳",
          "南京", "乌鲁木齐", "哈尔滨")  # fmt: skip
ABROAD = ("Singapore", "Amsterdam", "London", "Tokyo")
CITIES = INLAND + ABROAD
CHENGDU = SceneContext(
    city_key="geonames:1815286",
    region="CN-SC",
    country="CN",
    starts_on=date(2026, 11, 26),
    ends_on=date(2026, 11, 27),
)


def guests(count: int) -> list[dict[str, activity.Value]]:
    """Return parsed answers of invented guests, the same on every run."""
    dice = random.Random(7)
    questions = scene_kind("conference").questions(CHENGDU)
    found = []
    for _ in range(count):
        city = dice.choice(CITIES)
        raw = {
            "from": city,
            "mode": "plane" if city in ABROAD else dice.choice(("train", "plane", "unknown")),
            "nights": str(dice.randint(0, 4)),
            "stay": dice.choice(("budget", "mid", "high", "friends", "unknown")),
        }
        if city == "绵阳":
            raw["mode"] = "car"
        parsed = activity.parse(questions, raw)
        assert not parsed.errors, parsed.errors
        found.append(parsed.values)
    return found


def lives(count: int) -> list[tuple[dict[str, activity.Value], str]]:
    """Return the worked example of a life, each time with one changed answer, and its region."""
    folder = Path(next(iter(life.__path__)))
    example = tomllib.loads((folder / "examples.toml").read_text(encoding="utf-8"))["example"][0]
    region, found = example["region"], []
    for number in range(count):
        parsed = calculator.read(region, example["answers"] | {"car_km": str(100 + number)})
        assert not parsed.errors, parsed.errors
        found.append((parsed.values, region))
    return found


class Organiser:
    """A conference: the rows of its worked example, and what its attendees answered."""

    def __init__(self, attendees: Sequence[Estimate], factors: FactorSet) -> None:
        """Take the attendees' estimates, as they are stored."""
        folder = Path(next(iter(kinds.__path__))) / "conference"
        data = tomllib.loads((folder / "examples.toml").read_text(encoding="utf-8"))
        self.factors, self.region = factors, CHENGDU.region
        self.entries = [self._entry(key, raw) for key, raw in _rows(data)]
        self.attendees = attendees

    def _entry(self, key: str, raw: dict[str, str]) -> Entry:
        found = Reader(self.factors, self.region).read(raw, key)
        assert found.entry is not None, found.errors
        return found.entry

    def inventory(self) -> compute.Inventory:
        """Return the inventory: every answer added up, a tenth more people extrapolated."""
        place = {"city_key": CHENGDU.city_key, "country": CHENGDU.country}
        answers = [travel.answer(estimate, **place) for estimate in self.attendees]
        people = len(answers) * 11 // 10
        guests = travel.extrapolate(
            answers,
            tuple(travel.STRATA),
            travel.attendance_from_total(people, answers),
            factors=self.factors,
        )
        return compute.estimate(self.entries, self.factors, self.region, guests=guests)


def _rows(data: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    return list(data["host_example"][0]["entries"].items())
