"""What must hold of the grams, at every commit; read from all rows: not for every request.

*Source:* design of the registry, section 2 (R1 to R9); market study, b1-14 (G1, G2). R10 is what
``upstream_state`` says.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import BigIntegerField, Count, F, Max, Min, OuterRef, Q, Subquery, Sum, Window
from django.db.models.functions import Coalesce, Lag, Lead

from diandian.audit.breaches import Breach, asked
from diandian.registry.ground import share_ground
from diandian.registry.models import (
    GRAMS_PER_CREDIT,
    Allocation,
    AllocationKind,
    BatchState,
    Beneficiary,
    CancellationRequest,
    CreditBatch,
    Holding,
    Lane,
    LaneKind,
    ProjectSite,
    Recall,
    RecallState,
    Remedy,
    RequestState,
    Retirement,
    SerialBlock,
)
from diandian.registry.queries import LIVE_HOLDS
from diandian.registry.recalls.queries import unanswered
from diandian.registry.rules import subject_commit
from diandian.registry.sites.facts import boundary_of_site
from diandian.registry.stock import lanes_with_cancelled, stock_of
from diandian.store.statements import Select

_SPAN = F("end_g") - F("start_g")
_USED_G = Coalesce(Sum(F("allocations__end_g") - F("allocations__start_g")), 0)

# What is wrong, each composed once: to compose them takes longer than to run them.
_TORN: Select[Allocation] = Select(
    lambda: (
        Allocation.objects.order_by()
        .annotate(
            before=Window(
                Lag("end_g"), partition_by=F("lane_id"), order_by=["end_g", "start_g", "id"]
            )
        )
        .filter(before__isnull=False)
        .exclude(start_g=F("before"))
    )
)
_CURSORS_OFF: Select[Lane] = Select(
    lambda: Lane.objects.annotate(
        starts_g=Min("allocations__start_g"), ends_g=Max("allocations__end_g"), used_g=_USED_G
    ).exclude(starts_g=F("lo"), ends_g=F("cursor"), used_g=F("cursor") - F("lo"))
)
_LANES_APART: Select[Lane] = Select(
    lambda: (
        Lane.objects.order_by()
        .annotate(
            next_lo=Window(Lead("lo"), partition_by=F("batch_id"), order_by=["lo", "id"]),
        )
        .filter(next_lo__isnull=False)
        .exclude(hi=F("next_lo"))
    )
)
_SERIALS_OVERLAP: Select[SerialBlock] = Select(
    lambda: (
        SerialBlock.objects.order_by()
        .annotate(
            before=Window(
                Lag("last"), partition_by=[F("programme_id"), F("prefix")], order_by="first"
            )
        )
        .filter(first__lte=F("before"))
    )
)
_LIVE_G = (
    Holding.objects.filter(lane=OuterRef("pk"), state__in=LIVE_HOLDS)
    .order_by()
    .values("lane")
    .annotate(total=Sum("mass_g"))
    .values("total")
)
_HOLDS_MISCOUNTED: Select[Lane] = Select(
    lambda: Lane.objects.annotate(live_g=Coalesce(Subquery(_LIVE_G), 0)).exclude(held_g=F("live_g"))
)
_RETIREMENTS_TORN: Select[Retirement] = Select(
    lambda: (
        Retirement.objects.order_by()
        .annotate(
            used_g=_USED_G,
            projects=Count("allocations__lane__batch__project", distinct=True),
            project_seen=Min("allocations__lane__batch__project"),
            oldest=Min("allocations__lane__batch__vintage_year"),
        )
        .exclude(
            used_g=F("mass_g"), projects=1, project_seen=F("project"), oldest=F("vintage_year")
        )
    )
)
_BUFFER_USED: Select[Allocation] = Select(
    lambda: Allocation.objects.filter(lane__kind=LaneKind.BUFFER).exclude(
        kind__in=(AllocationKind.GENESIS, AllocationKind.REVERSAL)
    )
)
_UNVERIFIED: Select[CreditBatch] = Select(
    lambda: CreditBatch.objects.filter(
        Q(is_ex_ante=True) | Q(verified_by="") | Q(verified_on__isnull=True),
        lanes__allocations__kind=AllocationKind.RETIRE,
    ).distinct()
)
_WORKED_OFF: Select[Recall] = Select(
    lambda: Recall.objects.filter(state=RecallState.DONE).select_related("batch")
)
_REMEDIES_OFF: Select[Remedy] = Select(
    lambda: (
        Remedy.objects.order_by()
        .annotate(
            before_g=Coalesce(
                Window(
                    Lag("short_g"),
                    partition_by=[F("recall_id"), F("retirement_id")],
                    order_by="step",
                ),
                F("affected_g"),
                output_field=BigIntegerField(),
            )
        )
        .exclude(before_g=F("remedied_g") + F("short_g"))
    )
)
_REPLACED_OTHERWISE: Select[Remedy] = Select(
    lambda: Remedy.objects.filter(replacement__isnull=False).exclude(
        replacement__mass_g=F("remedied_g"), replacement__replaces=F("retirement")
    )
)
_UNVERIFIED_GROWTH: Select[CreditBatch] = Select(
    lambda: CreditBatch.objects.filter(
        is_ex_ante=False, site__isnull=False, verified_g__isnull=True
    )
)
_OVER_VERIFIED: Select[Any] = Select(
    lambda: (
        CreditBatch.objects.filter(is_ex_ante=False, verified_g__isnull=False)
        .exclude(verification_ref="")
        .order_by()
        .values("project", "verification_ref")
        .annotate(total=Sum("total_g"), verified=Min("verified_g"), named=Min("public_id"))
        .filter(total__gt=F("verified"))
        .values_list("named")
    )
)
_BATCHES: Select[CreditBatch] = Select(CreditBatch.objects.all)
_REQUESTS: Select[CancellationRequest] = Select(CancellationRequest.objects.all)


def check() -> list[Breach]:
    """Return every breach of R1 to R9, G1 and G2 that the tables can show."""
    return asked(
        _ranges_touch,
        _cursors_match,
        _lanes_tile,
        _serials_apart,
        _grams_add_up,
        _holds_counted,
        _retirements_whole,
        _only_verified,
        _seals_open,
        _ground_apart,
        _growth_verified,
        _cancelled_as_decided,
        _recalls_answered,
        _remedies_add_up,
    )


def _ranges_touch() -> Iterator[Breach]:
    """R1: in each lane every range begins where the one before ends."""
    for row in _TORN.all():
        yield Breach("R1", f"allocation:{row.id}", "does not begin where the range before it ends")


def _cursors_match() -> Iterator[Breach]:
    """R2: a lane's used grams are exactly its ranges, from its start to its cursor."""
    for lane in _CURSORS_OFF.all():
        yield Breach("R2", f"lane:{lane.id}", "its cursor is not where its ranges end")


