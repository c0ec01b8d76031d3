"""What all entries together must show, at the end of a run; and the sums that are reported.

*Source:* design of the registry, section 2: R1, R3, R4, R6, R10, R12.
"""

from collections.abc import Iterator
from itertools import pairwise

import msgspec

from diandian.kernel.mass import GRAMS_PER_TONNE
from diandian.verifier.audit.book import BUFFER, Batch, Book, Lane, Recall, Remedy
from diandian.verifier.audit.findings import Finding
from diandian.verifier.audit.runs import Span, merged, total, without

_TOLD = 20


class Sums(msgspec.Struct):
    """The grams of a batch, and the serials whose retirement outside is still awaited."""

    batch: str
    programme: str
    project: str
    vintage: int
    custody: str
    is_sample: bool
    is_frozen: bool
    issued_g: int
    retired_g: int
    cancelled_g: int
    reversed_g: int
    free_g: int
    buffer_g: int
    recalled_g: int
    retired_while_frozen_g: int
    simulated_tonnes: int
    awaited: list[Span]


def sums(batch: Batch) -> Sums:
    """Return the grams of a batch."""
    left = {"sale": 0, BUFFER: 0}
    for lane in batch.lanes:
        left[lane.kind] += lane.hi - lane.lo - total(lane.used.settle())
    recalled, _ = merged((start, end) for start, end, _ in batch.recalled)
    return Sums(
        batch=batch.name,
        programme=batch.programme,
        project=batch.project,
        vintage=batch.vintage,
        custody=batch.custody,
        is_sample=batch.is_sample,
        is_frozen=batch.is_frozen,
        issued_g=batch.issued_g,
        retired_g=sum(lane.retired_g for lane in batch.lanes),
        cancelled_g=sum(lane.cancelled_g for lane in batch.lanes),
        reversed_g=sum(lane.reversed_g for lane in batch.lanes),
        free_g=left["sale"],
        buffer_g=left[BUFFER],
        recalled_g=total(recalled),
        retired_while_frozen_g=batch.frozen_g,
        simulated_tonnes=batch.simulated_tonnes,
        awaited=awaited(batch),
    )


