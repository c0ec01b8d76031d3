"""Cuts a batch into blocks of whole credits, each in one state; pure.

The data model counts whole units only. A tonne of which grams are sold is still one unit: it stays
held, and the grams are told beside it. Units: grams and tonnes from the start of the batch.
*Source:* design of the registry, sections 1.1 and 3.3.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from diandian.kernel.mass import GRAMS_PER_TONNE
from diandian.registry.pool.tonnes import Span, shared_g


@dataclass(frozen=True, slots=True)
class Grams:
    """What happened to the grams of a batch. ``outside``: whole tonnes retired at their origin.

    ``recalled``: what no longer stands, by the number of its recall; grams are recalled once.
    """

    total_g: int
    used: Sequence[Span]
    cancelled: Sequence[Span]
    buffer: Sequence[Span]
    outside: Sequence[Span]
    is_native: bool
    recalled: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Block:
    """A run of credits in one state; ``first`` and ``count`` in tonnes, first counted from 0.

    ``sold_g``, ``cancelled_g``: grams of these credits that are sold or cancelled here.
    ``recalled``: grams of them that were recalled, by the number of the recall.
    """

    first: int
    count: int
    status: str
    sold_g: int
    cancelled_g: int
    recalled: tuple[tuple[str, int], ...] = ()

    @property
    def note(self) -> str:
        """Return what whole units cannot say, or nothing."""
        whole_g = self.count * GRAMS_PER_TONNE
        said = []
        if self.sold_g and (self.status == "Held" or self.sold_g < whole_g):
            said.append(f"certified here: {self.sold_g} g of {whole_g} g")
        if 0 < self.cancelled_g < whole_g:
            said.append(f"cancelled here: {self.cancelled_g} g")
        return "; ".join(said)


def blocks(grams: Grams) -> Iterator[Block]:
    """Yield blocks that tile the batch, each as long as its state lasts."""
    current: Block | None = None
    for first, last in _stretches(grams):
        fresh = _block(grams, first, last)
        if current is not None and _joins(current, fresh):
            current = Block(
                current.first,
                current.count + fresh.count,
                current.status,
                current.sold_g + fresh.sold_g,
                current.cancelled_g + fresh.cancelled_g,
            )
            continue
        if current is not None:
            yield current
        current = fresh
    assert current is not None, "a batch has tonnes"
    yield current


def _stretches(grams: Grams) -> Iterator[Span]:
    """Yield runs of tonnes in which nothing changes: cut at every edge, at whole tonnes."""
    edges = {0, grams.total_g}
    for spans in (
        *(grams.used, grams.cancelled, grams.buffer, grams.outside),
        grams.recalled.values(),
    ):
        edges.update(edge for span in spans for edge in span)
    cuts = {edge // GRAMS_PER_TONNE for edge in edges}
    cuts |= {-(-edge // GRAMS_PER_TONNE) for edge in edges}
    ordered = sorted(cuts)
    yield from itertools.pairwise(ordered)


def _block(grams: Grams, first: int, last: int) -> Block:
    start_g, end_g = first * GRAMS_PER_TONNE, last * GRAMS_PER_TONNE
    whole_g = end_g - start_g
    cancelled_g = shared_g(grams.cancelled, start_g, end_g)
    sold_g = shared_g(grams.used, start_g, end_g) - cancelled_g
    outside = shared_g(grams.outside, start_g, end_g) == whole_g
    if outside or (grams.is_native and sold_g == whole_g):
        status = "Retired"
    elif cancelled_g == whole_g:
        status = "Cancelled"
    elif shared_g(grams.buffer, start_g, end_g) == whole_g:
        status = "Buffer"
    else:
        status = "Held"
    met = {name: shared_g([span], start_g, end_g) for name, span in grams.recalled.items()}
    recalled = tuple((name, gone_g) for name, gone_g in met.items() if gone_g)
    return Block(first, last - first, status, sold_g, cancelled_g, recalled)


def _joins(one: Block, other: Block) -> bool:
    """Tell whether two neighbours are one block: the same state, and nothing more to say."""
    plain = not (one.note or other.note or one.recalled or other.recalled)
    return one.status == other.status and plain
