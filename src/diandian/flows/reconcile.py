"""Fetches what gateways say a day was, matches it with us, and closes days that agree.

A day of the books is closed on our own facts the same night (``close``); a day of a gateway is
closed when its statement agrees or people signed what does not. Automatic is only what cannot be
wrong: a payment that the statement has and we have not is asked about, a refund that no answer
told is kept as made in the gateway's console, and fees are booked.
*Source:* payments design, sections 6 (rows 33, 38, 39) and 10.
"""

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import chain

from django.conf import settings
from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import (
    console_refunds,
    gateway_payouts,
    gateways,
    payment_events,
    reconcile_facts,
    reconcile_fees,
    reconcile_movements,
    statement_files,
)
from diandian.kernel.clock import now
from diandian.payments import merchants
from diandian.payments import queries as payment_queries
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.merchant_files import Merchant
from diandian.payments.messages import Done, Rejected, Unknown
from diandian.payments.statements import Statement, StatementKind, StatementLine
from diandian.reconciliation import actions, queries, rules
from diandian.reconciliation.errors import DayIsClosedError
from diandian.reconciliation.models import DayState, GatewayDay, StatementFile, StatementRow
from diandian.reconciliation.rules import Item

log = logging.getLogger(__name__)

ACTOR = "platform"
_HOUR_OPTION = "statement_hour"
_NEW_DAYS = 31
_LONGEST_NO = 32
# What a question about the payment behind a line may explain.
_EXPLAINED = {
    *(("missing_here", kind) for kind in ("payment", "refund", "dispute")),
    *((outcome, "dispute") for outcome in ("fee_diff", "amount_diff")),
    # One that was done here, and that the statement gives back: no notice of it came.
    ("status_diff", "refund"),
}
_SEEN_AGAIN = timedelta(days=1)
Found = dict[str, list[Item]]


class StatementRefusedError(Exception):
    """A statement that is not there, not whole or not the one asked for; the text is a code."""


# -- turns ----------------------------------------------------------------------------------------


def run_due(limit: int = 2, *, at: datetime | None = None) -> int:
    """Begin the days that have a statement by now; fetch and match what is due.

    Returns how many days were worked on. One that fails is tried again later, the others go on.
    """
    at = at or now()
    begin_days(at=at)
    due = queries.due(at, limit)
    for day in due:
        try:
            work_on(day, at=at)
        except DayIsClosedError:
            continue
        except Exception:
            log.exception("the statement day %s could not be worked on", day)
            actions.note_refused(day, "error", at=at)
    return len(due)


def begin_days(*, at: datetime) -> None:
    """Write down the days whose statements can be fetched by now. Idempotent."""
    for merchant in merchants.every():
        context = merchant.context
        if not kinds_of(merchant):
            continue
        newest = queries.newest_day(context.gateway, context.mode, context.account)
        first = newest + timedelta(days=1) if newest else _first_day(merchant)
        for day in _ended(first, merchant, at):
            begin_day(merchant, day, at=at)


def _first_day(merchant: Merchant) -> date | None:
    """Return the day of the first payment at an account, else of the first money that it got."""
    context = merchant.context
    return payment_queries.first_day(
        context.gateway, context.mode, context.account
    ) or reconcile_movements.first_day(context.gateway, context.account)


def _ended(first: date | None, merchant: Merchant, at: datetime) -> list[date]:
    if first is None:
        return []
    hour = _hour(merchant)
    found = [first + timedelta(days=number) for number in range(_NEW_DAYS)]
    return [day for day in found if rules.due_at(day, hour) <= at]


def _hour(merchant: Merchant) -> int:
    said = merchant.context.options.get(_HOUR_OPTION, "")
    return int(said) if said.isdecimal() else rules.FIRST_HOUR


def begin_day(merchant: Merchant, day: date, *, at: datetime) -> GatewayDay:
    """Write down one day of a merchant, to be fetched at once. Idempotent."""
    context = merchant.context
    return actions.begin_day(
        gateway=context.gateway,
        mode=context.mode,
        account=context.account,
        merchant_key=merchant.key,
        settlement=merchant.settlement,
        day=day,
        due_at=at,
    )


def kinds_of(merchant: Merchant) -> tuple[StatementKind, ...]:
    """Return the kinds of statements that a merchant's gateway offers."""
    return merchants.gateway_of(merchant.gateway).capabilities(merchant.context).statements


