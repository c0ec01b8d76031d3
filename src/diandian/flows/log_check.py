"""What must hold between the registry and the public log, read from all entries.

*Source:* design of the registry, section 2 (L1, L4).
"""

from collections import Counter
from collections.abc import Iterator

from django.db.models import F

from diandian.audit.breaches import Breach
from diandian.flows import log_fill
from diandian.registry.models import Allocation, AllocationKind, CreditBatch
from diandian.transparency import invariants as log_invariants
from diandian.transparency import queries as log_queries
from diandian.verifier import entries

_USED_AS = {"retire": "retired", "cancel": "cancelled", "reversal": "reversed"}
_Grams = dict[str, Counter[str]]


def check() -> list[Breach]:
    """Return every breach of the log's own invariants, and of those between it and the registry."""
    return [*log_invariants.check(), *_all_entered(), *_replays()]


def _all_entered() -> Iterator[Breach]:
    """X8: every batch, outside retirement and use of grams has exactly one entry.

    That none has two, the database sees to.
    """
    for batch in log_fill.batches_missing():
        yield Breach("X8", f"batch:{batch.public_id}", "stands not in the public log")
    for row in log_fill.evidence_missing():
        yield Breach("X8", f"upstream:{row.id}", "stands not in the public log")
    for use in log_fill.uses_missing():
        yield Breach("X8", f"allocation:{use.id}", "stands not in the public log")


def _replays() -> Iterator[Breach]:
    """L4: the entries alone give what was issued, retired, cancelled and kept of every batch."""
    told, kept = _told(), _kept()
    for batch in sorted({*told, *kept}):
        if told.get(batch) != kept.get(batch):
            found, wanted = dict(told.get(batch, {})), dict(kept.get(batch, {}))
            detail = f"the public log says {found}, the registry {wanted} (grams)"
            yield Breach("L4", f"batch:{batch}", detail)


def _told() -> _Grams:
    """Return what the entries say of each batch, in grams."""
    told: _Grams = {}
    for head in log_queries.heads():
        for data in log_queries.bodies(head):
            body = entries.decode(data)
            if body["type"] == "issue":
                grams = told.setdefault(body["batch"], Counter())
                for kind, start_g, end_g in body["lanes"]:
                    grams[f"issued for {kind}"] += end_g - start_g
            elif body["type"] in _USED_AS:
                for batch, start_g, end_g in body["ranges"]:
                    grams = told.setdefault(batch, Counter())
                    grams[_USED_AS[body["type"]]] += end_g - start_g
    return told


def _kept() -> _Grams:
    """Return what the registry says of each batch, in grams."""
    kept: _Grams = {}
    for batch in CreditBatch.objects.all():
        grams = Counter({"issued for sale": batch.total_g - batch.buffer_g})
        if batch.buffer_g:
            grams["issued for buffer"] = batch.buffer_g
        kept[batch.public_id] = grams
    uses = Allocation.objects.exclude(kind=AllocationKind.GENESIS).order_by()
    spans = uses.annotate(mass_g=F("end_g") - F("start_g"))
    rows = spans.values_list("lane__batch__public_id", "kind", "mass_g")
    for number, kind, mass_g in rows.iterator(chunk_size=2000):
        kept[number][_USED_AS[kind]] += mass_g
    return kept
