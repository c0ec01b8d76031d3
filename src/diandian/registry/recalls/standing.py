"""What recalls did to a retirement, and which of its grams still stand, replacements included."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from diandian.registry.models import CreditBatch, Project, Recall, Remedy, RemedyOutcome, Retirement
from diandian.registry.queries import RetiredRange, range_in
from diandian.registry.recalls import rules
from diandian.registry.recalls.queries import Use, uses_of


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


def losses_of(root_ids: Collection[int]) -> dict[int, list[Loss]]:
    """Return what recalls did to chains of retirements, by their roots, in the order of recalls."""
    rows = list(Remedy.objects.filter(root_id__in=list(root_ids)).order_by("recall_id", "id"))
    ids = {row.retirement_id for row in rows}
    ids |= {row.replacement_id for row in rows if row.replacement_id is not None}
    uses: dict[int, list[Use]] = {}
    for use in uses_of(ids):
        uses.setdefault(use[0], []).append(use)
    # Few batches, recalls and projects stand behind many rows: each is read once.
    batches = _batches({use[1] for found in uses.values() for use in found})
    recalls = Recall.objects.in_bulk({row.recall_id for row in rows})
    retired = _replacements(row.replacement_id for row in rows if row.replacement_id)
    losses: dict[int, dict[int, Loss]] = {}
    for row in rows:
        of_root = losses.setdefault(row.root_id, {})
        loss = of_root.setdefault(row.recall_id, Loss(recalls[row.recall_id]))
        if row.step == 1:
            loss.affected_g += row.affected_g
            loss.ranges += _recalled(loss.recall, uses[row.retirement_id], batches)
        if row.replacement_id is not None:
            loss.replaced_g += row.remedied_g
            ranges = [range_in(batches[b], *span) for _, b, *span in uses[row.replacement_id]]
            loss.replacements.append((retired[row.replacement_id], ranges))
        elif row.outcome == RemedyOutcome.BUFFER:
            loss.buffer_g += row.remedied_g
    return {root_id: list(found.values()) for root_id, found in losses.items()}


def _replacements(ids: Iterable[int]) -> dict[int, Retirement]:
    found = Retirement.objects.in_bulk(list(ids))
    projects = Project.objects.select_related("programme").in_bulk(
        {row.project_id for row in found.values()}
    )
    for row in found.values():
        row.project = projects[row.project_id]
    return found


def _batches(ids: Collection[int]) -> dict[int, CreditBatch]:
    return CreditBatch.objects.select_related("serial_block").in_bulk(list(ids))


def _recalled(
    recall: Recall, uses: Iterable[Use], batches: dict[int, CreditBatch]
) -> list[RetiredRange]:
    found = []
    for _, batch_id, start_g, end_g in uses:
        shared = rules.overlap((start_g, end_g), (recall.start_g, recall.end_g))
        if batch_id == recall.batch_id and shared is not None:
            found.append(range_in(batches[batch_id], *shared))
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
    return [range_in(piece.batch_row, *span) for span in left]
