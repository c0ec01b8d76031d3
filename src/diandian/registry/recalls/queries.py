"""Reads of recalls: what they meet, what may replace it, and what still stands of a retirement.

Grams are looked up by chain key, a stretch at a time, so that a batch behind many certificates is
worked off in portions of the same price.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Coalesce, Greatest, Least

from diandian.registry.models import (
    LANE_STRIDE,
    Allocation,
    AllocationKind,
    Lane,
    LaneKind,
    Project,
    Recall,
    RecallState,
    Remedy,
    RemedyOutcome,
    Retirement,
)
from diandian.registry.recalls import rules
from diandian.registry.recalls.errors import RecallNotFoundError
from diandian.store.statements import Param, Select, SelectMany

# At work or worked off: what the public is told.
PUBLIC = (RecallState.RUNNING, RecallState.DONE)
Use = tuple[int, int, int, int]
_RUNNING = Select(lambda: Recall.objects.filter(state=RecallState.RUNNING).order_by("id")[:1])
_SALE_LANES = Select(
    lambda: Lane.objects.filter(batch_id=Param("batch_id"), kind=LaneKind.SALE).order_by("id")
)
# What a remedy says of a retirement; the rest is read when somebody asks for it.
_RETIREMENTS = SelectMany(
    lambda ids: (
        Retirement.objects.filter(id__in=ids)
        .only("public_id", "holder_kind", "claim_from", "claim_to", "is_sample")
        .order_by("id")
    )
)
# By the retirement alone, which few recalls meet: a server that knows little of a table that has
# just grown would take any further condition and read all remedies by it.
_ANSWERED: SelectMany[Any] = SelectMany(
    lambda ids: (
        Remedy.objects.filter(retirement__id__in=ids)
        .order_by()
        .values_list("retirement_id", "recall_id")
    )
)
_ROOTS: SelectMany[Any] = SelectMany(
    lambda ids: (
        Remedy.objects.filter(replacement__id__in=ids)
        .order_by()
        .values_list("replacement_id", "root_id")
    )
)
_USES: SelectMany[Any] = SelectMany(
    lambda ids: (
        Allocation.objects.filter(retirement__id__in=ids)
        .order_by("id")
        .values_list("retirement_id", "lane__batch_id", "start_g", "end_g")
    )
)


@dataclass(frozen=True, slots=True)
class Affected:
    """A retirement that a recall meets, and where its chain of replacements begins."""

    retirement_id: int
    root_id: int
    ranges: tuple[tuple[int, int], ...]
    row: Retirement

    @property
    def mass_g(self) -> int:
        """Return its recalled grams."""
        return sum(end_g - start_g for start_g, end_g in self.ranges)


@dataclass(frozen=True, slots=True)
class Met:
    """One stretch of looking: what was found unanswered, how far it reached, whether it ended."""

    affected: list[Affected]
    position: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """A recall in numbers; buffer, replaced and short add up to ``affected_g``. Units: grams."""

    retirements: int
    answered: int
    affected_g: int
    buffer_g: int
    replaced_g: int
    waiting_g: int
    short_retirements: int

    @property
    def made_good(self) -> int:
        """Return how many retirements were answered and have nothing short."""
        return self.answered - self.short_retirements

    @property
    def short_g(self) -> int:
        """Return what was answered and is not made good."""
        return self.affected_g - self.buffer_g - self.replaced_g - self.waiting_g


# --- recalls ------------------------------------------------------------------------------------


def recalls(*, public_only: bool = True) -> list[Recall]:
    """Return the recalls, newest first, with their batches and projects."""
    rows = Recall.objects.select_related("batch__project__programme", "batch__serial_block")
    return list(rows.filter(state__in=PUBLIC) if public_only else rows)


def recall_by_public_id(public_id: str, *, public_only: bool = False) -> Recall:
    """Return a recall by its public number. Raises: RecallNotFoundError."""
    rows = Recall.objects.select_related("batch__project__programme", "batch__serial_block")
    if public_only:
        rows = rows.filter(state__in=PUBLIC)
    found = rows.filter(public_id=public_id[:40]).first()
    if found is None:
        raise RecallNotFoundError
    return found


def recall_by_number(number: int) -> Recall:
    """Return a recall by the number of its row. Raises: RecallNotFoundError."""
    rows = Recall.objects.select_related("batch__project__programme", "batch__serial_block")
    found = rows.filter(id=number).first()
    if found is None:
        raise RecallNotFoundError
    return found


def recalls_of_project(project: Project) -> list[Recall]:
    """Return the public recalls of a project's batches, newest first."""
    rows = Recall.objects.filter(batch__project=project, state__in=PUBLIC)
    return list(rows.select_related("batch"))