def awaited(batch: Batch) -> list[Span]:
    """Return serials, ends included, that certificates rest on and nobody has retired outside."""
    if batch.custody != "external":
        return []
    touched = []
    for lane in batch.lanes:
        for start, end in without(lane.used.settle(), lane.unclaimed):
            up = -(-end // GRAMS_PER_TONNE) * GRAMS_PER_TONNE
            touched.append((start // GRAMS_PER_TONNE * GRAMS_PER_TONNE, up))
    missing = without(merged(touched)[0], batch.upstream_spans())
    return [
        (batch.first + start // GRAMS_PER_TONNE, batch.first + end // GRAMS_PER_TONNE - 1)
        for start, end in missing
    ]


def _gaps(lane: Lane) -> list[Span]:
    ends = [(lane.lo, lane.lo), *lane.used.settle()]
    return [(low[1], high[0]) for low, high in pairwise(ends) if low[1] < high[0]]


def _batch_findings(batch: Batch) -> Iterator[Finding]:
    for lane in batch.lanes:
        for start, end in _gaps(lane)[:_TOLD]:
            text = f"grams [{start}, {end}) of {batch.name} were passed over"
            yield Finding("R1", text, (batch.index,), batch.name)
    found = sums(batch)
    parts = (
        found.retired_g,
        found.cancelled_g,
        found.reversed_g,
        found.free_g,
        found.buffer_g,
    )
    if sum(parts) != found.issued_g:
        text = (
            f"{batch.name}: {found.issued_g} g issued, but retired, cancelled, reversed, free and "
            f"buffer are {' + '.join(str(part) for part in parts)} = {sum(parts)} g"
        )
        yield Finding("R6", text, (batch.index,), batch.name)


def _serial_findings(book: Book) -> Iterator[Finding]:
    blocks: dict[tuple[str, str], list[Batch]] = {}
    for batch in book.batches.values():
        blocks.setdefault((batch.programme, batch.prefix), []).append(batch)
    for batches in blocks.values():
        batches.sort(key=lambda batch: (batch.first, batch.index))
        reach = batches[0]
        for batch in batches[1:]:
            if batch.first <= reach.last:
                serials = f"{batch.first} to {min(batch.last, reach.last)}"
                text = f"serials {serials} of {batch.prefix} are in {reach.name} and {batch.name}"
                yield Finding("R4", text, (reach.index, batch.index), batch.name)
            if batch.last > reach.last:
                reach = batch


def _remedies(recall: Recall) -> dict[str, list[Remedy]]:
    by_retirement: dict[str, list[Remedy]] = {}
    for remedy in recall.remedies:
        by_retirement.setdefault(remedy.retirement, []).append(remedy)
    return by_retirement


def _steps(affected_g: int, remedies: list[Remedy]) -> Iterator[tuple[Remedy, int]]:
    """Yield each remedy of one retirement with the grams that it made good."""
    missing_g = affected_g
    for remedy in remedies:
        yield remedy, missing_g - remedy.short_g
        missing_g = remedy.short_g


class Balance(msgspec.Struct):
    """How far a recall is: grams by what was done, and retirements that still wait."""

    recall: str
    batch: str
    affected_g: int
    replaced_g: int
    buffer_g: int
    short_g: int
    open_g: int
    open_retirements: int


def balance(recall: Recall) -> Balance:
    """Return the sums of a recall."""
    found = Balance(recall.name, recall.batch, sum(recall.affected.values()), 0, 0, 0, 0, 0)
    by_retirement = _remedies(recall)
    for name, affected_g in recall.affected.items():
        mine = by_retirement.get(name)
        if mine is None:
            found.open_g += affected_g
            found.open_retirements += 1
            continue
        found.short_g += mine[-1].short_g
        for remedy, grams in _steps(affected_g, mine):
            if remedy.outcome == "buffer":
                found.buffer_g += grams
            elif remedy.outcome == "replaced":
                found.replaced_g += grams
    return found


def _recall_findings(recall: Recall, book: Book) -> Iterator[Finding]:
    served: dict[str, str] = {}
    for name, mine in _remedies(recall).items():
        affected_g = recall.affected.get(name, 0)
        if not affected_g:
            text = f"a remedy for {name}, which holds no gram of the recall {recall.name}"
            yield Finding("R12", text, (mine[0].index,), recall.batch)
            continue
        for remedy, grams in _steps(affected_g, mine):
            problem = _step_problem(remedy, grams, book)
            if problem:
                text = f"a remedy {remedy.outcome} for {name}: {problem}"
                yield Finding("R12", text, (remedy.index,), recall.batch)
            other = served.setdefault(remedy.replacement or "", name)
            if remedy.replacement is not None and other != name:
                text = f"{remedy.replacement} is given for both {other} and {name}"
                yield Finding("R12", text, (remedy.index,), recall.batch)


def _step_problem(remedy: Remedy, grams: int, book: Book) -> str:
    """Return what is wrong with one step, or ""."""
    if (remedy.outcome == "replaced") != (remedy.replacement is not None):
        return "its replacement is missing, or there must be none"
    if grams < 0:
        return f"{-grams} g more are missing after it than before"
    if (remedy.outcome == "short") != (grams == 0):
        return f"{grams} g are made good by it"
    made = book.replacements.get(remedy.replacement or "")
    if made is None:
        return ""
    if made.replaces not in {None, remedy.retirement}:
        return f"{remedy.replacement} was made for {made.replaces}"
    same = made.mass_g == grams
    return "" if same else f"{remedy.replacement} holds {made.mass_g} g, but {grams} g are counted"


def _buffer_findings(book: Book) -> Iterator[Finding]:
    claimed: dict[str, int] = {}
    for recall in book.recalls.values():
        claimed[recall.batch] = claimed.get(recall.batch, 0) + balance(recall).buffer_g
    for name, grams in claimed.items():
        given = sum(lane.reversed_g for lane in book.batches[name].lanes)
        if grams > given:
            text = f"{grams} g of {name} are said to be made good by its buffer, which gave {given}"
            yield Finding("R12", text, (), name)


def findings(book: Book, *, is_strict: bool = False) -> Iterator[Finding]:
    """Yield what the entries together do not show. ``is_strict``: awaited tonnes too."""
    for batch in book.batches.values():
        yield from _batch_findings(batch)
        for first, last in awaited(batch)[:_TOLD] if is_strict else ():
            text = f"serials {first} to {last} carry claims and were not retired outside"
            yield Finding("R10", text, (batch.index,), batch.name)
    yield from _serial_findings(book)
    for recall in book.recalls.values():
        yield from _recall_findings(recall, book)
    yield from _buffer_findings(book)