def merchant_of(day: GatewayDay) -> Merchant:
    """Return the merchant of a day as it is set up now. Raises: UnknownGatewayError."""
    for merchant in merchants.every():
        context = merchant.context
        if (context.gateway, context.mode, context.account) == (day.gateway, day.mode, day.account):
            return merchant
    raise UnknownGatewayError


def work_on(day: GatewayDay, *, afresh: bool = False, at: datetime) -> bool:
    """Fetch what is missing of a day, match it, and match again what it explains.

    ``afresh``: fetch what is there already, too, in case the gateway mended it. Returns whether all
    statements are there. Raises: DayIsClosedError.
    """
    try:
        merchant = merchant_of(day)
        fetch(day, merchant, afresh=afresh, at=at)
    except UnknownGatewayError:
        actions.note_refused(day, "merchant_gone", at=at)
        return False
    except StatementRefusedError as refused:
        log.warning("no statement of %s: %s", day, refused)
        actions.note_refused(day, str(refused), at=at)
        return False
    match_day(day, merchant, at=at)
    for earlier in queries.open_before(day):
        match_day(earlier, merchant, at=at)
    return True


# -- fetching -------------------------------------------------------------------------------------


def fetch(day: GatewayDay, merchant: Merchant, *, afresh: bool = False, at: datetime) -> None:
    """Fetch and store each kind of statement that is not here yet, one whole file at a time.

    Idempotent by: the digest of each file. Raises: StatementRefusedError.
    """
    have = queries.current_files(day)
    for kind in kinds_of(merchant):
        if kind in have and not afresh:
            continue
        statement = _asked(day, merchant, kind, at)
        by_ref = reconcile_facts.payments_by_ref(day, statement.lines)
        rows = [_row(line, by_ref) for line in statement.lines]
        statement_files.keep(day.merchant_key, statement)
        with transaction.atomic():
            locked = actions.lock(day)
            file = actions.store_file(
                locked,
                kind=kind,
                sha256=statement.sha256,
                is_proven=statement.is_proven,
                size_bytes=len(statement.raw),
                rows=rows,
                at=at,
            )
        log.info("statement of %s: %s, %s lines", day, file, file.lines)


def _asked(day: GatewayDay, merchant: Merchant, kind: StatementKind, at: datetime) -> Statement:
    match gateways.fetch_statement(merchant, day.day, kind, at=at):
        case Done(value=statement):
            if (statement.day, statement.kind) != (day.day, kind):
                raise StatementRefusedError("other_day")
            if hashlib.sha256(statement.raw).hexdigest() != statement.sha256:
                raise StatementRefusedError("digest")
            return statement
        case Rejected(code=code):
            raise StatementRefusedError(code)
        case Unknown(cause=cause):
            raise StatementRefusedError(f"unknown: {cause}")
    raise StatementRefusedError("pending")


def _row(line: StatementLine, by_ref: Mapping[str, str]) -> StatementRow:
    """Return a line as it is kept. ``by_ref``: payments by the gateway's numbers of them."""
    payment_no = line.payment_no or by_ref.get(reconcile_facts.ref_behind(line), "")
    return StatementRow(
        kind=line.kind,
        gateway_ref=line.gateway_ref,
        our_no=line.our_no,
        # What is longer is no number of ours.
        payment_no=payment_no if len(payment_no) <= _LONGEST_NO else "",
        gross_minor=line.gross_minor,
        fee_minor=line.fee_minor,
        net_minor=line.net_minor,
        currency=line.currency,
        at=line.at,
        status=line.status[:30],
    )


# -- matching -------------------------------------------------------------------------------------


def match_day(day: GatewayDay, merchant: Merchant, *, at: datetime) -> None:
    """Match a day's statements with us, book its fees, and close it when nothing is open.

    Idempotent: what it says of an open day is said anew. Locks: the day's row, for the writing.
    Raises: DayIsClosedError.
    """
    if day.state == DayState.CLOSED:
        raise DayIsClosedError
    files = queries.current_files(day)
    found = _found(day, files, merchant)
    if _ask_about(found, at):
        found = _found(day, files, merchant)
    if console_refunds.apply_stated(files, found, at=at):
        found = _found(day, files, merchant)
    if _book_payouts(day, files, found, at):
        found = _found(day, files, merchant)
    kind = reconcile_fees.money_kind(files)
    if kind:
        found[kind] = reconcile_fees.book(day, found[kind], at=at)
    with transaction.atomic():
        locked = actions.lock(day)
        if {kind: file.id for kind, file in queries.current_files(locked).items()} != {
            kind: file.id for kind, file in files.items()
        }:
            return  # somebody brought a newer statement and matches that
        actions.store_match(locked, found, next_attempt_at=at + _SEEN_AGAIN, at=at)
        _close(locked, files, found, at)
    day.refresh_from_db()


