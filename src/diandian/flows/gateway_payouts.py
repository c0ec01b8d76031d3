"""Money that gateways send from our balance there to our own bank; suppliers' payouts are another.

A statement of funds proves a payout: its line books it, once, by the gateway's number. Where no
statement tells of it, one person enters it from a line of the bank's statement and a second one
decides. That it arrived is confirmed from the bank's statement, and books nothing.
*Source:* payments design, section 8 (payout of our rest to bank; withdrawn).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import reconcile_fees
from diandian.kernel.clock import business_day, now
from diandian.kernel.money import EXPONENTS, Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger import payouts as postings
from diandian.payments import merchants
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.merchant_files import Merchant
from diandian.reconciliation.errors import (
    PayoutFactsError,
    PayoutKnownError,
    ReasonNeededError,
)
from diandian.reconciliation.models import GatewayDay, GatewayPayout, PayoutState
from diandian.reconciliation.payouts import actions, queries
from diandian.reconciliation.rules import MATCHED, Item, Line

KIND = "gateway_payout"
UNDONE = "gateway_payout_undone"
SUPPLIERS_OWN = "suppliers_own"
BY_HAND = "entered_by_hand"
MOST_REASON = 300
_LONGEST_REF = 80
_ACTOR = "platform"


@dataclass(frozen=True, slots=True)
class FromBank:
    """What somebody reads on the bank's statement. ``payout_ref``: the gateway's number of it.

    ``paid_on``: the day on which the gateway sent it. ``is_return``: the bank sent it back.
    """

    merchant_key: str
    amount: Money
    paid_on: date
    bank_ref: str
    bank_day: date
    payout_ref: str = ""
    is_return: bool = False


# -- proven by a statement --------------------------------------------------------------------


def book_proven(day: GatewayDay, items: Sequence[Item], *, at: datetime) -> bool:
    """Book each payout that a proven statement of our own account tells; tell whether any.

    Idempotent by: the gateway's number and the direction.
    """
    if not reconcile_fees.are_ours(day):
        return False
    lines = [item.line for item in items if _is_to_book(item)]
    for line in lines:
        assert line is not None, "a payout is of a line"
        with transaction.atomic():
            payout = actions.prove(day, line, actor_ref=_ACTOR, at=at)
            if payout is not None and payout.state == PayoutState.BOOKED:
                _book(payout, at)
    return bool(lines)


def _is_to_book(item: Item) -> bool:
    line = item.line
    return (
        item.kind == "payout"
        and item.outcome in {"missing_here", "status_diff", "timing"}
        and line is not None
        and _is_whole(line)
    )


def _is_whole(line: Line) -> bool:
    adds_up = line.net_minor == line.gross_minor - line.fee_minor
    return bool(line.ref) and adds_up and line.gross_minor != 0 and line.currency in EXPONENTS


def explained(day: GatewayDay, items: Sequence[Item]) -> list[Item]:
    """Return items; each payout that stands on the statement alone says why, where it is known.

    Where a supplier collects, payouts to its bank are its own. Of ours, people may have entered
    the same money under another number: then they look, and nothing is booked twice.
    """
    is_ours = reconcile_fees.are_ours(day)
    return [
        _explained(day, item, is_ours=is_ours)
        if item.kind == "payout" and item.fact is None and item.outcome == "missing_here"
        else item
        for item in items
    ]


def _explained(day: GatewayDay, item: Item, *, is_ours: bool) -> Item:
    if not is_ours:
        return replace(item, outcome=MATCHED, detail=SUPPLIERS_OWN)
    assert item.line is not None, "it stands on the statement"
    by_hand = queries.by_hand_like(actions.payout_of(day, item.line))
    return replace(item, detail=BY_HAND) if by_hand else item


def source_ref(number: str) -> str:
    """Return the reference under which a payout is booked."""
    return f"{KIND}:{number}"


def undone_ref(number: str) -> str:
    """Return the reference under which it is booked that a payout was undone."""
    return f"{source_ref(number)}:undone"


def _book(payout: GatewayPayout, at: datetime, *, is_undone: bool = False) -> None:
    lines = postings.build_withdrawal(
        payout.amount, gateway=payout.gateway, merchant=payout.account
    )
    if payout.is_return != is_undone:
        lines = [each.swapped() for each in lines]
    ledger_actions.post(
        kind=UNDONE if is_undone else KIND,
        source_ref=undone_ref(payout.number) if is_undone else source_ref(payout.number),
        owner_ref=f"merchant:{payout.merchant_key}",
        lines=lines,
        at=at,
    )


# -- from the bank's statement ----------------------------------------------------------------


def accounts() -> list[Merchant]:
    """Return the merchants whose money is ours, and so is paid out to our bank."""
    return [each for each in merchants.every() if each.settlement not in reconcile_fees.NOT_OURS]


def enter(told: FromBank, *, actor_ref: str, at: datetime | None = None) -> GatewayPayout:
    """Keep a payout that somebody read on the bank's statement, for a second person to decide.

    Raises: PayoutFactsError, PayoutKnownError.
    """
    at = at or now()
    payout = _payout(told, actor_ref, at)
    with transaction.atomic():
        known = queries.like(payout)
        if known is not None:
            raise PayoutKnownError(number=known.number)
        made = actions.ask(payout)
        _note(made, "gateway_payout.entered", actor_ref, at)
    return made


def _payout(told: FromBank, actor_ref: str, at: datetime) -> GatewayPayout:
    merchant = next((each for each in accounts() if each.key == told.merchant_key), None)
    bank_ref, payout_ref = _plain(told.bank_ref), _plain(told.payout_ref)
    today = business_day(at)
    faults = {
        "merchant": merchant is None,
        "amount": told.amount.amount_minor <= 0,
        "bank_ref": not bank_ref,
        "paid_on": not told.paid_on <= told.bank_day <= today,
        "payout_ref": merchant is not None and _tells_funds(merchant) and not payout_ref,
    }
    for field, is_wrong in faults.items():
        if is_wrong:
            raise PayoutFactsError(field=field)
    assert merchant is not None, "checked above"
    context = merchant.context
    return GatewayPayout(
        gateway=context.gateway,
        mode=context.mode,
        account=context.account,
        merchant_key=merchant.key,
        payout_ref=payout_ref,
        is_return=told.is_return,
        amount_minor=told.amount.amount_minor,
        currency=told.amount.currency,
        paid_on=told.paid_on,
        asked_by=actor_ref,
        asked_at=at,
        bank_ref=bank_ref,
        bank_day=told.bank_day,
        arrived_by=actor_ref,
    )


def _tells_funds(merchant: Merchant) -> bool:
    """Tell whether a statement will name the payout, by the gateway's number alone."""
    try:
        gateway = merchants.gateway_of(merchant.gateway)
    except UnknownGatewayError:
        return False
    return "funds" in gateway.capabilities(merchant.context).statements


