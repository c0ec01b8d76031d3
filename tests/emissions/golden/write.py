"""``python -m tests.emissions.golden.write [--replace]``: writes the golden corpus, once.

What it holds was promised: without ``--replace`` a file that differs is named and left alone. A
changed result needs a new method version or a new factor set, not a new corpus.
"""

import random
import sys
from collections.abc import Sequence
from pathlib import Path

from diandian.emissions.errors import FactorMissingError
from diandian.emissions.estimate import Estimate, estimate_lines
from diandian.emissions.factor_set import FactorSet, factor_set
from diandian.emissions.scene_kind import scene_kind
from diandian.kernel.errors import InputError
from tests.emissions.golden import corpus
from tests.emissions.golden.visits import KINDS, bare_lines, visit

SEED = 2026
OF_EACH_KIND, OF_BARE_LINES, OF_ROUGH = 85, 60, 60
TRAVELLED = ("conference", "hotel", "scenic_spot", "other")
EDITIONS = ("2026.1", "2026.1", "2026.1", "2025.1", "2024.1")


def _visits(name: str, kinds: Sequence[str], count: int, *, rough: bool = False) -> list[Estimate]:
    dice = random.Random(f"{SEED} {name}")
    found: list[Estimate] = []
    while len(found) < count:
        one = visit(dice, kinds[len(found) % len(kinds)], rough=rough)
        factors = _edition(len(found))
        try:
            found.append(scene_kind(one.kind).compute(one.context, one.values(), factors))
        except (InputError, FactorMissingError):
            continue  # an impossible journey: the dice are thrown again
    return found


def _edition(number: int) -> FactorSet:
    return factor_set(EDITIONS[number % len(EDITIONS)])


def _bare() -> list[Estimate]:
    dice = random.Random(f"{SEED} lines")
    sets = [_edition(number) for number in range(OF_BARE_LINES)]
    return [estimate_lines(factors, bare_lines(dice, factors)) for factors in sets]


def texts() -> dict[Path, str]:
    """Return the text of every file of the corpus."""
    made = {kind: _visits(kind, [kind], OF_EACH_KIND) for kind in KINDS}
    made["lines"] = _bare()
    made["rough"] = _visits("rough", TRAVELLED, OF_ROUGH, rough=True)
    return {
        corpus.HERE / f"{name}.jsonl": corpus.text(
            corpus.COLUMNS, [corpus.written(each) for each in estimates]
        )
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
