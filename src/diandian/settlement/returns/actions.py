"""Writes of what refunds take from suppliers' parts: once per refund, and counted when done."""

from datetime import datetime

from django.db import connection
from django.db.models import F

from diandian.kernel.money import Money
from diandian.settlement import rules
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.models import (
    BatchState,
    Line,
    LineState,
    Return,
    ReturnWay,
    SplitState,
)

_REASON = 120


def begin_return(
    line: Line, *, return_no: str, way: str, amount: Money, refund: Money, cause: str, at: datetime
) -> Return:
    """Write what a refund takes from a line, before a gateway hears of it.

    In the caller's transaction, with the line's lock. Idempotent by: the number, asked before.
    """
    assert connection.in_atomic_block, "a return and its booking are one"
    split = line.splits.filter(state=SplitState.PAID).first()
    made = Return.objects.create(
        return_no=return_no,
        line=line,
        split=split if way == ReturnWay.REVERSED else None,
        way=way,
        amount_minor=amount.amount_minor,
        refund_minor=refund.amount_minor,
        cause=cause,
        created_at=at,
    )
    if way == ReturnWay.REVERSED:
        line_actions.move(line, LineState.REVERSING, next_look_at=at + rules.FIRST_LOOK)
    else:
        _finish(made, line)
    return made


def keep_return(found: Return, state: str, *, reason: str = "", at: datetime) -> bool:
    """Keep what the gateway said about a reversal; tell whether it is done since now.

    In the caller's transaction, with its booking. Locks: the line, the return.
    """
    line = line_actions.lock(Line(id=found.line_id))
    locked = Return.objects.select_for_update(no_key=True).get(id=found.id)
    if locked.state in {SplitState.PAID, SplitState.FAILED}:
        return False
    if state == SplitState.PAID:
        _finish(locked, line)
        return True
    locked.state, locked.reason = state, reason[:_REASON]
    locked.save()
    if state == SplitState.FAILED:
        line_actions.move(line, LineState.PAID, next_look_at=None)
    else:
        Line.objects.filter(id=line.id).update(
            next_look_at=rules.next_look_at(locked.created_at, at)
        )
    return False


def take_up_again(found: Return, *, at: datetime) -> bool:
    """Undo what was forgone of a part that is not sent yet; tell whether it was.

    In the caller's transaction, which books it. Locks: the line.
    """
    line = line_actions.lock(Line(id=found.line_id))
    here = (LineState.WAITING, LineState.DUE, LineState.REVERSED)
    was_sent = line.splits.exclude(state=SplitState.FAILED).exists()
    if line.state not in here or was_sent or line.batch_id is not None:
        return False
    open_ones = Return.objects.filter(id=found.id, state=SplitState.PAID, way=ReturnWay.FORGONE)
    done = open_ones.filter(given_back_at__isnull=True)
    if not done.update(state=SplitState.FAILED, reason="its refund did not happen"):
        return False
    found.refresh_from_db()
    Line.objects.filter(id=line.id).update(
        returned_minor=F("returned_minor") - found.amount_minor,
        refunded_minor=F("refunded_minor") - found.refund_minor,
    )
    if line.state == LineState.REVERSED:
        line_actions.move(line, LineState.WAITING, next_look_at=at)
    return True


def give_back(found: Return, *, at: datetime) -> bool:
    """Note that the refund of a return does not happen; tell whether that is new.

    In the caller's transaction, which settles with the supplier what came back. Locks: the line.
    """
    line_actions.lock(Line(id=found.line_id))
    noted = Return.objects.filter(id=found.id, given_back_at__isnull=True).update(given_back_at=at)
    found.refresh_from_db()
    return bool(noted)


def _finish(found: Return, line: Line) -> None:
    """Count a return that is done; a part of which nothing is left is reversed."""
    found.state = SplitState.PAID
    found.save()
    Line.objects.filter(id=line.id).update(
        returned_minor=F("returned_minor") + found.amount_minor,
        refunded_minor=F("refunded_minor") + found.refund_minor,
    )
    line.refresh_from_db()
    whole_is_back = line.refunded_minor >= line.gross_minor
    if found.way == ReturnWay.REVERSED:
        line_actions.move(
            line, LineState.REVERSED if whole_is_back else LineState.PAID, next_look_at=None
        )
        if whole_is_back:
            # Nothing of it can stand in a statement that is not locked yet.
            drafted = Line.objects.filter(id=line.id, batch__state=BatchState.DRAFT)
            drafted.update(batch=None)
    elif found.way == ReturnWay.FORGONE and whole_is_back:
        line_actions.move(line, LineState.REVERSED, next_look_at=None, batch=None)
