"""Our side of what else moves money at a gateway: parts of suppliers, chargebacks, payouts.

Statements of funds tell of it. Each fact bears the reference under which it is booked, so that
what agrees can be proven against the ledger. *Source:* payments design, sections 8 and 10.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import TypeVar

from django.db.models import Min, Q

from diandian.flows import gateway_payouts
from diandian.flows.reconcile_reads import bounds, rows_by
from diandian.kernel.clock import BUSINESS_ZONE, business_day
from diandian.ledger.models import Journal
from diandian.payments.models import Dispute, DisputeState, Payment
from diandian.reconciliation.models import GatewayDay, GatewayPayout, PayoutState
from diandian.reconciliation.payouts import queries as payout_queries
from diandian.reconciliation.rules import Fact, FactState, Line
from diandian.settlement.models import Return, ReturnWay, Split, SplitState

_PART_STATES: dict[str, FactState] = {SplitState.PAID: "done", SplitState.FAILED: "failed"}
_PAYOUT_STATES: dict[str, FactState] = {
    PayoutState.BOOKED: "done",
    PayoutState.REFUSED: "failed",
}
_FEE_LEG = "gateway_split"
_OPENED = "opened"
_ACCOUNT = "payment_no", "mode", "merchant", "received_merchant"
# What stands before and behind our number in the reference of a booking, by kind.
BOOKED_AS = {
    "payment": (("payment:", ":capture"), ("payment:", ":unallocated")),
    "refund": (("refund:", ":settled"),),
    "split": (("split:", ":transfer"), ("split:", ":split_fee_credited")),
    "reversal": (("return:", ""),),
    "dispute": (("dispute:", ""),),
    "payout": ((gateway_payouts.source_ref(""), ""),),
}
# A refund that came back: what was done, if it ever was here, and that it was undone.
BOOKED_AS_BACK = (("refund:", ":settled"), ("refund:", ":unsettled"))
M = TypeVar("M", Split, Return, Dispute)


def facts_for(day: GatewayDay, lines: Sequence[Line]) -> list[Fact]:
    """Return what we have of a day, and whatever its lines name, of whichever day."""
    return [
        *_splits(day, lines),
        *_reversals(day, lines),
        *_disputes(day, lines),
        *_payouts(day, lines),
    ]


def first_day(gateway: str, account: str) -> date | None:
    """Return the business day on which an account of ours got the first fee out of a payment."""
    mine = Split.objects.filter(
        receiver=account, line__gateway=gateway, line__settlement=_FEE_LEG, state=SplitState.PAID
    )
    first: datetime | None = mine.aggregate(at=Min("created_at"))["at"]
    return business_day(first) if first else None


# -- parts of suppliers, and our fees -----------------------------------------------------------


def _splits(day: GatewayDay, lines: Sequence[Line]) -> Iterator[Fact]:
    """Return legs of payments: they go out of the account that collected, fees come into ours."""
    start, end = bounds(day)
    mine = Split.objects.select_related("line").filter(line__gateway=day.gateway)
    rows = list(mine.filter(~Q(state=SplitState.FAILED), created_at__gte=start, created_at__lt=end))
    named, refs = _named(lines, "split", {row.split_no for row in rows})
    rows += rows_by(mine, "split_no", named)
    rows += rows_by(mine.exclude(leg_ref=""), "leg_ref", refs)
    accounts = _accounts(row.line.payment_no for row in rows)
    for row in _once(rows):
        sign = _sign(day, row, accounts)
        if sign:
            yield Fact(
                kind="split",
                our_no=row.split_no,
                ref=row.leg_ref,
                day=business_day(row.created_at),
                at=row.created_at,
                amount_minor=sign * row.amount_minor,
                currency=row.line.currency,
                state=_PART_STATES.get(row.state, "open"),
            )


def _reversals(day: GatewayDay, lines: Sequence[Line]) -> Iterator[Fact]:
    start, end = bounds(day)
    mine = Return.objects.select_related("line", "split__line").filter(
        line__gateway=day.gateway, way=ReturnWay.REVERSED, amount_minor__gt=0
    )
    rows = list(mine.filter(~Q(state=SplitState.FAILED), created_at__gte=start, created_at__lt=end))
    rows += rows_by(
        mine, "return_no", _named(lines, "reversal", {row.return_no for row in rows})[0]
    )
    accounts = _accounts(row.line.payment_no for row in rows)
    for row in _once(rows):
        assert row.split is not None, "only what was divided is taken back"
        sign = _sign(day, row.split, accounts)
        if sign:
            yield Fact(
                kind="reversal",
                our_no=row.return_no,
                ref="",
                day=business_day(row.created_at),
                at=row.created_at,
                amount_minor=-sign * row.amount_minor,
                currency=row.line.currency,
                state=_PART_STATES.get(row.state, "open"),
            )


def _sign(day: GatewayDay, split: Split, accounts: dict[str, tuple[str, str]]) -> int:
    """Return whether a leg goes out of the day's account (-1), comes in (1), or neither (0)."""
    mode, account = accounts.get(split.line.payment_no, ("", ""))
    if mode != day.mode:
        return 0
    if account == day.account:
        return -1
    # What a supplier collects, it does under our number; whatever account there gets the fee.
    ours = account.partition("/")[0]
    return 1 if split.line.is_fee_leg and ours == day.account else 0