def _lanes_tile() -> Iterator[Breach]:
    """R3: the lanes of a batch tile it without gap or overlap."""
    for batch in CreditBatch.objects.select_related("serial_block").annotate(
        start=Min("lanes__lo"), end=Max("lanes__hi"), width=Sum(F("lanes__hi") - F("lanes__lo"))
    ):
        block = batch.serial_block
        total_g = (block.last - block.first + 1) * GRAMS_PER_CREDIT
        if (batch.start, batch.end, batch.width, batch.total_g) != (0, *[total_g] * 3):
            yield Breach("R3", f"batch:{batch.public_id}", "its lanes do not tile its serials")
    for lane in _LANES_APART.all():
        yield Breach("R3", f"lane:{lane.id}", "the next lane does not begin where it ends")


def _serials_apart() -> Iterator[Breach]:
    """R4: no serial stands in two blocks."""
    for block in _SERIALS_OVERLAP.all():
        yield Breach("R4", f"serials:{block.raw}", "overlap another block of the same prefix")


def _grams_add_up() -> Iterator[Breach]:
    """R6: issued = available + blocked + held + retired + cancelled + buffer."""
    lanes: dict[int, list[Lane]] = {}
    for lane in lanes_with_cancelled():
        lanes.setdefault(lane.batch_id, []).append(lane)
    retired = dict(
        Allocation.objects.filter(kind=AllocationKind.RETIRE)
        .order_by()
        .values_list("lane__batch_id")
        .annotate(mass_g=Sum(_SPAN))
    )
    for batch in _BATCHES.all():
        stock = stock_of(batch, lanes.get(batch.id, []))
        parts = (stock.available_g, stock.blocked_g, stock.held_g, stock.buffer_g)
        gone = (stock.retired_g, stock.cancelled_g)
        if min(parts + gone) < 0 or sum(parts + gone) != stock.issued_g:
            yield Breach("R6", f"batch:{batch.public_id}", f"its parts do not add up: {stock}")
        if stock.retired_g != retired.get(batch.id, 0):
            yield Breach("R6", f"batch:{batch.public_id}", "retired grams differ from its ranges")


