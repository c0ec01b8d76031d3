"""A bad batch, and everybody who holds a certificate of it: opened, approved, worked off, told.

One person opens a recall, which freezes the batch at once; a second one approves it, and from then
on pages say so. The worker answers a few hundred retirements a commit and may be stopped anywhere:
what has its remedy is not found again. What stays short is tried again whenever there is stock.
*Source:* market study, M7; registry design, section 3.4 (R11, R12).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.certificates import queries as certificate_queries
from diandian.flows import log_entries, log_guard, recall_told
from diandian.flows.locks import lock_orders_of_refs
from diandian.flows.remedy import Need, free_g, remedy
from diandian.kernel.clock import now
from diandian.kernel.collector import collector_held
from diandian.orders import queries as order_queries
from diandian.registry.models import BatchState, CreditBatch, Recall, RecallState, Remedy
from diandian.registry.queries import project_by_code
from diandian.registry.recalls import actions, queries
from diandian.store.transactions import by_index
from diandian.transparency import actions as log_actions

AT_ONCE = 256
# Why the public log says that a batch stands still.
_FREEZE = "recall"
_STANDS_STILL = (BatchState.FROZEN, BatchState.RECALLED)


@transaction.atomic
def open_recall(  # noqa: PLR0913 - one recall, all its facts
    batch: CreditBatch,
    *,
    kind: str,
    reason: str,
    texts: Mapping[str, str],
    opened_by: str,
    grams: tuple[int, int] | None = None,
    sources: Sequence[str] = (),
    at: datetime | None = None,
) -> Recall:
    """Ask for a recall of a batch, or of some of its grams; the batch sells nothing from now on.

    ``texts``: why, for the public, by language. ``sources``: codes of further projects that may
    replace. Raises: RecallFactsError, RecalledAlreadyError, NotFoundError for an unknown project.
    """
    at = at or now()
    for code in sources:
        project_by_code(code)
    opened = actions.open_recall(
        batch=batch,
        kind=kind,
        reason=reason,
        texts=texts,
        opened_by=opened_by,
        grams=grams,
        sources=list(dict.fromkeys(sources)),
        at=at,
    )
    if opened.batch_was not in _STANDS_STILL:
        log_actions.append_many([log_entries.frozen(opened.batch, _FREEZE)], at=at)
    return opened


@transaction.atomic
def approve(recall: Recall, *, approved_by: str, at: datetime | None = None) -> Recall:
    """Approve a recall as a second person; the worker begins. Raises: as the action.

    What the log tells already, since a backup came back in between, is not told again.
    """
    at = at or now()
    found = actions.approve(recall, approved_by=approved_by, at=at)
    log_actions.append_new([log_entries.recalled(found)], at=at)
    return found


@transaction.atomic
def drop(recall: Recall, *, dropped_by: str, note: str = "", at: datetime | None = None) -> Recall:
    """Give up an unapproved recall. ``note``: why, for the trail. Raises: RecallSettledError."""
    at = at or now()
    found = actions.drop(recall, dropped_by=dropped_by, note=note, at=at)
    if found.batch.state not in _STANDS_STILL:
        log_actions.append_many([log_entries.thawed(found.batch, _FREEZE)], at=at)
    return found


def work(limit: int = AT_ONCE, *, at: datetime | None = None) -> int:
    """Do one portion of the oldest recall at work. Returns how many retirements were answered.

    Locks: the recall, the orders behind it in id order, lanes, the trail, the log. An order that
    somebody is just changing is left out and found again when the work comes round.
    """
    running = queries.running()
    if running is None or not log_guard.may_enter(at=at):
        return 0
    with collector_held, transaction.atomic():
        by_index(anew=running.position == 0)
        recall = actions.locked(running.id)
        if recall.state != RecallState.RUNNING:
            return 0
        met = queries.meet(recall, limit)
        needs = [
            Need(each.row, each.root_id, each.mass_g, each.mass_g, spans=each.ranges)
            for each in met.affected
        ]
        done = remedy(recall, _free(needs), at=at or now())
        if not met.is_last:
            actions.move_on(recall, met.position)
            return max(done, 1)
        if not queries.unanswered(recall).exists():
            _finish(recall, at or now())
            return max(done, 1)
        actions.move_on(recall, 0)
    return done


def work_all(*, at: datetime | None = None) -> int:
    """Work off every recall as far as it goes. Returns how many portions did something."""
    portions = 0
    while work(at=at):
        portions += 1
    return portions


def _free(needs: list[Need]) -> list[Need]:
    """Return the needs whose order is ours now, or that have none. Locks: the orders."""
    refs = certificate_queries.orders_of({need.root_id for need in needs})
    ordered = {ref for ref in refs.values() if ref.startswith("order:")}
    busy = ordered - lock_orders_of_refs(sorted(ordered))
    return [need for need in needs if refs.get(need.root_id, "") not in busy]


def _finish(recall: Recall, at: datetime) -> None:
    """Close a recall and leave one message for each organisation that it met."""
    if not actions.finish(recall, at=at):
        return
    roots = Remedy.objects.filter(recall=recall).order_by().values("root")
    audit_actions.publish_many(
        recall_told.TELL,
        {
            f"{recall_told.keys_of(recall)}tell:{holder_ref}": {
                "recall": recall.public_id,
                "holder": holder_ref,
                "language": language,
            }
            for holder_ref, language in order_queries.holders_of(roots).items()
        },
    )


def retry(limit: int = AT_ONCE, *, only: Recall | None = None, at: datetime | None = None) -> int:
    """Try again what is short, where stock came: the oldest that it suffices for, recall by recall.

    ``only``: of this recall. Returns how many were answered, at most ``limit``.
    Each is replaced whole or left as it is, so that holders do not get a version for every gram.
    What nothing can replace now is not looked at, and keeps nobody waiting.
    """
    if not log_guard.may_enter(at=at):
        return 0
    done = 0
    for recall in [only] if only else queries.short_recalls():
        busy: set[int] = set()
        while done < limit:
            answered, left_out = _retry_some(recall, limit - done, busy, at or now())
            done += answered
            busy |= left_out
            if not answered and not left_out:
                break
    return done


def _retry_some(
    short: Recall, limit: int, skips: Collection[int], at: datetime
) -> tuple[int, set[int]]:
    """Replace some of what a recall left short; return how many, and which are busy just now."""
    fitting_g = free_g(short)
    if not fitting_g or not queries.open_steps(short, fitting_g=fitting_g, limit=1, skips=skips):
        return 0, set()
    with collector_held, transaction.atomic():
        by_index(anew=True)
        recall = actions.locked(short.id)
        # Looked at anew, now that no other portion of this recall can come between.
        steps = queries.open_steps(recall, fitting_g=free_g(recall), limit=limit, skips=skips)
        needs = [
            Need(row.retirement, row.root_id, row.affected_g, row.short_g, row.step)
            for row in steps
        ]
        free = _free(needs)
        answered = remedy(recall, free, at=at, is_retry=True)
    ours = {need.retirement.id for need in free}
    return answered, {need.retirement.id for need in needs} - ours
