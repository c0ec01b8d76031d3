"""Writes of recalls: opened by one person, approved by a second, worked off step by step.

Opening freezes the batch at once. Nothing is un-retired: recalled grams stay used, and what stands
in their place is retired anew. *Source:* design of the registry, section 3.4; R11, R12.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from diandian.audit.actions import record
from diandian.kernel.errors import N_
from diandian.registry.batches.actions import freeze, thaw
from diandian.registry.lanes.actions import promise
from diandian.registry.models import (
    BatchState,
    CreditBatch,
    Holding,
    Recall,
    RecallKind,
    RecallState,
    Remedy,
)
from diandian.registry.recalls import queries
from diandian.registry.recalls.errors import (
    STATES,
    RecalledAlreadyError,
    RecallFactsError,
    RecallSettledError,
    SamePersonError,
)
from diandian.registry.recalls.rules import MOST_TEXT, Piece, Step, same_person
from diandian.store.inserts import InsertMany, NewIds
from diandian.store.statements import Param, Select, Update
from diandian.store.transactions import joined, require_transaction

_HOLDINGS = InsertMany(Holding, "lane_id", "owner_ref", "mass_g", shared=("expires_at",))
_REMEDIES = InsertMany(
    Remedy,
    "id",
    "retirement_id",
    "root_id",
    "step",
    "outcome",
    "affected_g",
    "remedied_g",
    "short_g",
    "replacement_id",
    shared=("recall_id", "at"),
)
_LOCKED = Select(
    lambda: (
        Recall.objects.select_for_update(of=("self",), no_key=True)
        .select_related("batch__project", "batch__serial_block")
        .filter(id=Param("id"))
    )
)
_MOVED_ON = Update(lambda _: Recall.objects.filter(id=Param("id")), position=Param("position"))
# What stood still before stands still again.
_THAWS = (BatchState.OPEN, BatchState.EXHAUSTED, BatchState.DRAFT)
_UNDROPPED = (RecallState.OPENED, RecallState.RUNNING, RecallState.DONE)


def open_recall(  # noqa: PLR0913 - one recall, all its facts
    *,
    batch: CreditBatch,
    kind: str,
    reason: str,
    texts: Mapping[str, str],
    opened_by: str,
    at: datetime,
    grams: tuple[int, int] | None = None,
    sources: Sequence[str] = (),
) -> Recall:
    """Open a recall of a batch, or of some of its grams, and freeze the batch.

    A reversal does not reach into the buffer, which answers for it. Locks: the batch.
    Raises: RecallFactsError, RecalledAlreadyError.
    """
    assert opened_by, "somebody decided"
    with joined():
        locked = CreditBatch.objects.select_for_update(no_key=True).get(id=batch.id)
        span = span_of(locked, kind=kind, reason=reason, texts=texts, grams=grams)
        earlier = Recall.objects.filter(batch=locked)
        number = f"r-{locked.public_id.removeprefix('b-')}-{earlier.count() + 1}"
        recall = Recall.objects.create(
            public_id=number,
            batch=locked,
            start_g=span[0],
            end_g=span[1],
            kind=kind,
            reason=reason,
            texts=dict(texts),
            sources=list(sources),
            batch_was=locked.state,
            opened_by=opened_by,
            opened_at=at,
        )
        freeze(locked, f"recall {number}", actor_ref=opened_by)
        details = {"reason": reason, "start_g": span[0], "end_g": span[1]}
        _record(recall, "opened", opened_by, details, at)
        return recall


def _last_g(batch: CreditBatch, kind: str) -> int:
    return batch.total_g - (batch.buffer_g if kind == RecallKind.REVERSAL else 0)


def span_of(
    batch: CreditBatch,
    *,
    kind: str,
    reason: str,
    texts: Mapping[str, str],
    grams: tuple[int, int] | None = None,
) -> tuple[int, int]:
    """Return the grams that a recall with these facts would take; nothing is written.

    Raises: RecallFactsError, RecalledAlreadyError.
    """
    span = grams or (0, _last_g(batch, kind))
    _refuse_unfit(batch, kind, reason, texts, span)
    same = Recall.objects.filter(batch=batch, start_g__lt=span[1], end_g__gt=span[0])
    other = same.filter(state__in=_UNDROPPED).first()
    if other is not None:
        raise RecalledAlreadyError(other=other.public_id)
    return span


def _refuse_unfit(
    batch: CreditBatch, kind: str, reason: str, texts: Mapping[str, str], span: tuple[int, int]
) -> None:
    wrong = ""
    if kind not in RecallKind.values:
        wrong = N_("its kind is neither invalid nor reversal")
    elif not reason.isascii() or not reason.replace("-", "").isalnum() or reason != reason.lower():
        wrong = N_("its reason is not a code of small letters, digits and hyphens")
    elif len(reason) > 40:  # noqa: PLR2004 - as entries of the public log have it
        wrong = N_("its reason is longer than 40 characters")
    elif not 0 <= span[0] < span[1] <= _last_g(batch, kind):
        wrong = N_("its grams do not lie in the batch, or reach into the buffer")
    elif set(texts) != {"zh-Hans", "en", "nl"} or not all(texts.values()):
        wrong = N_("its text is not there in zh-Hans, en and nl")
    elif any(len(text) > MOST_TEXT for text in texts.values()):
        wrong = N_("its text is longer than 600 characters")
    if wrong:
        raise RecallFactsError(field="recall", why=wrong)


def approve(recall: Recall, *, approved_by: str, at: datetime) -> Recall:
    """Let a second person start the work; the batch never serves again.

    Locks: the recall, the batch. Raises: SamePersonError, RecallSettledError.
    """
    assert approved_by, "somebody decided"
    with joined():
        found = locked(recall.id)
        _refuse_settled(found)
        if same_person(approved_by, found.opened_by):
            raise SamePersonError(name=approved_by.partition(":")[2] or approved_by)
        found.state = RecallState.RUNNING
        found.approved_by, found.approved_at = approved_by, at
        found.save(update_fields=["state", "approved_by", "approved_at"])
        CreditBatch.objects.filter(id=found.batch_id).update(state=BatchState.RECALLED)
        _record(found, "approved", approved_by, {}, at)
        return found


def drop(recall: Recall, *, dropped_by: str, at: datetime, note: str = "") -> Recall:
    """Give up a recall that nobody approved, and let its batch serve again.

    ``note``: why, for the trail alone.
    Locks: the recall, the batch. Raises: RecallSettledError.
    """
    assert dropped_by, "somebody decided"
    with joined():
        found = locked(recall.id)
        _refuse_settled(found)
        found.state = RecallState.DROPPED
        found.save(update_fields=["state"])
        others = Recall.objects.filter(batch_id=found.batch_id, state=RecallState.OPENED)
        if found.batch_was in _THAWS and not others.exists():
            thaw(found.batch, f"recall {found.public_id} dropped", actor_ref=dropped_by)
        _record(found, "dropped", dropped_by, {"note": note} if note else {}, at)
        return found


def keep_frozen(batch: CreditBatch, reason: str, *, actor_ref: str, at: datetime) -> None:
    """Have a batch stay frozen whatever becomes of the recalls that are open: for another reason.

    Idempotent. Locks: the recalls.
    """
    assert actor_ref, "somebody decided"
    with joined():
        held = Recall.objects.select_for_update(no_key=True).order_by("id")
        for recall in held.filter(batch=batch, state=RecallState.OPENED, batch_was__in=_THAWS):
            recall.batch_was = BatchState.FROZEN
            recall.save(update_fields=["batch_was"])
            _record(recall, "batch_kept_frozen", actor_ref, {"reason": reason}, at)


def _refuse_settled(recall: Recall) -> None:
    if recall.state != RecallState.OPENED:
        raise RecallSettledError(recall=recall.public_id, why=STATES[recall.state])


def locked(recall_id: int) -> Recall:
    """Return a recall that nobody else works on now. Locks: its row."""
    require_transaction()
    found = _LOCKED.first(id=recall_id)
    assert found is not None, "a recall is never deleted"
    return found


def move_on(recall: Recall, position: int) -> None:
    """Keep how far the work has come, in the transaction of the work itself."""
    assert position >= 0, "keys are positive"
    _MOVED_ON.along(id=recall.id, position=position)


def finish(recall: Recall, *, at: datetime) -> bool:
    """Close a recall whose every retirement has its answer. Idempotent; False when it had been."""
    require_transaction()
    assert not queries.unanswered(recall).exists(), "every retirement behind it has its answer"
    running = Recall.objects.filter(id=recall.id, state=RecallState.RUNNING)
    if not running.update(state=RecallState.DONE, finished_at=at):
        return False
    _record(recall, "finished", "platform", {}, at)
    return True


def hold_pieces(wanted: Sequence[tuple[str, Piece]], *, expires_at: datetime) -> None:
    """Set the grams of pieces aside, each for an owner of its own; the lanes are locked already.

    Locks: lanes, in id order. Raises: IntegrityError when an owner held before.
    """
    require_transaction()
    taken: dict[int, int] = {}
    rows = []
    for owner_ref, piece in wanted:
        for lane_id, take_g in piece.takes:
            taken[lane_id] = taken.get(lane_id, 0) + take_g
            rows.append((lane_id, owner_ref, take_g))
    promised = [promise(lane_id, take_g) for lane_id, take_g in sorted(taken.items())]
    assert all(promised), "locked lanes keep their grams"
    _HOLDINGS.along(rows, expires_at=expires_at)


def write_remedies(recall: Recall, steps: Sequence[Step], *, at: datetime) -> list[int]:
    """Write the steps of remedies, in their order; return the ids of their rows, which rise.

    Raises, at the latest with the commit: IntegrityError when a step was written already.
    """
    require_transaction()
    assert all(row.affected_g >= row.remedied_g + row.short_g for row in steps), "no gram invented"
    ids = NewIds(Remedy, len(steps)).read()
    rows = [(number, *step) for number, step in zip(ids, steps, strict=True)]
    _REMEDIES.along(rows, recall_id=recall.id, at=at)
    return ids


def _record(
    recall: Recall, what: str, actor_ref: str, details: Mapping[str, object], at: datetime
) -> None:
    record(
        actor_ref=actor_ref,
        action=f"recall.{what}",
        subject_ref=f"recall:{recall.public_id}",
        details=details,
        at=at,
    )