def _holds_counted() -> Iterator[Breach]:
    """R6: each lane counts exactly the holds that are live."""
    for lane in _HOLDS_MISCOUNTED.all():
        yield Breach("R6", f"lane:{lane.id}", "its held grams are not those of its holds")


def _retirements_whole() -> Iterator[Breach]:
    """R7, R8: a retirement's grams are its ranges, all of one project, from lanes for sale."""
    for row in _RETIREMENTS_TORN.all():
        yield Breach("R7", f"retirement:{row.public_id}", "its ranges are not its grams or project")
    for use in _BUFFER_USED.all():
        yield Breach("R12", f"allocation:{use.id}", "used buffer grams without a reversal")


def _only_verified() -> Iterator[Breach]:
    """R9: nothing was ever retired from a batch that was not verified."""
    for batch in _UNVERIFIED.all():
        yield Breach("R9", f"batch:{batch.public_id}", "served without being verified")


def _recalls_answered() -> Iterator[Breach]:
    """R12: a recall that was worked off has an answer for every retirement that it meets."""
    for recall in _WORKED_OFF.all():
        if recall.batch.state != BatchState.RECALLED:
            yield Breach("R9", f"batch:{recall.batch.public_id}", "was recalled and may serve")
        for use in unanswered(recall):
            yield Breach("R12", f"allocation:{use.id}", f"recall {recall.public_id} forgot it")


def _remedies_add_up() -> Iterator[Breach]:
    """R12: what is made good and what is short is what was recalled; replacements hold it."""
    for row in _REMEDIES_OFF.all():
        yield Breach("R12", f"remedy:{row.id}", "its grams are not what was open before it")
    for remedy in _REPLACED_OTHERWISE.all():
        yield Breach("R12", f"remedy:{remedy.id}", "its replacement is not of its grams or for it")


def _seals_open() -> Iterator[Breach]:
    """Every name that is still kept opens the seal of its retirement."""
    kept = Beneficiary.objects.filter(erased_at__isnull=True).select_related("retirement")
    for row in kept.iterator(chunk_size=2000):
        if not _opens(row):
            yield Breach(
                "C1", f"retirement:{row.retirement.public_id}", "its name does not open its seal"
            )


def _opens(row: Beneficiary) -> bool:
    try:
        return subject_commit(row.salt, row.subject or {}) == row.retirement.subject_commit
    except (ValueError, TypeError, AssertionError):
        # No salt of 32 bytes, or no name that can be sealed.
        return False


def _ground_apart() -> Iterator[Breach]:
    """G1: no ground stands in two sites."""
    sites = list(ProjectSite.objects.filter(withdrawn_at__isnull=True).order_by("west", "id"))
    for at, site in enumerate(sites):
        boundary = boundary_of_site(site.corners)
        for other in sites[at + 1 :]:
            if other.west >= site.east:
                break
            if share_ground(boundary, boundary_of_site(other.corners)):
                yield Breach("G1", f"site:{other.id}", f"shares ground with site {site.id}")


def _growth_verified() -> Iterator[Breach]:
    """G2: blocks of one report hold no more grams than it verified; growth has a report."""
    for batch in _UNVERIFIED_GROWTH.all():
        yield Breach("G2", f"batch:{batch.public_id}", "sells growth without verified grams")
    for (public_id,) in _OVER_VERIFIED.all():
        yield Breach("G2", f"batch:{public_id}", "its report verified fewer grams")


def _cancelled_as_decided() -> Iterator[Breach]:
    """R6: a confirmed request took out exactly its grams, another one none."""
    taken = dict(
        Allocation.objects.filter(source_ref__startswith="cancellation:")
        .order_by()
        .values_list("source_ref")
        .annotate(mass_g=Sum(_SPAN))
    )
    for request in _REQUESTS.all():
        wanted_g = request.mass_g if request.state == RequestState.DONE else 0
        if taken.get(f"cancellation:{request.id}", 0) != wanted_g:
            yield Breach("R6", f"cancellation:{request.id}", "did not cancel what was decided")
