"""The invented guests: who came where and when, and what they answered; the same on every run.

Nothing is written here. The answers are texts as a guest would type them, so that they pass through
the same reading and the same calculator as everybody's.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from diandian.emissions import geo
from diandian.kernel.clock import BUSINESS_ZONE

_SEED = 20_26
_OPENS, _CLOSES = 8 * 60 + 30, 20 * 60 + 30  # minutes of the day
_TRAIN_KM, _PLANE_KM = 300, 1100
# Regulars go where one goes again; the events only once.
_HAUNTS = {
    "wangcong-tea": 5,
    "yulin-market": 5,
    "chengnan-museum": 3,
    "qingcheng-trail": 2,
    "huanhuaxi-hostel": 1,
}
_EVENTS = ("tianfu26", "greenway-run")
_HOME = "成都"
# The stock of this project is kept for the last days: its certificates are the ones still pending.
_PENDING_PROJECT, _PENDING_DAYS = "sample-food-waste", 9
_SCARCE_PROJECT, _SCARCE_UNTIL_DAYS = "sample-linpan-grove", 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One guest at one scene. ``answers``: as typed. An empty name prints as a guest."""

    at: datetime
    scene: str
    answers: Mapping[str, str]
    name: str
    on_board: bool
    guest_key: str
    language: str
    project: str
    to_upper_bound: bool


@dataclass(frozen=True, slots=True)
class _Person:
    key: str
    name: str = ""
    on_board: bool = False
    language: str = "zh-Hans"
    home: str = ""


