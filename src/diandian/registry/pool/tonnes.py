"""Cuts the used part of a lane into tonnes; pure.

A lane is used from its start, so one tonne of it at most is partly sold: the open tonne.
Units: grams from the start of the batch; tonnes counted from 1 in the batch.
*Source:* design of the registry, section 3.3; market study, M2.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from diandian.kernel.mass import GRAMS_PER_TONNE

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Used:
    """A tonne that retirements touch. ``sold_g``: retired for claims; ``rest_g``: not used yet."""

    number: int
    sold_g: int
    rest_g: int


def shared_g(spans: Iterable[Span], start_g: int, end_g: int) -> int:
    """Return how many grams of ``[start_g, end_g)`` lie in spans that do not overlap."""
    return sum(max(0, min(end, end_g) - max(start, start_g)) for start, end in spans)


def used_tonnes(
    *, lo: int, hi: int, cursor: int, cancelled: Sequence[Span], outside: Sequence[Span]
) -> Iterator[Used]:
    """Yield the tonnes of a lane that are sold from, and not retired outside, in their order.

    ``outside``: spans of whole tonnes that the issuing registry has retired.
    """
    first, last = lo // GRAMS_PER_TONNE, -(-cursor // GRAMS_PER_TONNE)
    for index in range(first, last):
        start_g, end_g = index * GRAMS_PER_TONNE, (index + 1) * GRAMS_PER_TONNE
        if shared_g(outside, start_g, end_g):
            continue
        begins, ends = max(start_g, lo), min(end_g, hi)
        used = min(ends, cursor)
        sold_g = used - begins - shared_g(cancelled, begins, used)
        if sold_g:
            yield Used(index + 1, sold_g, ends - used)


def rest_g(*, lo: int, hi: int, cursor: int, held_g: int, tonne: int) -> int:
    """Return the grams of a lane's open tonne that nobody has and nobody holds.

    Zero when that tonne is not the one that the cursor stands in.
    """
    start_g, end_g = (tonne - 1) * GRAMS_PER_TONNE, min(tonne * GRAMS_PER_TONNE, hi)
    if not max(start_g, lo) < cursor < end_g:
        return 0
    return min(end_g - cursor, hi - cursor - held_g)
