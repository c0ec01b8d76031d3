"""What recalls did to a retirement, and which of its grams still stand, replacements included."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from diandian.registry.models import CreditBatch, Project, Recall, Remedy, RemedyOutcome, Retirement
from diandian.registry.queries import RetiredRange, retired_range
from diandian.registry.recalls import rules
from diandian.registry.recalls.queries import uses_of
from diandian.store.statements import Param, SelectMany

# Above all numbers of rows.
_NEVER = 2**63 - 1
_STEPS = SelectMany(lambda ids: Remedy.objects.filter(root__id__in=ids, id__lt=Param("before")))


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


def losses_of(
    root_ids: Collection[int], fresh: Sequence[Remedy] = (), known: Known | None = None
) -> dict[int, list[Loss]]:
    """Return what recalls did to chains of retirements, by their roots, in the order of recalls.

    ``fresh``: all steps that the caller wrote in this transaction. ``known``: replacements that it
    has at hand, with projects and ranges, by their ids.
    """
    known = known or {}
    # Chains have one writer at a time, so what was there before has lower numbers.
    first = min((row.id for row in fresh), default=_NEVER)
    rows = [*_STEPS.all(list(root_ids), before=first), *fresh]
    rows = sorted(rows, key=lambda row: (row.recall_id, row.id))
    ids = {row.retirement_id for row in rows if row.step == 1}
    ids |= {row.replacement_id for row in rows if row.replacement_id is not None}
    # Few batches, recalls and projects stand behind many rows: each is read once.
    ranges = {id_: found for id_, (_, found) in known.items()}
    ranges |= ranges_by_id(ids - ranges.keys())
    recalls = Recall.objects.in_bulk({row.recall_id for row in rows})
    retired = {id_: row for id_, (row, _) in known.items()}
    retired |= _replacements({row.replacement_id for row in rows} - {None, *retired})
    losses: dict[int, dict[int, Loss]] = {}
    for row in rows:
        of_root = losses.setdefault(row.root_id, {})
        loss = of_root.setdefault(row.recall_id, Loss(recalls[row.recall_id]))
        if row.step == 1:
            loss.affected_g += row.affected_g
            loss.ranges += _recalled(loss.recall, ranges[row.retirement_id])
        if row.replacement_id is not None:
            loss.replaced_g += row.remedied_g
            loss.replacements.append((retired[row.replacement_id], ranges[row.replacement_id]))
        elif row.outcome == RemedyOutcome.BUFFER:
            loss.buffer_g += row.remedied_g
    return {root_id: list(found.values()) for root_id, found in losses.items()}


def _replacements(ids: Collection[int | None]) -> dict[int, Retirement]:
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
