"""What must hold between the registry and the public log, read from all entries.

Sums would not do: two retirements that exchanged their grams, or their names, add up as before. So
each entry about grams is held against its own rows, a portion of the log at a time.
*Source:* design of the registry, section 2 (L1, L4, R10).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, islice
from typing import Any

from django.db.models import F, Q, Sum

from diandian.audit.breaches import Breach, asked
from diandian.flows import log_entries, log_fill
from diandian.registry.models import (
    Allocation,
    AllocationKind,
    CreditBatch,
    Retirement,
    UpstreamRetirement,
)
from diandian.transparency import invariants as log_invariants
from diandian.transparency import queries as log_queries
from diandian.transparency.invariants import Published
from diandian.verifier import entries

_USED_AS = {"retire": "retired", "cancel": "cancelled", "reversal": "reversed"}
_PORTION = 2000
_SEAL = ("id", "public_id", "subject_commit")
_Grams = dict[str, Counter[str]]
_Body = Mapping[str, Any]
# What a use of grams is told by, such as ("retire", its number), and what is told of it: its seal,
# and its ranges in the order of their grams.
_Use = tuple[str, str]
_Told = tuple[str, list[tuple[str, int, int]]]
# A breach, and the batches of grams that the log tells of and the registry does not know.
_Lost = tuple[Breach, set[str]]


# Why ``log_recover`` freezes a batch of which the log knows more than the registry.
RESTORED = "restored-backup"


def check(published: Published | None = None) -> list[Breach]:
    """Return every breach of the log's own invariants, and of those between it and the registry.

    ``published``: as ``log_invariants.check`` takes it.
    """
    return asked(partial(log_invariants.check, published), _all_entered, _replays)


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
    """L4: the entries alone give what was issued, retired, cancelled and kept of every batch.

    And each tells of its own grams, for its own seal, and of an outside retirement all of it.

    A batch that was frozen after a restored backup may be told more of than the registry kept: no
    gram of it moves until people have looked. Thawed, it is a breach again.
    """
    told: _Grams = defaultdict(Counter)
    restored: set[str] = set()
    lost: list[_Lost] = []
    following = _bodies()
    while bodies := list(islice(following, _PORTION)):
        _count(told, bodies)
        _note_restored(restored, bodies)
        upstream = [body for body in bodies if body["type"] == "upstream"]
        for breach, batches in chain(_uses_differ(bodies), _evidence_differs(upstream)):
            if batches:
                lost.append((breach, batches))
            else:
                yield breach
    yield from (breach for breach, batches in lost if not batches <= restored)
    kept = _kept()
    for batch in sorted({*told, *kept}):
        if batch in restored and told.get(batch, Counter()) >= kept.get(batch, Counter()):
            continue
        if told.get(batch) != kept.get(batch):
            found, wanted = dict(told.get(batch, {})), dict(kept.get(batch, {}))
            detail = f"the public log says {found}, the registry {wanted} (grams)"
            yield Breach("L4", f"batch:{batch}", detail)


def _bodies() -> Iterator[_Body]:
    """Yield the entries of every log; what is none is told by the log's own invariants (L5)."""
    for head in log_queries.heads():
        for data in log_queries.bodies(head):
            try:
                yield entries.decode(data)
            except entries.EntryError:
                continue


def _count(told: _Grams, bodies: Iterable[_Body]) -> None:
    """Add what entries say of each batch, in grams."""
    for body in bodies:
        if body["type"] == "issue":
            for kind, start_g, end_g in body["lanes"]:
                told[body["batch"]][f"issued for {kind}"] += end_g - start_g
        elif body["type"] in _USED_AS:
            for batch, start_g, end_g in body["ranges"]:
                told[batch][_USED_AS[body["type"]]] += end_g - start_g


def _note_restored(restored: set[str], bodies: Iterable[_Body]) -> None:
    """Keep which batches stand frozen after a restored backup, as the entries go by."""
    for body in bodies:
        if body["type"] == "freeze" and body["reason"] == RESTORED:
            restored.add(body["batch"])
        elif body["type"] == "thaw":
            restored.discard(body["batch"])


