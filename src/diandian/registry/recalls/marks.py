"""What the register says of a retirement that recalls have met, and how much still stands in all.

A recalled retirement and its replacement both happened, so both are rows of the register; a sum of
what stands counts each gram once. *Source:* design of the registry, section 3.4 (R12).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Greatest, Least

from diandian.registry.models import (
    Project,
    Remedy,
    RemedyOutcome,
    Retirement,
)
from diandian.registry.recalls import queries, rules


@dataclass(slots=True)
class Mark:
    """What recalls did to one retirement. Units: grams.

    ``remedied_g``: what stands for its recalled grams. ``replaces``: the number of the retirement
    that this one stands in for. ``is_waiting``: a recall at work has no answer for it yet.
    """

    recalled_g: int = 0
    remedied_g: int = 0
    is_waiting: bool = False
    replaces: str = ""

    @property
    def state(self) -> str:
        """Return "recalled" while it waits, then "replaced" or "short"; "" of a good one."""
        if self.is_waiting:
            return "recalled"
        if not self.recalled_g:
            return ""
        return "replaced" if self.remedied_g >= self.recalled_g else "short"

    def public(self) -> dict[str, Any]:
        """Return it as files of the register have it."""
        return {
            "recall_state": self.state,
            "recalled_g": self.recalled_g,
            "remedied_g": self.remedied_g,
            "replaces": self.replaces,
        }


def marks_of(rows: Sequence[Retirement]) -> dict[int, Mark]:
    """Return the mark of each retirement by its id, with few queries for all of them."""
    marks = {row.id: Mark() for row in rows}
    steps = Remedy.objects.filter(retirement_id__in=list(marks)).order_by()
    answered = set()
    for row_id, recall_id, step, affected_g, remedied_g in steps.values_list(
        "retirement_id", "recall_id", "step", "affected_g", "remedied_g"
    ):
        answered.add((recall_id, row_id))
        marks[row_id].recalled_g += affected_g if step == 1 else 0
        marks[row_id].remedied_g += remedied_g
    _wait(marks, answered)
    replaced = {row.id: row.replaces_id for row in rows if row.replaces_id}
    if replaced:
        numbers = Retirement.objects.filter(id__in=set(replaced.values())).order_by()
        by_id = dict(numbers.values_list("id", "public_id"))
        for row_id, original_id in replaced.items():
            marks[row_id].replaces = by_id[original_id]
    return marks


def _wait(marks: dict[int, Mark], answered: Collection[tuple[int, int]]) -> None:
    """Add what recalls at work will answer, but did not yet."""
    running = queries.running_recalls() if marks else []
    uses = queries.uses_of(marks) if running else []
    for recall in running:
        for row_id, batch_id, start_g, end_g in uses:
            span = rules.overlap((start_g, end_g), (recall.start_g, recall.end_g))
            if batch_id == recall.batch_id and span and (recall.id, row_id) not in answered:
                marks[row_id].is_waiting = True
                marks[row_id].recalled_g += span[1] - span[0]


def recalls_of(retirement: Retirement) -> list[str]:
    """Return the numbers of the recalls that met a retirement, in their order."""
    met = set(
        Remedy.objects.filter(retirement=retirement, step=1)
        .order_by()
        .values_list("recall_id", "recall__public_id")
    )
    uses = queries.uses_of([retirement.id])
    met |= {
        (recall.id, recall.public_id)
        for recall in queries.running_recalls()
        for _, batch_id, start_g, end_g in uses
        if batch_id == recall.batch_id
        and rules.overlap((start_g, end_g), (recall.start_g, recall.end_g))
    }
    return [number for _, number in sorted(met)]


# --- sums ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """Retirements that somebody asked for, and the grams of them that stand.

    ``count``: replacements are left out. ``certificates``: so is what the platform bought itself.
    """

    count: int
    certificates: int
    mass_g: int


def all_standing() -> Standing:
    """Return what stands of all retirements: what was recalled is out, what replaces it is in."""
    rows = Retirement.objects.all()
    return _standing(rows, Remedy.objects.all(), Q(), buffer_only=True)


def standing_of_project(project: Project) -> Standing:
    """Return what stands of a project's own grams, wherever they are used."""
    rows = Retirement.objects.filter(project=project)
    steps = Remedy.objects.filter(retirement__project=project)
    return _standing(rows, steps, Q(retirement__project=project), buffer_only=True)


def standing_in(context_ref: str) -> Standing:
    """Return what stands of a scene's retirements, with the replacements, of whichever project."""
    rows = Retirement.objects.filter(context_ref=context_ref)
    steps = Remedy.objects.filter(root__context_ref=context_ref)
    inside = Q(retirement__context_ref=context_ref) | Q(
        retirement__remedy_made__root__context_ref=context_ref
    )
    return _standing(rows, steps, inside, buffer_only=False)


def _standing(
    rows: QuerySet[Retirement], steps: QuerySet[Remedy], inside: Q, *, buffer_only: bool
) -> Standing:
    """Return the sum; with ``buffer_only`` the replacements stand among the rows themselves."""
    made_good = Q(outcome=RemedyOutcome.BUFFER) if buffer_only else Q()
    sums = steps.order_by().aggregate(
        lost_g=Sum("affected_g", filter=Q(step=1)), good_g=Sum("remedied_g", filter=made_good)
    )
    first = Q(replaces=None)
    total = rows.order_by().aggregate(
        g=Sum("mass_g"),
        count=Count("id", filter=first),
        certificates=Count("id", filter=first & ~Q(holder_kind="platform")),
    )
    mass_g = _sum(total["g"]) - _sum(sums["lost_g"]) + _sum(sums["good_g"]) - _waiting_g(inside)
    assert mass_g >= 0, "no gram lost twice"
    return Standing(total["count"], total["certificates"], mass_g)


def _waiting_g(inside: Q) -> int:
    """Return the grams that recalls at work have not answered yet, of some retirements."""
    found_g = 0
    for recall in queries.running_recalls():
        span = Least(F("end_g"), recall.end_g) - Greatest(F("start_g"), recall.start_g)
        rows = queries.unanswered(recall).filter(inside).order_by()
        found_g += _sum(rows.aggregate(g=Sum(span))["g"])
    return found_g


def _sum(grams: int | None) -> int:
    return grams or 0