def _plain(text: str) -> str:
    """Return a reference as one line. Raises: PayoutFactsError."""
    found = " ".join(text.split())
    if len(found) > _LONGEST_REF or not (found.isprintable() or not found):
        raise PayoutFactsError(field="bank_ref")
    return found


def confirm(number: int, *, actor_ref: str, at: datetime | None = None) -> GatewayPayout:
    """Book a payout that another person entered. Locks: the payout.

    Raises: UnknownPayoutError, PayoutStateError, PayoutByTwoError; PayoutKnownError when a
    statement has booked the same money meanwhile.
    """
    at = at or now()
    payout = queries.by_id(number)
    with transaction.atomic():
        locked = actions.lock(payout, PayoutState.ASKED)
        known = queries.like(locked)
        if known is not None:
            raise PayoutKnownError(number=known.number)
        actions.decide(locked, PayoutState.BOOKED, actor_ref=actor_ref, at=at)
        _book(locked, at)
        _note(locked, "gateway_payout.confirmed", actor_ref, at)
    return locked


def refuse(
    number: int, *, reason: str, actor_ref: str, at: datetime | None = None
) -> GatewayPayout:
    """Turn down, or take back, what was entered; nothing is booked. Locks: the payout.

    Raises: UnknownPayoutError, PayoutStateError, ReasonNeededError.
    """
    at = at or now()
    reason = _reason(reason)
    payout = queries.by_id(number)
    with transaction.atomic():
        locked = actions.lock(payout, PayoutState.ASKED)
        actions.decide(locked, PayoutState.REFUSED, reason=reason, actor_ref=actor_ref, at=at)
        _note(locked, "gateway_payout.refused", actor_ref, at, reason=reason)
    return locked