def _uses_differ(bodies: Iterable[_Body]) -> Iterator[_Lost]:
    """L4: a retirement, cancellation or reversal has the grams and the seal that its entry tells.

    Each entry has another name and each use has an entry (L1, X8): so the other way round, too.
    With batches where the registry knows nothing of it.
    """
    told = {_use_of(body): _told_of(body) for body in bodies if body["type"] in _USED_AS}
    kept = _kept_of(told)
    for use, wanted in told.items():
        if kept.get(use) == wanted:
            continue
        kind, name = use
        subject = f"retirement:{name}" if kind == AllocationKind.RETIRE else f"{kind}:{name}"
        batches = {name for name, *_ in wanted[1]} if use not in kept else set()
        yield Breach("L4", subject, _difference(wanted, kept.get(use))), batches


def _difference(told: _Told, kept: _Told | None) -> str:
    if kept is None:
        return "stands in the public log, and the registry does not know it"
    if kept[0] != told[0]:
        return "the public log has another seal of its name"
    return "the public log tells of other grams than its own"


def _use_of(body: _Body) -> _Use:
    kind = body["type"]
    return kind, body["retirement" if kind == AllocationKind.RETIRE else "ref"]


def _told_of(body: _Body) -> _Told:
    return body.get("commit", ""), sorted((name, start, end) for name, start, end in body["ranges"])


def _kept_of(uses: Iterable[_Use]) -> dict[_Use, _Told]:
    """Return what the registry says of uses of grams, in three queries at most."""
    names: dict[str, list[str]] = defaultdict(list)
    for kind, name in uses:
        names[kind].append(name)
    span = ("lane__batch__public_id", "start_g", "end_g")
    retired = names.pop(AllocationKind.RETIRE, [])
    found: dict[_Use, _Told] = {}
    if retired:
        seals = Retirement.objects.filter(public_id__in=retired).order_by()
        known = {pk: (name, seal) for pk, name, seal in seals.values_list(*_SEAL)}
        found = {("retire", name): (seal, []) for name, seal in known.values()}
        rows = Allocation.objects.filter(retirement__in=list(known), kind=AllocationKind.RETIRE)
        for pk, *piece in rows.order_by().values_list("retirement_id", *span):
            found["retire", known[pk][0]][1].append((piece[0], piece[1], piece[2]))
    if names:
        others = Q()
        for kind, refs in names.items():
            others |= Q(kind=kind, source_ref__in=refs)
        rows = Allocation.objects.filter(others).order_by()
        for kind, ref, *piece in rows.values_list("kind", "source_ref", *span):
            found.setdefault((kind, ref), ("", []))[1].append((piece[0], piece[1], piece[2]))
    for _, pieces in found.values():
        pieces.sort()
    return found


def _evidence_differs(bodies: Iterable[_Body]) -> Iterator[_Lost]:
    """X8, R10: an outside retirement says what its entry says: tonnes, reference, day, evidence.

    With its batch where the registry knows nothing of it.
    """
    told = {(body["batch"], body["first"]): body for body in bodies}
    if not told:
        return
    numbers, firsts = ({key[at] for key in told} for at in (0, 1))
    rows = UpstreamRetirement.objects.filter(
        batch__public_id__in=numbers, first_serial__in=firsts
    ).select_related("batch")
    for row in rows:
        body = told.pop((row.batch.public_id, row.first_serial), None)
        if body is None:
            continue
        kept = log_entries.retired_outside(row.batch, row)
        differs = sorted(name for name, value in kept.items() if body[name] != value)
        if differs:
            detail = f"the public log has another {', '.join(differs)}"
            yield Breach("X8", f"upstream:{row.id}", detail), set()
    for number, first in told:
        detail = f"the public log has a retirement outside from {first} on; the registry has none"
        yield Breach("X8", f"batch:{number}", detail), {number}


def _kept() -> _Grams:
    """Return what the registry says of each batch, in grams."""
    kept: _Grams = {}
    for batch in CreditBatch.objects.all():
        grams = Counter({"issued for sale": batch.total_g - batch.buffer_g})
        if batch.buffer_g:
            grams["issued for buffer"] = batch.buffer_g
        kept[batch.public_id] = grams
    uses = Allocation.objects.exclude(kind=AllocationKind.GENESIS).order_by()
    sums = uses.values_list("lane__batch__public_id", "kind").annotate(
        mass_g=Sum(F("end_g") - F("start_g"))
    )
    for number, kind, mass_g in sums:
        kept[number][_USED_AS[kind]] += mass_g
    return kept
