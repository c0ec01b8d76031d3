"""How fast the calculator is in one process: conference footprints and look-ups of places.

Beside each figure stands a baseline of the same run, so that a slow machine is not taken for slow
code: the bare decimal multiplications of the same lines, and a plain dictionary of the same names.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from diandian.emissions import activity, geo
from diandian.emissions.context import SceneContext
from diandian.emissions.factor_set import newest
from diandian.emissions.scene_kind import scene_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CITIES = (
    *(
        "西安",
        "重庆",
        "北京",
        "上海",
        "深圳",
        "广州",
        "杭州",
        "武汉",
        "绵阳",
        "昆明",
        "贵阳",
        "南京",
    ),
    *("乌鲁木齐", "哈尔滨", "Singapore", "Amsterdam", "London", "Tokyo"),
)
NAMES = (*CITIES, "Xi'an", "chongqing", "PEK", "都江堰", "九寨沟", "江苏省苏州市", "Tianfu")
ABROAD = {"Singapore", "Amsterdam", "London", "Tokyo"}
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


def per_second(work: Callable[[Any], object], items: Sequence[Any], rounds: int) -> float:
    """Return how many items are done in a second: the median of some rounds, after one to warm."""
    rates = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        for item in items:
            work(item)
        rates.append(len(items) / (time.perf_counter() - began))
    return statistics.median(rates[1:])


def main() -> None:
    """Measure; end with one line of JSON."""
    parser = argparse.ArgumentParser(prog="./run bench calc", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--guests", type=int, default=1000)
    given = parser.parse_args()
    kind, factors = scene_kind("conference"), newest()
    crowd = guests(given.guests)
    lines = [
        [(Decimal(line.activity_amount), line.value, line.share) for line in estimate.lines]
        for estimate in (kind.compute(CHENGDU, values, factors) for values in crowd)
    ]

    def bare(parts: list[tuple[Decimal, Decimal, Decimal]]) -> int:
        return sum(round(amount * value * share * 1000) for amount, value, share in parts)

    names = NAMES * 40
    table = {name: geo.resolve_place(name) for name in NAMES}
    footprints = per_second(
        lambda values: kind.compute(CHENGDU, values, factors), crowd, given.rounds
    )
    products = per_second(bare, lines, given.rounds)
    typed = per_second(geo.find_places, names, given.rounds)
    meant = per_second(geo.resolve_place, names, given.rounds)
    looked_up = per_second(table.__getitem__, names, given.rounds)
    print(f"conference footprints     {footprints:>12,.0f} /s   {1e6 / footprints:8.1f} µs each")
    print(f"  baseline: bare products {products:>12,.0f} /s   {1e6 / products:8.1f} µs each")
    print(f"places while typing       {typed:>12,.0f} /s   {1e6 / typed:8.1f} µs each")
    print(f"places resolved           {meant:>12,.0f} /s   {1e6 / meant:8.1f} µs each (remembered)")
    print(f"  baseline: a dictionary  {looked_up:>12,.0f} /s   {1e6 / looked_up:8.1f} µs each")
    figures = {
        "bench": "calc",
        "rounds": given.rounds,
        "guests": given.guests,
        "footprints_per_s": round(footprints),
        "baseline_bare_products_per_s": round(products),
        "ratio_bare_products": round(footprints / products, 4),
        "place_searches_per_s": round(typed),
        "place_resolutions_per_s": round(meant),
        "baseline_dictionary_per_s": round(looked_up),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
