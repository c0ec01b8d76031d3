"""What recalls did to a retirement, and which of its grams still stand, replacements included."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from diandian.registry.models import CreditBatch, Project, Recall, Remedy, RemedyOutcome, Retirement
from diandian.registry.queries import RetiredRange, retired_range
from diandian.registry.recalls import rules
from diandian.registry.recalls.queries import uses_of
from diandian.registry.recalls.rules import Span, Step
from diandian.store.statements import SelectMany

# Above all numbers of rows.
_NEVER = 2**63 - 1
_STEPS: SelectMany[Any] = SelectMany(
    lambda ids: (
        Remedy.objects.filter(root__id__in=ids)
        .order_by()
        .values_list("recall_id", "id", *Step._fields)
    )
)


@dataclass(slots=True)
class Loss:
    """What one recall did to one chain of retirements. Units: grams.

    ``ranges``: its recalled grams. ``replacements``: what was retired in their place.
    """

    recall: Recall
    ranges: list[RetiredRange] = field(default_factory=list)
    replacements: list[tuple[Retirement, list[RetiredRange]]] = field(default_factory=list)
    affected_g: int = 0
    buffer_g: int = 0
    replaced_g: int = 0

    @property
    def short_g(self) -> int:
        """Return the recalled grams that nothing stands for."""
        return self.affected_g - self.buffer_g - self.replaced_g


Known = Mapping[int, tuple[Retirement, list[RetiredRange]]]


@dataclass(frozen=True, slots=True)
class Fresh:
    """What one recall did to chains in the caller's transaction; nothing of it is read again.

    ``steps``: all of them, in order, with the ids of their rows. ``made``: the replacements.
    ``met``: the recall's grams of each retirement that it met now, by its id.
    """

    recall: Recall
    steps: Sequence[tuple[int, Step]]
    made: Known
    met: Mapping[int, Sequence[Span]]

    def ranges(self, recall_id: int, retirement_id: int) -> list[RetiredRange] | None:
        """Return the grams that a recall took of a retirement, where this is its first step."""
        spans = self.met.get(retirement_id) if recall_id == self.recall.id else None
        return [retired_range(self.recall.batch, *span) for span in spans] if spans else None


def losses_of(root_ids: Collection[int], fresh: Fresh | None = None) -> dict[int, list[Loss]]:
    """Return what recalls did to chains of retirements, by their roots, in the order of recalls.

    ``fresh``: what the caller did in this transaction.
    """
    rows = _steps(root_ids, fresh)
    first = {
        (recall_id, step.retirement_id): (
            fresh.ranges(recall_id, step.retirement_id) if fresh else None
        )
        for recall_id, _, step in rows
        if step.step == 1
    }
    ids = {retirement_id for (_, retirement_id), taken in first.items() if taken is None}
    made = {step.replacement_id for _, _, step in rows if step.replacement_id is not None}
    # Few batches, recalls and projects stand behind many rows: each is read once.
    known = fresh.made if fresh else {}
    ranges = {id_: found for id_, (_, found) in known.items()}
    ranges |= ranges_by_id((ids | made) - ranges.keys())
    recalls = _recalls({recall_id for recall_id, _, _ in rows}, fresh)
    retired = {id_: row for id_, (row, _) in known.items()}
    retired |= _replacements(made - retired.keys())
    losses: dict[int, dict[int, Loss]] = {}
    for recall_id, _, step in rows:
        of_root = losses.setdefault(step.root_id, {})
        loss = of_root.get(recall_id)
        if loss is None:
            loss = of_root[recall_id] = Loss(recalls[recall_id])
        if step.step == 1:
            loss.affected_g += step.affected_g
            taken = first[recall_id, step.retirement_id]
            loss.ranges += taken or _recalled(loss.recall, ranges[step.retirement_id])
        if step.replacement_id is not None:
            loss.replaced_g += step.remedied_g
            loss.replacements.append((retired[step.replacement_id], ranges[step.replacement_id]))
        elif step.outcome == RemedyOutcome.BUFFER:
            loss.buffer_g += step.remedied_g
    return {root_id: list(found.values()) for root_id, found in losses.items()}


def _steps(root_ids: Collection[int], fresh: Fresh | None) -> list[tuple[int, int, Step]]:
    """Return the steps of chains as (recall, row, step), by recall and row."""
    # Chains have one writer at a time, so what was there before has lower numbers.
    before = fresh.steps[0][0] if fresh else _NEVER
    found = _STEPS.all(list(root_ids))
    rows = [(recall, number, Step(*step)) for recall, number, *step in found if number < before]
    if fresh:
        rows += [(fresh.recall.id, number, step) for number, step in fresh.steps]
    return sorted(rows, key=itemgetter(0, 1))


def _recalls(ids: Collection[int], fresh: Fresh | None) -> dict[int, Recall]:
    known = {fresh.recall.id: fresh.recall} if fresh else {}
    missing = set(ids) - known.keys()
    return known | (Recall.objects.in_bulk(missing) if missing else {})


def _replacements(ids: Collection[int]) -> dict[int, Retirement]:
    if not ids:
        return {}
    found = Retirement.objects.in_bulk(list(ids))
    projects = Project.objects.select_related("programme").in_bulk(
        {row.project_id for row in found.values()}
    )
    for row in found.values():
        row.project = projects[row.project_id]
    return found


def ranges_by_id(retirement_ids: Collection[int]) -> dict[int, list[RetiredRange]]:
    """Return the exact grams of many retirements of few batches, by their ids."""
    uses = uses_of(retirement_ids)
    if not uses:
        return {}
    batches = CreditBatch.objects.select_related("serial_block").in_bulk({use[1] for use in uses})
    found: dict[int, list[RetiredRange]] = {}
    for retirement_id, batch_id, *span in uses:
        found.setdefault(retirement_id, []).append(retired_range(batches[batch_id], *span))
    return found


def _recalled(recall: Recall, ranges: Iterable[RetiredRange]) -> list[RetiredRange]:
    found = []
    for piece in ranges:
        shared = rules.overlap((piece.start_g, piece.end_g), (recall.start_g, recall.end_g))
        if piece.batch_row.id == recall.batch_id and shared is not None:
            is_whole = shared == (piece.start_g, piece.end_g)
            found.append(piece if is_whole else retired_range(piece.batch_row, *shared))
    return found


def standing_ranges(ranges: Iterable[RetiredRange], losses: Iterable[Loss]) -> list[RetiredRange]:
    """Return the ranges that still stand: those of old without what was recalled, and the new."""
    standing = list(ranges)
    for loss in losses:
        batch_id = loss.recall.batch_id
        gone = (loss.recall.start_g, loss.recall.end_g)
        standing = [
            piece
            for each in standing
            for piece in _left(each, gone if each.batch_row.id == batch_id else (0, 0))
        ]
        standing += [piece for _, pieces in loss.replacements for piece in pieces]
    return standing


def _left(piece: RetiredRange, gone: tuple[int, int]) -> list[RetiredRange]:
    left = rules.without([(piece.start_g, piece.end_g)], gone) if gone[1] else None
    if left is None or left == [(piece.start_g, piece.end_g)]:
        return [piece]
    return [retired_range(piece.batch_row, *span) for span in left]
