"""While a paid order waits because its guest may withdraw: retire now, or money back. Either, once.

Both take the order's lock, as the allocator does that retires it when the time has come; whoever
is first decides. *Source:* product design, section 4.4; decision 0026.
"""

from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.claims import withdrawal as law
from diandian.flows import allocator, locks, refund
from diandian.kernel.clock import now
from diandian.orders import actions
from diandian.orders.errors import NotHeldError, NoWithdrawalError, WithdrawalEndedError
from diandian.orders.models import HolderKind, Order, OrderState, Quote, Withdrawal

ACTOR = "guest"
WITHDRAWN = "withdrawn"


def choice_of(quote: Quote, *, retire_at_once: bool, country: str, language: str) -> Withdrawal:
    """Return what an order's guest chose: none where there is no right, else waived or kept.

    ``country``: where a quote without a scene is for, "" where nobody knows; an express wish to
    wait is then granted. Raises: NoWithdrawalError.
    """
    is_person = quote.holder_kind == HolderKind.PERSON
    country = quote.scene.country if quote.scene is not None else country
    if not retire_at_once:
        if law.is_ruled_out(is_person=is_person, country=country):
            raise NoWithdrawalError(field="retire_at_once")
        return Withdrawal.KEPT
    has_right = law.applies(is_person=is_person, country=country, language=language)
    return Withdrawal.WAIVED if has_right else Withdrawal.NONE


def retire_now(order: Order, *, at: datetime | None = None) -> None:
    """Retire a held order at its guest's wish, which ends the right to withdraw.

    Idempotent: an order that no longer waits, or is retired, is left as it is.
    Locks: the order. Raises: NotHeldError when there is nothing to retire any more.
    """
    at = at or now()
    with transaction.atomic():
        locked = locks.lock_order(order.id)
        if locked.is_held(at):
            actions.end_wait(locked, Withdrawal.WAIVED)
            _note(locked, "order.withdrawal_waived", at)
        elif locked.state not in {OrderState.PAID, OrderState.COMPLETED}:
            raise NotHeldError
    allocator.see_to(order.id, at=at)


def withdraw(order: Order, *, at: datetime | None = None) -> None:
    """Give a held order's guest the whole price back; its grams and claims are free again.

    Idempotent: a second call changes nothing, whether or not the money has arrived.
    Locks: the order, then what a refund locks. Raises: WithdrawalEndedError, NotHeldError.
    """
    at = at or now()
    with transaction.atomic():
        locked = locks.lock_order(order.id)
        if locked.withdrawal == Withdrawal.USED:
            return
        if not locked.is_held(at):
            paid = locked.state in {OrderState.PAID, OrderState.COMPLETED}
            raise WithdrawalEndedError if paid else NotHeldError
        actions.end_wait(locked, Withdrawal.USED)
        refunds = refund.begin(locked, WITHDRAWN, at=at)
        _note(locked, "order.withdrawn", at)
    refund.send_all(refunds, at=at)


def _note(order: Order, action: str, at: datetime) -> None:
    """Keep in the trail that the guest said so, and when."""
    audit_actions.record(actor_ref=ACTOR, action=action, subject_ref=order.ref, at=at)