def running() -> Recall | None:
    """Return the oldest recall that is at work."""
    return _RUNNING.first()


def running_recalls() -> list[Recall]:
    """Return the recalls at work, with their batches."""
    return list(Recall.objects.filter(state=RecallState.RUNNING).select_related("batch"))


# --- what a recall meets ------------------------------------------------------------------------


def _uses(recall: Recall) -> QuerySet[Allocation]:
    """Return the retired ranges that share grams with a recall."""
    return Allocation.objects.filter(
        lane__batch_id=recall.batch_id,
        kind=AllocationKind.RETIRE,
        start_g__lt=recall.end_g,
        end_g__gt=recall.start_g,
    ).order_by("end_key")


def unanswered(recall: Recall) -> QuerySet[Allocation]:
    """Return the retired ranges of a recall whose retirement has no remedy of it yet."""
    uses = _uses(recall)
    answered = Remedy.objects.filter(recall=recall, step=1).order_by()
    # A difference of sets is one look at each. PostgreSQL, which knows little of a table that has
    # just grown, would look for each range through all remedies.
    without = uses.order_by().values("retirement_id").difference(answered.values("retirement_id"))
    return uses.filter(retirement_id__in=without)


@cache
def _stretch(limit: int) -> Select[Any]:
    """Return the question for the next retired ranges of a lane, at most so many.

    The key alone says the lane, so that its index gives the order.
    """
    return Select(
        lambda: (
            Allocation.objects.filter(
                end_key__gt=Param("after_key"),
                end_key__lte=Param("last_key"),
                start_g__lt=Param("end_g"),
                kind=AllocationKind.RETIRE,
            )
            .order_by("end_key")
            .values_list("retirement_id", "end_key")[:limit]
        )
    )


def meet(recall: Recall, limit: int) -> Met:
    """Look for unanswered retirements from the recall's position on, at most ``limit`` ranges."""
    assert limit > 0, "at least one"
    ids: list[int] = []
    reached = recall.position
    for lane in _SALE_LANES.all(batch_id=recall.batch_id):
        key = lane.id * LANE_STRIDE
        if reached >= key + lane.hi or len(ids) >= limit:
            continue
        rows = _stretch(limit).all(
            after_key=max(reached, key + max(lane.lo, recall.start_g)),
            last_key=key + lane.hi,
            end_g=recall.end_g,
        )
        found = rows[: limit - len(ids)]
        ids += [retirement_id for retirement_id, _ in found if retirement_id is not None]
        reached = found[-1][1] if found else reached
    is_last = len(ids) < limit
    return Met(affected(recall, ids), reached, is_last)


def affected(recall: Recall, retirement_ids: Collection[int]) -> list[Affected]:
    """Return which of some retirements a recall meets and has not answered, by id."""
    ids = sorted(set(retirement_ids))
    done = {id_ for id_, recall_id in _ANSWERED.all(ids) if recall_id == recall.id}
    fresh = sorted(set(ids) - done)
    if not fresh:
        return []
    span = (recall.start_g, recall.end_g)
    spans: dict[int, list[tuple[int, int]]] = {}
    for retirement_id, batch_id, start_g, end_g in uses_of(fresh):
        shared = rules.overlap((start_g, end_g), span)
        if batch_id == recall.batch_id and shared is not None:
            spans.setdefault(retirement_id, []).append(shared)
    roots = _roots(spans)
    rows = _RETIREMENTS.all(list(spans))
    return [Affected(row.id, roots.get(row.id, row.id), tuple(spans[row.id]), row) for row in rows]


def _roots(retirement_ids: Iterable[int]) -> dict[int, int]:
    """Return the beginning of the chain for those that are replacements."""
    return dict(_ROOTS.all(list(retirement_ids)))


def uses_of(retirement_ids: Collection[int]) -> list[Use]:
    """Return the ranges of retirements as (retirement, batch, start, end), in one query.

    Units: grams from the start of the batch, the end excluded.
    """
    return _USES.all(list(retirement_ids))


def _open_steps() -> QuerySet[Remedy]:
    """Return the newest steps that leave grams short, of recalls that are worked off."""
    later = Remedy.objects.filter(
        recall=OuterRef("recall"), retirement=OuterRef("retirement"), step__gt=OuterRef("step")
    )
    return Remedy.objects.filter(~Exists(later), short_g__gt=0, recall__state=RecallState.DONE)


def open_steps(
    recall: Recall, *, fitting_g: int, limit: int, skips: Collection[int] = ()
) -> list[Remedy]:
    """Return what a recall left short and so many grams can replace whole, oldest first.

    ``skips``: retirements not to look at. With the retirements.
    """
    rows = _open_steps().filter(recall=recall, short_g__lte=fitting_g)
    rows = rows.exclude(retirement__in=skips) if skips else rows
    return list(rows.select_related("retirement").order_by("id")[:limit])


