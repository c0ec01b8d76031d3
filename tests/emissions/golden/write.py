"""``python -m tests.emissions.golden.write [--replace]``: writes the golden corpus, once.

What it holds was promised: without ``--replace`` a file that differs is named and left alone. A
changed result needs a new method version or a new factor set, not a new corpus.
"""

import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from diandian.emissions.errors import FactorMissingError
from diandian.emissions.estimate import Estimate, estimate_lines
from diandian.emissions.factor_set import FactorSet, factor_set
from diandian.emissions.scene_kind import scene_kind
from diandian.kernel.errors import InputError
from tests.emissions.golden import corpus, years
from tests.emissions.golden.visits import KINDS, bare_lines, visit

SEED = 2026
OF_EACH_KIND, OF_BARE_LINES, OF_ROUGH = 85, 60, 60
TRAVELLED = ("conference", "hotel", "scenic_spot", "other")
EDITIONS = ("2026.1", "2026.1", "2026.1", "2025.1", "2024.1")
OF_M2, EDITIONS_OF_M2 = 20, ("2026.2",)
Editions = Sequence[str]


def _visits(
    name: str, kinds: Sequence[str], count: int, editions: Editions, *, rough: bool = False
) -> list[Estimate]:
    dice = random.Random(f"{SEED} {name}")
    found: list[Estimate] = []
    while len(found) < count:
        one = visit(dice, kinds[len(found) % len(kinds)], rough=rough)
        factors = _edition(len(found), editions)
        try:
            found.append(scene_kind(one.kind).compute(one.context, one.values(), factors))
        except (InputError, FactorMissingError):
            continue  # an impossible journey: the dice are thrown again
    return found


def _edition(number: int, editions: Editions) -> FactorSet:
    return factor_set(editions[number % len(editions)])


def _bare(name: str, count: int, editions: Editions) -> list[Estimate]:
    dice = random.Random(f"{SEED} {name}")
    sets = [_edition(number, editions) for number in range(count)]
    return [estimate_lines(factors, bare_lines(dice, factors)) for factors in sets]


def _of_m1() -> dict[str, list[Estimate]]:
    made = {kind: _visits(kind, [kind], OF_EACH_KIND, EDITIONS) for kind in KINDS}
    made["lines"] = _bare("lines", OF_BARE_LINES, EDITIONS)
    made["rough"] = _visits("rough", TRAVELLED, OF_ROUGH, EDITIONS, rough=True)
    return made


def _of_m2() -> dict[str, list[Estimate]]:
    # Other dice than those of m1, and what m1 had none of.
    editions = EDITIONS_OF_M2
    made = {kind: _visits(f"m2 {kind}", [kind], OF_M2, editions) for kind in KINDS}
    made["lines"] = _bare("m2 lines", OF_M2, editions)
    made["rough"] = _visits("m2 rough", TRAVELLED, OF_M2, editions, rough=True)
    for name, make in (("year", years.year), ("diary", years.days), ("inventory", years.inventory)):
        made[name] = _repeated(f"m2 {name}", make, editions)
    return made


def _repeated(
    name: str, make: Callable[[random.Random, FactorSet], Estimate], editions: Editions
) -> list[Estimate]:
    dice = random.Random(f"{SEED} {name}")
    return [make(dice, _edition(number, editions)) for number in range(OF_M2)]


def texts() -> dict[Path, str]:
    """Return the text of every file of the corpus."""
    return {
        corpus.FOLDERS[method] / f"{name}.jsonl": corpus.text(
            corpus.COLUMNS, [corpus.written(each) for each in estimates]
        )
        for method, made in (("m1", _of_m1()), ("m2", _of_m2()))
        for name, estimates in made.items()
    }


def main(arguments: list[str]) -> int:
    """Write what is missing. Returns 1 when a file differs and was left alone."""
    differing = []
    for path, text in texts().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if path.exists() and "--replace" not in arguments:
            differing.append(path.name)
            continue
        path.write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{path.name} written\n")
    if differing:
        sys.stderr.write(f"These differ and were left alone: {', '.join(differing)}\n")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