def _accounts(payment_nos: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return in which mode and at which account each payment was received, by its number."""
    rows = rows_by(Payment.objects.only(*_ACCOUNT), "payment_no", set(payment_nos))
    return {row.payment_no: (row.mode, row.received_by) for row in rows}


# -- chargebacks --------------------------------------------------------------------------------


def _disputes(day: GatewayDay, lines: Sequence[Line]) -> Iterator[Fact]:
    """Return what banks took, and what they gave back of it: two facts of one chargeback."""
    start, end = bounds(day)
    mine = Dispute.objects.select_related("payment").filter(
        payment__gateway=day.gateway, payment__mode=day.mode
    )
    of_day = Q(opened_at__gte=start, opened_at__lt=end) | Q(ended_at__gte=start, ended_at__lt=end)
    rows = list(mine.filter(of_day))
    refs = {line.ref for line in lines if line.kind == "dispute"}
    rows += rows_by(mine, "dispute_ref", refs - {row.dispute_ref for row in rows})
    for row in _once(rows):
        if row.payment.received_by == day.account:
            # Of a fee that the gateway never told us of, none can be given back.
            yield _of_dispute(
                row, row.step(_OPENED), row.opened_at, -row.amount_minor, row.fee_minor
            )
            if row.state == DisputeState.WON and row.ended_at:
                fee_minor = None if row.fee_minor else 0
                yield _of_dispute(row, row.step("won"), row.ended_at, row.amount_minor, fee_minor)


def _of_dispute(
    dispute: Dispute, step: str, at: datetime, amount_minor: int, fee_minor: int | None
) -> Fact:
    return Fact(
        kind="dispute",
        our_no=f"{dispute.id}:{step}",
        ref=dispute.dispute_ref,
        day=business_day(at),
        at=at,
        amount_minor=amount_minor,
        currency=dispute.currency,
        fee_minor=fee_minor,
        payment_no=dispute.payment.payment_no,
    )


# -- payouts ------------------------------------------------------------------------------------


def _payouts(day: GatewayDay, lines: Sequence[Line]) -> Iterator[Fact]:
    refs = {line.ref for line in lines if line.kind == "payout"}
    for row in payout_queries.of_day(day.gateway, day.mode, day.account, day.day, refs):
        if row.state != PayoutState.REFUSED:
            yield _of_payout(row)


def _of_payout(payout: GatewayPayout) -> Fact:
    noon = datetime.combine(payout.paid_on, datetime.min.time(), BUSINESS_ZONE).replace(hour=12)
    return Fact(
        kind="payout",
        our_no=payout.number,
        ref=payout.payout_ref,
        day=payout.paid_on,
        at=noon,
        amount_minor=payout.amount_minor if payout.is_return else -payout.amount_minor,
        currency=payout.currency,
        state=_PAYOUT_STATES.get(payout.state, "open"),
    )


# -- how they are booked ------------------------------------------------------------------------


def booked_as(kind: str, our_no: str, fee_minor: int) -> tuple[str, ...]:
    """Return the references under which a fact may be booked at its gateway's clearing account.

    ``fee_minor``: of its line; a chargeback's fee that grew later stands on another one.
    """
    found = tuple(f"{before}{our_no}{after}" for before, after in BOOKED_AS.get(kind, ()))
    return (*found, *dispute_fees(our_no, fee_minor)) if kind == "dispute" else found


def dispute_fees(our_no: str, fee_minor: int) -> list[str]:
    """Return the references of a chargeback's fee, up to what a line says of it."""
    number, _, step = our_no.partition(":")
    if step.partition(":")[0] != _OPENED or fee_minor <= 0:
        return []
    dispute = Dispute.objects.select_related("payment").get(id=int(number))
    begins = f"dispute:{number}:fee:"
    rows = Journal.objects.filter(owner_ref=dispute.payment.owner_ref, kind="dispute_fee")
    refs = rows.values_list("source_ref", flat=True)
    return [
        ref for ref in refs if ref.startswith(begins) and int(ref.removeprefix(begins)) <= fee_minor
    ]


# -- reading ------------------------------------------------------------------------------------


def _named(lines: Sequence[Line], kind: str, known: set[str]) -> tuple[set[str], set[str]]:
    """Return the numbers and references of lines of a kind that name none of the known."""
    odd = [line for line in lines if line.kind == kind and line.our_no not in known]
    return {line.our_no for line in odd}, {line.ref for line in odd}


def _once(rows: Iterable[M]) -> list[M]:
    return list({row.pk: row for row in rows}.values())
