"""``python -m tests.emissions.golden.write_packed [--replace]``: writes the packed corpus, once.

As ``write``: what it holds was promised, and a file that differs is named and left alone.
"""

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diandian.emissions.factor_set import factor_set
from tests.emissions.golden import corpus, hosts, lives, packed
from tests.emissions.golden.write import EDITIONS, SEED

# Quick years, years with many items, and years of people who know little of themselves.
QUICK, DETAILED, UNSURE = 80, 80, 20
DIARIES, INVENTORIES = 64, 80
Rows = list[dict[str, Any]]


def _editions(count: int) -> Iterator[str]:
    yield from (EDITIONS[number % len(EDITIONS)] for number in range(count))


def years() -> Rows:
    """Return the years, in every region in turn."""
    dice = random.Random(f"{SEED} life")
    found: Rows = []
    for number, edition in enumerate(_editions(QUICK + DETAILED + UNSURE)):
        region = lives.REGIONS[number % len(lives.REGIONS)]
        items = 0 if number < QUICK else dice.randint(3, 9)
        factors = factor_set(edition)
        one = lives.year(dice, factors, region=region, items=items)
        if number >= QUICK + DETAILED:
            unsure = lives.unsure(dice, region)
            one = lives.Year(region, unsure, one.items[: number % 3])
        found.append(corpus.written(one.estimate(factors)))
    return found


def diaries() -> Rows:
    """Return the diaries."""
    dice = random.Random(f"{SEED} diary")
    sets = [factor_set(edition) for edition in _editions(DIARIES)]
    return [corpus.written(lives.days(dice, factors).estimate(factors)) for factors in sets]


def inventories() -> Rows:
    """Return the inventories, with what their guests said."""
    dice = random.Random(f"{SEED} inventory")
    found: Rows = []
    for edition in _editions(INVENTORIES):
        host = hosts.host(dice, edition)
        made = host.inventory(factor_set(edition))
        found.append(corpus.written(made.own) | {packed.ASKED: packed.asked(host, made.guests)})
    return found


def texts() -> dict[Path, str]:
    """Return the text of every packed file."""
    made = {"life": years(), "diary": diaries(), "inventory": inventories()}
    return {
        corpus.HERE / f"{name}.jsonl.gz": corpus.text(corpus.COLUMNS, rows)
        for name, rows in made.items()
    }


def main(arguments: list[str]) -> int:
    """Write what is missing. Returns 1 when a file differs and was left alone."""
    differing = []
    for path, text in texts().items():
        if path.exists() and packed.text_of(path) == text:
            continue
        if path.exists() and "--replace" not in arguments:
            differing.append(path.name)
            continue
        packed.write(path, text)
        sys.stdout.write(f"{path.name} written\n")
    if differing:
        sys.stderr.write(f"These differ and were left alone: {', '.join(differing)}\n")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