def short_recalls() -> list[Recall]:
    """Return the recalls that are worked off and left something short, oldest first."""
    left = _open_steps().filter(recall=OuterRef("pk"))
    rows = Recall.objects.filter(Exists(left), state=RecallState.DONE)
    return list(rows.select_related("batch__project").order_by("id"))


def missing_by_context(context_refs: Collection[str]) -> dict[str, int]:
    """Return the retired grams, by their scenes, that recalls took and nothing stands for.

    That is what was left short, and what recalls at work have not answered yet.
    """
    refs = list(context_refs)
    later = Remedy.objects.filter(
        recall=OuterRef("recall"), retirement=OuterRef("retirement"), step__gt=OuterRef("step")
    )
    rows = Remedy.objects.filter(
        ~Exists(later), short_g__gt=0, root__context_ref__in=refs
    ).order_by()
    short = rows.values_list("root__context_ref").annotate(
        g=Cast(Sum("short_g"), BigIntegerField())
    )
    # In one statement, since every page of a scene asks: recalls at work, under no scene.
    at_work = Recall.objects.filter(state=RecallState.RUNNING).order_by()
    told: Iterable[tuple[str, int]] = short.union(at_work.values_list(Value(""), F("id")), all=True)
    found = dict(told)
    if found.pop("", None) is None:
        return found
    # Asked in this order, what is answered meanwhile is never taken off twice.
    for recall in running_recalls():
        for ref, waiting_g in _waiting_by_context(recall, refs):
            found[ref] = found.get(ref, 0) + waiting_g
    return found


def _waiting_by_context(recall: Recall, refs: Sequence[str]) -> QuerySet[Any, tuple[str, int]]:
    """Return the unanswered grams of a recall by scene: of a replacement, where its chain began."""
    begun_in = Coalesce("retirement__remedy_made__root__context_ref", "retirement__context_ref")
    span = Least(F("end_g"), recall.end_g) - Greatest(F("start_g"), recall.start_g)
    rows = unanswered(recall).order_by().annotate(begun_in=begun_in).filter(begun_in__in=refs)
    return rows.values_list("begun_in").annotate(g=Sum(span))


# --- numbers ------------------------------------------------------------------------------------


def reach_of(recall: Recall) -> tuple[int, int]:
    """Return how many retirements a recall meets, and their grams in it; it need not be saved."""
    uses = _uses(recall).order_by()
    inside = uses.filter(start_g__gte=recall.start_g, end_g__lte=recall.end_g)
    affected_g = inside.aggregate(g=Sum(F("end_g") - F("start_g")))["g"] or 0
    edges = uses.filter(Q(start_g__lt=recall.start_g) | Q(end_g__gt=recall.end_g))
    for start_g, end_g in edges.values_list("start_g", "end_g"):
        affected_g += min(end_g, recall.end_g) - max(start_g, recall.start_g)
    return uses.values("retirement").distinct().count(), affected_g


def totals_of(recall: Recall) -> Totals:
    """Return a recall in numbers, counted from its rows."""
    retirements, affected_g = reach_of(recall)
    steps = Remedy.objects.filter(recall=recall).order_by()
    by_outcome = dict(steps.values_list("outcome").annotate(g=Sum("remedied_g")))
    first = steps.filter(step=1)
    answered_g = first.aggregate(g=Sum("affected_g"))["g"] or 0
    later = steps.filter(retirement=OuterRef("retirement"), step__gt=OuterRef("step"))
    return Totals(
        retirements=retirements,
        answered=first.count(),
        affected_g=affected_g,
        buffer_g=by_outcome.get(RemedyOutcome.BUFFER, 0),
        replaced_g=by_outcome.get(RemedyOutcome.REPLACED, 0),
        waiting_g=affected_g - answered_g,
        short_retirements=steps.filter(~Exists(later), short_g__gt=0).count(),
    )


def steps_of(recall: Recall, *, after_id: int = 0, limit: int = 50) -> list[Remedy]:
    """Return the steps of a recall in their order, with the retirements that they name."""
    rows = Remedy.objects.filter(recall=recall, id__gt=after_id)
    return list(rows.select_related("retirement", "replacement__project").order_by("id")[:limit])


def touches(recall: Recall, batch: str, start_g: int, end_g: int) -> bool:
    """Tell whether a range of a batch shares grams with a recall, which comes with its batch."""
    span = rules.overlap((start_g, end_g), (recall.start_g, recall.end_g))
    return recall.batch.public_id == batch and span is not None