class Crowd:
    """Makes the visits of all invented guests up to an instant."""

    def __init__(
        self, people: Mapping[str, Any], scenes: list[dict[str, Any]], now: datetime
    ) -> None:
        self._people = people
        self._scenes = {scene["slug"]: scene for scene in scenes}
        self._now = now
        # The same guests on every machine; nothing secret depends on it.
        self._random = random.Random(_SEED)  # noqa: S311

    def visits(self) -> list[Visit]:
        """Return the visits, oldest first."""
        made = [*self._of_regulars(), *self._of_others()]
        return sorted(made, key=lambda visit: visit.at)

    def _of_regulars(self) -> Iterator[Visit]:
        for number, entry in enumerate(self._people["regular"]):
            person = _Person(
                f"sample-regular-{number}",
                entry["name"],
                on_board=True,
                language=entry.get("language", "zh-Hans"),
                home=_HOME,
            )
            for slug, day in self._outings(entry["visits"]):
                yield self._visit(person, self._scenes[slug], day)

    def _outings(self, count: int) -> list[tuple[str, int]]:
        """Return scenes and days of one regular: no scene twice on a day, that counts once only."""
        found = {(slug, self._day(self._scenes[slug])) for slug in _EVENTS}
        slugs, weights = list(_HAUNTS), list(_HAUNTS.values())
        while len(found) < count:
            slug = self._random.choices(slugs, weights)[0]
            found.add((slug, self._day(self._scenes[slug])))
        return sorted(found)

    def _of_others(self) -> Iterator[Visit]:
        slots = [scene for scene in self._scenes.values() for _ in range(scene["visits"])]
        self._random.shuffle(slots)
        casual = self._casual()
        for number, scene in enumerate(slots):
            person = casual.pop() if casual else self._passer_by(number)
            yield self._visit(person, scene, self._day(scene))

    def _casual(self) -> list[_Person]:
        """Return people who asked to be shown, each once for every visit."""
        casual = self._people["casual"]
        deck = []
        for number, name in enumerate(casual["names"]):
            language = "zh-Hans" if not name.isascii() or not name else "en"
            person = _Person(f"sample-casual-{number}", name, on_board=True, language=language)
            deck += [person] * self._random.randint(1, casual["most_visits"])
        self._random.shuffle(deck)
        return deck

    def _passer_by(self, number: int) -> _Person:
        named = self._people["named"]
        known = self._random.randrange(100) < named["share_percent"]
        name = self._random.choice(named["names"]) if known else ""
        language = self._random.choices(["zh-Hans", "en", "nl"], [88, 9, 3])[0]
        return _Person(f"sample-guest-{number}", name, language=language)

    def _day(self, scene: Mapping[str, Any]) -> int:
        first, last = scene["visit_days"]
        return self._random.randint(first, last)

    def _visit(self, person: _Person, scene: Mapping[str, Any], day: int) -> Visit:
        abroad = scene["city"].isascii()
        cities = self._people["cities_nl" if abroad else "cities"]
        home = person.home or self._random.choices(list(cities), list(cities.values()))[0]
        at = self._instant(day)
        return Visit(
            at=at,
            scene=scene["slug"],
            answers=self._answers(scene, home),
            name=person.name,
            on_board=person.on_board,
            guest_key=person.key,
            language="nl" if abroad else person.language,
            project=self._project((self._now - at).days),
            to_upper_bound=self._random.randrange(100) < 8,  # noqa: PLR2004 - eight of a hundred
        )

    def _instant(self, day: int) -> datetime:
        """Return a time of an opening day, never in the future."""
        date = self._now.astimezone(BUSINESS_ZONE).date() + timedelta(days=day)
        minute = self._random.randint(_OPENS, _CLOSES)
        at = datetime.combine(date, time(), BUSINESS_ZONE) + timedelta(minutes=minute)
        latest = self._now - timedelta(minutes=self._random.randint(5, 180))
        return min(at.astimezone(self._now.tzinfo), latest)

    def _project(self, days_ago: int) -> str:
        weights = {"sample-rooftop-solar": 58, "sample-afforestation": 20}
        if days_ago <= _PENDING_DAYS:
            weights[_PENDING_PROJECT] = 22
        if days_ago >= _SCARCE_UNTIL_DAYS:
            weights[_SCARCE_PROJECT] = 30
        return self._random.choices(list(weights), list(weights.values()))[0]

    # -- answers ------------------------------------------------------------------------------

    def _answers(self, scene: Mapping[str, Any], home: str) -> dict[str, str]:
        match scene["kind"]:
            case "restaurant":
                return self._way() | self._meal()
            case "supermarket":
                return self._way() | self._basket()
        return self._journey(scene, home)

    def _pick(self, **weights: int) -> str:
        return self._random.choices(list(weights), list(weights.values()))[0]

    def _way(self) -> dict[str, str]:
        way = self._pick(walk=30, bicycle=16, ebike=14, metro=20, bus=8, car=8, unknown=4)
        longest = {"walk": 2, "bicycle": 4, "ebike": 6}.get(way, 14)
        return {"way": way, "way_km": f"{self._random.randint(1, longest)} km"}

    def _meal(self) -> dict[str, str]:
        return {
            "meal_kind": self._pick(
                canteen=40, vegetarian=22, chicken=14, fish=8, hotpot=10, beef=6
            ),
            "drink": self._pick(tea=60, none=20, soft=10, beer=10),
            "cups": str(self._random.randint(1, 3)),
        }

    def _basket(self) -> dict[str, str]:
        goods = {"greens_kg": 9, "rice_kg": 7, "fruit_kg": 6, "egg_kg": 5, "pork_kg": 4}
        bought = [key for key, often in goods.items() if self._random.randrange(10) < often]
        return {key: f"0.{self._random.randint(3, 9)}" for key in bought}

    def _journey(self, scene: Mapping[str, Any], home: str) -> dict[str, str]:
        nights = self._nights(scene["kind"], lives_here=home == scene["city"])
        answers = {"nights": str(nights)}
        if nights:
            answers["stay"] = (
                "hostel"
                if scene["kind"] == "hotel"
                else self._pick(budget=24, mid=42, high=10, friends=10, hostel=6, unknown=8)
            )
        if home == scene["city"]:
            return answers | {"live_here": "1", "mode": self._pick(metro=70, car=12, unknown=18)}
        return answers | {"from": home} | self._mode(scene["city"], home)

    def _nights(self, kind: str, *, lives_here: bool) -> int:
        if kind == "hotel":
            return self._random.randint(1, 3)
        if lives_here:
            return 0
        longest = 3 if kind == "conference" else 2
        return self._random.randint(1 if kind == "conference" else 0, longest)

    def _mode(self, city: str, home: str) -> dict[str, str]:
        ends = geo.resolve_place(home), geo.resolve_place(city)
        km = geo.distance(*ends, "rail").great_circle_km
        by_land = {end.country for end in ends} <= {"CN", "HK"} or all(
            end.country in {"NL", "BE", "DE"} for end in ends
        )
        if not by_land or km > 2 * _PLANE_KM:
            return {"mode": "plane", "cabin": self._pick(economy=95, business=5)}
        if km < _TRAIN_KM:
            mode = self._pick(train=58, car=26, coach=12, unknown=4)
        elif km < _PLANE_KM:
            mode = self._pick(train=80, plane=14, unknown=6)
        else:
            mode = self._pick(train=42, plane=52, unknown=6)
        if mode == "car":
            return {"mode": mode, "occupants": str(self._random.randint(1, 4)), "fuel": "petrol"}
        return {"mode": mode}