def _reason(text: str) -> str:
    """Return a reason as one line. Raises: ReasonNeededError."""
    reason = " ".join(text.split())
    if not 0 < len(reason) <= MOST_REASON or not reason.isprintable():
        raise ReasonNeededError(field="reason", limit=MOST_REASON)
    return reason


def ask_undo(
    number: int, *, reason: str, actor_ref: str, at: datetime | None = None
) -> GatewayPayout:
    """Ask that what people booked, and no statement tells, be undone: a second person decides.

    Locks: the payout. Raises: UnknownPayoutError, PayoutStateError, ReasonNeededError.
    """
    at = at or now()
    reason = _reason(reason)
    payout = queries.by_id(number)
    with transaction.atomic():
        locked = actions.lock(payout, PayoutState.BOOKED)
        actions.ask_undo(locked, reason=reason, actor_ref=actor_ref)
        _note(locked, "gateway_payout.undo_asked", actor_ref, at, reason=reason)
    return locked


def undo(number: int, *, actor_ref: str, at: datetime | None = None) -> GatewayPayout:
    """Undo a booking by people, as another one asked: it is booked back, on the day of now.

    Its lines at the bank and at the gateway are free for what they really are. Locks: the payout.
    Raises: UnknownPayoutError, PayoutStateError, PayoutByTwoError.
    """
    at = at or now()
    payout = queries.by_id(number)
    with transaction.atomic():
        locked = actions.lock(payout, PayoutState.BOOKED)
        actions.decide_undo(locked, is_undone=True, actor_ref=actor_ref, at=at)
        _book(locked, at, is_undone=True)
        _note(locked, "gateway_payout.undone", actor_ref, at, reason=locked.reason)
    return locked


def keep(number: int, *, actor_ref: str, at: datetime | None = None) -> GatewayPayout:
    """Leave a booking as it is that somebody asked to undo. Locks: the payout.

    Raises: UnknownPayoutError, PayoutStateError.
    """
    at = at or now()
    payout = queries.by_id(number)
    with transaction.atomic():
        locked = actions.lock(payout, PayoutState.BOOKED)
        actions.decide_undo(locked, is_undone=False, actor_ref=actor_ref, at=at)
        _note(locked, "gateway_payout.undo_refused", actor_ref, at)
    return locked


def note_arrival(
    number: int,
    amount: Money,
    *,
    bank_ref: str,
    bank_day: date,
    actor_ref: str,
    at: datetime | None = None,
) -> GatewayPayout:
    """Write on which line of the bank a booked payout arrived; the amount must be the same.

    Nothing is booked: the gateway's statement proved it. Locks: the payout.
    Raises: UnknownPayoutError, PayoutStateError, PayoutFactsError, PayoutKnownError.
    """
    at = at or now()
    payout = queries.by_id(number)
    bank_ref = _plain(bank_ref)
    with transaction.atomic():
        locked = actions.lock(payout, PayoutState.BOOKED)
        if amount != locked.amount:
            raise PayoutFactsError(field="amount")
        if not bank_ref:
            raise PayoutFactsError(field="bank_ref")
        if not locked.paid_on <= bank_day <= business_day(at):
            raise PayoutFactsError(field="bank_day")
        actions.note_arrival(locked, bank_ref=bank_ref, bank_day=bank_day, actor_ref=actor_ref)
        _note(locked, "gateway_payout.arrived", actor_ref, at)
    return locked


def _note(payout: GatewayPayout, action: str, actor_ref: str, at: datetime, **more: object) -> None:
    details: Mapping[str, object] = {
        "number": payout.number,
        "merchant": payout.merchant_key,
        "payout_ref": payout.payout_ref,
        "bank_ref": payout.bank_ref,
        "amount_minor": payout.amount_minor,
        "currency": payout.currency,
        "is_return": payout.is_return,
        **more,
    }
    audit_actions.record(
        actor_ref=actor_ref,
        action=action,
        subject_ref=f"{KIND}:{payout.id}",
        details=details,
        at=at,
    )
