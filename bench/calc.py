"""How fast the calculator is in one process: guests, lives, an organiser, look-ups of places.

Beside each figure stands a baseline of the same run, so that a slow machine is not taken for slow
code: the bare decimal multiplications of the same lines, a plain dictionary of the same names, and
where Node is found another calculator of a life, evaluating its own model with one changed answer.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kit import nosgestesclimat
from kit.subjects import CHENGDU, CITIES, Organiser, guests, lives

from diandian.emissions import geo
from diandian.emissions.factor_set import newest
from diandian.emissions.life import calculator
from diandian.emissions.scene_kind import scene_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from diandian.emissions.estimate import Estimate

NAMES = (*CITIES, "Xi'an", "chongqing", "PEK", "都江堰", "九寨沟", "江苏省苏州市", "Tianfu")
EVALUATIONS = 20  # of the other calculator in a round
Figures = dict[str, Any]


def per_second(work: Callable[[Any], object], items: Sequence[Any], rounds: int) -> float:
    """Return how many items are done in a second: the median of some rounds, after one to warm."""
    rates = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        for item in items:
            work(item)
        rates.append(len(items) / (time.perf_counter() - began))
    return statistics.median(rates[1:])


def say(what: str, rate: float) -> None:
    """Print one rate."""
    each = f"{1e6 / rate:10,.1f} µs" if rate > 100 else f"{1e3 / rate:10,.1f} ms"
    print(f"{what:<28}{rate:>13,.1f} /s {each} each")


def bare(estimates: Sequence[Estimate], rounds: int) -> float:
    """Return the rate of the bare products of the lines of each estimate."""
    parts = [
        [(Decimal(line.activity_amount), line.value, line.share) for line in estimate.lines]
        for estimate in estimates
    ]

    def products(lines: list[tuple[Decimal, Decimal, Decimal]]) -> int:
        return sum(round(amount * value * share * 1000) for amount, value, share in lines)

    return per_second(products, parts, rounds)


def footprints(rounds: int, count: int) -> Figures:
    """Measure guests of a conference."""
    kind, factors, crowd = scene_kind("conference"), newest(), guests(count)
    found = per_second(lambda values: kind.compute(CHENGDU, values, factors), crowd, rounds)
    products = bare([kind.compute(CHENGDU, values, factors) for values in crowd], rounds)
    say("conference footprints", found)
    say("  baseline: bare products", products)
    return {
        "footprints_per_s": round(found),
        "baseline_bare_products_per_s": round(products),
        "ratio_bare_products": round(found / products, 4),
    }


def years(rounds: int, count: int, *, node: bool) -> Figures:
    """Measure lives, beside the other calculator."""
    factors, people = newest(), lives(count)
    found = per_second(
        lambda one: calculator.estimate(one[0], factors, one[1], with_levers=False), people, rounds
    )
    say("life footprints", found)
    # Each lever is the whole year again with one answer changed; the other model has none here.
    advised = per_second(lambda one: calculator.estimate(one[0], factors, one[1]), people, rounds)
    say("  with their levers", advised)
    ours = {"lives_per_s": round(found), "lives_with_levers_per_s": round(advised)}
    other = nosgestesclimat.measured(rounds, EVALUATIONS) if node else "it was not asked for"
    if isinstance(other, str):
        print(f"  nosgestesclimat: no figure, {other}")
        return {**ours, "nosgestesclimat": None, "why": other}
    say(f"  nosgestesclimat {other['version']}", other["perSecond"])
    return {
        **ours,
        "nosgestesclimat": other["version"],
        "nosgestesclimat_answer": other["answer"],
        "nosgestesclimat_per_s": round(other["perSecond"], 2),
        "ratio_nosgestesclimat": round(found / other["perSecond"], 1),
    }


def organiser(rounds: int, count: int) -> Figures:
    """Measure one organiser's inventory over the stored answers of many attendees."""
    kind, factors = scene_kind("conference"), newest()
    answered = [kind.compute(CHENGDU, values, factors) for values in guests(count)]
    one = Organiser(answered, factors)
    found = per_second(lambda _: one.inventory(), [None], rounds)
    say(f"inventory, {count:,} attendees", found)
    return {"attendees": count, "inventories_per_s": round(found, 3)}


def places(rounds: int) -> Figures:
    """Measure look-ups of places."""
    names = NAMES * 40
    table = {name: geo.resolve_place(name) for name in NAMES}
    typed = per_second(geo.find_places, names, rounds)
    meant = per_second(geo.resolve_place, names, rounds)
    looked_up = per_second(table.__getitem__, names, rounds)
    say("places while typing", typed)
    say("places resolved, remembered", meant)
    say("  baseline: a dictionary", looked_up)
    return {
        "place_searches_per_s": round(typed),
        "place_resolutions_per_s": round(meant),
        "baseline_dictionary_per_s": round(looked_up),
    }


def main() -> None:
    """Measure; end with one line of JSON."""
    parser = argparse.ArgumentParser(prog="./run bench calc", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--guests", type=int, default=1000)
    parser.add_argument("--attendees", type=int, default=5000)
    parser.add_argument("--without-node", action="store_true", help="only our own figures")
    given = parser.parse_args()
    figures: Figures = {"bench": "calc", "rounds": given.rounds, "guests": given.guests}
    figures |= footprints(given.rounds, given.guests)
    figures |= years(given.rounds, given.guests, node=not given.without_node)
    figures |= organiser(given.rounds, given.attendees)
    figures |= places(given.rounds)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
