"""What a recall would meet and what could answer it now, before anybody opens it; only read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diandian.flows.remedy import free_g
from diandian.registry.models import CreditBatch, Recall, RecallKind
from diandian.registry.queries import batch_stocks, project_by_code
from diandian.registry.recalls import actions, queries


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A recall as it would go now; buffer, stock and short add up to ``affected_g``. Units: grams.

    ``start_g`` and ``end_g``: its grams in the batch, the end excluded.
    """

    start_g: int
    end_g: int
    retirements: int
    affected_g: int
    buffer_g: int
    stock_g: int

    @property
    def short_g(self) -> int:
        """Return what nothing could stand for now."""
        return self.affected_g - self.buffer_g - self.stock_g


def foresee(
    batch: CreditBatch,
    *,
    kind: str,
    reason: str,
    texts: Mapping[str, str],
    grams: tuple[int, int] | None = None,
    sources: Sequence[str] = (),
) -> Foreseen:
    """Return what a recall with these facts would meet, and what could stand for it now.

    Raises: as ``open_recall``, for the same facts.
    """
    for code in sources:
        project_by_code(code)
    start_g, end_g = actions.span_of(batch, kind=kind, reason=reason, texts=texts, grams=grams)
    recall = Recall(
        batch=batch, start_g=start_g, end_g=end_g, kind=kind, sources=list(dict.fromkeys(sources))
    )
    retirements, affected_g = queries.reach_of(recall)
    buffer_g = min(affected_g, _buffer_g(batch)) if kind == RecallKind.REVERSAL else 0
    stock_g = min(affected_g - buffer_g, free_g(recall))
    return Foreseen(start_g, end_g, retirements, affected_g, buffer_g, stock_g)


def _buffer_g(batch: CreditBatch) -> int:
    entries = batch_stocks(batch.project)
    return next(entry.stock.buffer_g for entry in entries if entry.batch.id == batch.id)