def _found(day: GatewayDay, files: Mapping[str, StatementFile], merchant: Merchant) -> Found:
    newest = queries.newest_known(day)
    lines = {kind: queries.lines_of(file) for kind, file in files.items()}
    facts = reconcile_facts.facts_for(day, [*chain(*lines.values())], merchant)
    found: Found = {}
    for kind, of_day in lines.items():
        ours = reconcile_facts.of_statement(facts, kind, lines)
        around = queries.lines_about(day, kind, ours)
        items = rules.match([*of_day, *around], ours, day=day.day, newest_day=newest)
        found[kind] = gateway_payouts.explained(day, items)
    return found


def _book_payouts(
    day: GatewayDay, files: Mapping[str, StatementFile], found: Found, at: datetime
) -> bool:
    """Book what a proven statement of funds says was paid out to our bank; tell whether any."""
    file = files.get("funds")
    if file is None or not file.is_proven:
        return False
    return gateway_payouts.book_proven(day, found["funds"], at=at)


def _ask_about(found: Found, at: datetime) -> bool:
    """Ask the gateway about each payment of which a statement tells what we do not know yet.

    The answer goes the way of every answer. Tells whether any was asked about.
    """
    numbers = {
        (item.fact.payment_no if item.fact else "") or reconcile_facts.payment_behind(item.line)
        for items in found.values()
        for item in items
        if (item.outcome, item.kind) in _EXPLAINED and item.line
    }
    for number in sorted(numbers - {""}):
        try:
            payment_events.refresh(number, at=at)
        except Exception:
            log.exception("payment %s could not be asked about", number)
    return bool(numbers - {""})


# -- closing --------------------------------------------------------------------------------------


def close_if_signed(day: GatewayDay, *, at: datetime) -> bool:
    """Close an open day whose differences are all signed by now. Raises: DayIsClosedError."""
    match_day(day, merchant_of(day), at=at)
    return day.state == DayState.CLOSED


def _close(
    day: GatewayDay,
    files: Mapping[str, StatementFile],
    found: Mapping[str, Sequence[Item]],
    at: datetime,
) -> None:
    """Close a day with no open difference, in the caller's transaction."""
    differences = queries.differences(day, settings.SIGN_ALONE_MINOR)
    if any(each.is_open for each in differences) or not files:
        return
    figures = {
        "gateway": day.gateway,
        "mode": day.mode,
        "account": day.account,
        "day": day.day.isoformat(),
        "files": [[kind, file.sha256, file.lines] for kind, file in sorted(files.items())],
        "classes": {kind: dict(Counter(i.outcome for i in items)) for kind, items in found.items()},
        "money": {kind: _sums(items) for kind, items in found.items()},
        "signed": len(differences),
    }
    sha256 = rules.day_sha256(figures)
    actions.close_day(day, figures, sha256, at=at)
    audit_actions.record(
        actor_ref=ACTOR,
        action="gateway_day.closed",
        subject_ref=f"gateway_day:{day.id}",
        details={"day": str(day), "sha256": sha256, "signed": len(differences)},
        at=at,
    )


def _sums(items: Sequence[Item]) -> dict[str, dict[str, int]]:
    sums: dict[str, dict[str, int]] = defaultdict(
        lambda: {"gross_minor": 0, "fee_minor": 0, "net_minor": 0, "ours_minor": 0}
    )
    for item in items:
        if item.line and item.is_of_line:
            of = sums[item.line.currency]
            of["gross_minor"] += item.line.gross_minor
            of["fee_minor"] += rules.fee_of(item.line)
            of["net_minor"] += item.line.net_minor
        if item.fact and item.fact.state == "done" and item.outcome != "duplicate":
            sums[item.fact.currency]["ours_minor"] += item.fact.amount_minor
    return {currency: dict(of) for currency, of in sorted(sums.items())}
