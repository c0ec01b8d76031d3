"""Reads statements, what they were matched with, and what is still open."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from django.db.models import Count, Max, Q, QuerySet, Sum

from diandian.reconciliation import rules
from diandian.reconciliation.errors import UnknownDayError
from diandian.reconciliation.models import (
    DayState,
    GatewayDay,
    MatchItem,
    Signature,
    StatementFile,
    StatementRow,
)
from diandian.reconciliation.rules import MATCHED, Line

_PORTION = 500
T = TypeVar("T")


def _portions(values: Collection[T]) -> Iterator[list[T]]:
    """Cut what is asked for into parts that every database takes."""
    whole = list(values)
    for start in range(0, len(whole), _PORTION):
        yield whole[start : start + _PORTION]


@dataclass(frozen=True, slots=True)
class Difference:
    """What does not agree, with who signed that it is in order. ``needed``: how many must."""

    item: MatchItem
    signatures: tuple[Signature, ...]
    needed: int

    @property
    def is_open(self) -> bool:
        """Tell whether it still keeps its day from closing."""
        return len({each.actor_ref for each in self.signatures}) < self.needed


# -- what other rooms ask -------------------------------------------------------------------------


def is_matched(payment_no: str, alone_minor: int) -> bool:
    """Tell whether a payment stands on its gateway's statement as we booked it, or is signed for.

    ``alone_minor``: what one person may sign alone.
    """
    return payment_no in matched_payments([payment_no], alone_minor)


def matched_payments(payment_nos: Collection[str], alone_minor: int) -> set[str]:
    """Return those payments whose every mention on statements agrees with us, or is signed for.

    That a line which is missing was signed for keeps nothing waiting, and proves no payment: a line
    that came later does. ``alone_minor``: what one person may sign alone.
    """
    good: set[str] = set()
    bad: set[str] = set()
    for portion in _portions(payment_nos):
        rows = MatchItem.objects.filter(kind="payment", our_no__in=portion)
        agreed = rows.filter(outcome=MATCHED)
        good.update(agreed.values_list("our_no", flat=True))
        for each in _with_signatures(rows.exclude(outcome=MATCHED), alone_minor):
            if each.is_open:
                bad.add(each.item.our_no)
            elif each.item.outcome != rules.MISSING_THERE:
                good.add(each.item.our_no)
    return good - bad


# -- days -----------------------------------------------------------------------------------------


def day_by_number(number: int) -> GatewayDay:
    """Return a day. Raises: UnknownDayError."""
    found = GatewayDay.objects.filter(id=number).first()
    if found is None:
        raise UnknownDayError
    return found


def _of_account(gateway: str, mode: str, account: str) -> QuerySet[GatewayDay]:
    return GatewayDay.objects.filter(gateway=gateway, mode=mode, account=account)


def day_of(gateway: str, mode: str, account: str, day: date) -> GatewayDay | None:
    """Return one day of an account at a gateway."""
    return _of_account(gateway, mode, account).filter(day=day).first()


def newest_day(gateway: str, mode: str, account: str) -> date | None:
    """Return the newest day that an account has here."""
    found: date | None = _of_account(gateway, mode, account).aggregate(day=Max("day"))["day"]
    return found


def newest_known(day: GatewayDay) -> date:
    """Return the newest day of an account whose statements were matched; at least this one."""
    known = _of_account(day.gateway, day.mode, day.account).filter(matched_at__isnull=False)
    found: date | None = known.aggregate(day=Max("day"))["day"]
    return max(found or day.day, day.day)


def due(at: datetime, limit: int) -> list[GatewayDay]:
    """Return the days to fetch or match now, the oldest first."""
    rows = GatewayDay.objects.filter(next_attempt_at__lte=at).exclude(state=DayState.CLOSED)
    return list(rows.order_by("day", "id")[:limit])


def open_before(day: GatewayDay) -> list[GatewayDay]:
    """Return the open days shortly before one, which its statement may explain."""
    since = day.day - timedelta(days=rules.TIMING_DAYS)
    rows = _of_account(day.gateway, day.mode, day.account).filter(state=DayState.OPEN)
    return list(rows.filter(day__gte=since, day__lt=day.day).order_by("day"))


def days(since: date) -> list[GatewayDay]:
    """Return days from one on, and older ones that are not closed, newest first."""
    rows = GatewayDay.objects.filter(Q(day__gte=since) | ~Q(state=DayState.CLOSED))
    return list(rows.order_by("gateway", "account", "-day"))


def closed_days(since: date = date.min) -> Iterator[GatewayDay]:
    """Return every closed day from one on, oldest first."""
    rows = GatewayDay.objects.filter(state=DayState.CLOSED, day__gte=since)
    yield from rows.order_by("day", "id").iterator(500)


def newest_stated(gateway: str, mode: str, account: str) -> date | None:
    """Return the newest day of an account whose statements were matched."""
    known = _of_account(gateway, mode, account).filter(matched_at__isnull=False)
    found: date | None = known.aggregate(day=Max("day"))["day"]
    return found


def stated_net(gateway: str, mode: str, account: str) -> dict[str, int]:
    """Return what all statements of an account add up to, by currency: its balance there.

    Of each day the newest statement that tells how money moved: of funds, else of trades.
    """
    newest: dict[tuple[date, str], int] = {}
    files = StatementFile.objects.filter(
        day__gateway=gateway, day__mode=mode, day__account=account
    ).order_by("id")
    for number, day, kind in files.values_list("id", "day__day", "kind"):
        newest[day, kind] = number
    counted = [
        number
        for (day, kind), number in newest.items()
        if kind == "funds" or (day, "funds") not in newest
    ]
    found: dict[str, int] = defaultdict(int)
    for part in _portions(counted):
        rows = StatementRow.objects.filter(file_id__in=part).order_by().values_list("currency")
        for currency, net in rows.annotate(net=Sum("net_minor")):
            found[currency] += net
    return dict(found)


# -- statements -----------------------------------------------------------------------------------


def current_files(day: GatewayDay) -> dict[str, StatementFile]:
    """Return the newest statement of each kind of a day."""
    return {file.kind: file for file in day.files.order_by("id")}


def lines_of(file: StatementFile) -> list[Line]:
    """Return the lines of a statement."""
    return _lines(file.rows.all())


def lines_about(day: GatewayDay, kind: str, facts: Collection[rules.Fact]) -> list[Line]:
    """Return lines on other days' current statements of an account that name some facts."""
    numbers = [fact.our_no for fact in facts if fact.our_no]
    refs = [fact.ref for fact in facts if fact.ref]
    payments = [fact.payment_no for fact in facts if fact.payment_no]
    others = StatementRow.objects.filter(
        file__kind=kind,
        file__day__gateway=day.gateway,
        file__day__mode=day.mode,
        file__day__account=day.account,
    ).exclude(file__day=day)
    found: dict[int, Line] = {}
    named = (("our_no", numbers), ("gateway_ref", refs), ("payment_no", payments))
    for column, values in named:
        for portion in _portions(values):
            for line in _lines(others.filter(**{f"{column}__in": portion})):
                found[line.source] = line
    if not found:
        return []
    current = set(
        _of_account(day.gateway, day.mode, day.account)
        .filter(files__kind=kind)
        .values_list("day")
        .annotate(newest=Max("files__id"))
        .values_list("newest", flat=True)
    )
    kept: set[int] = set()
    for part in _portions(found):
        rows = StatementRow.objects.filter(id__in=part, file_id__in=current)
        kept |= set(rows.values_list("id", flat=True))
    return [line for number, line in found.items() if number in kept]


def _lines(rows: QuerySet[StatementRow]) -> list[Line]:
    columns = (
        *("id", "file__day__day", "number", "kind", "gateway_ref", "our_no", "gross_minor"),
        *("fee_minor", "net_minor", "currency", "at", "status", "payment_no"),
    )
    return [Line(*row) for row in rows.order_by("number").values_list(*columns)]


# -- classes --------------------------------------------------------------------------------------


def items_of(day: GatewayDay) -> list[MatchItem]:
    """Return everything of a day, differences first."""
    rows = list(MatchItem.objects.filter(day=day).order_by("statement_kind", "id"))
    return sorted(rows, key=lambda item: item.outcome == MATCHED)


def matched_head(day: GatewayDay, limit: int) -> list[MatchItem]:
    """Return the first of what agrees on a day."""
    rows = MatchItem.objects.filter(day=day, outcome=MATCHED)
    return list(rows.order_by("statement_kind", "id")[:limit])


def counts(days_shown: Collection[GatewayDay]) -> dict[int, dict[str, int]]:
    """Return how many items of each class some days have, by the day's id."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    rows = MatchItem.objects.filter(day__in=days_shown).order_by().values_list("day_id", "outcome")
    for day_id, outcome, count in rows.annotate(count=Count("id")):
        found[day_id][outcome] = count
    return found


def differences(day: GatewayDay, alone_minor: int) -> list[Difference]:
    """Return what does not agree on a day. ``alone_minor``: what one person may sign alone."""
    odd = MatchItem.objects.filter(day=day).exclude(outcome=MATCHED)
    return _with_signatures(odd.order_by("id"), alone_minor)


def _with_signatures(items: QuerySet[MatchItem], alone_minor: int) -> list[Difference]:
    found = list(items)
    signed: dict[tuple[int, str, str, str], list[Signature]] = defaultdict(list)
    days_of = {item.day_id for item in found}
    for each in Signature.objects.filter(day__in=days_of).order_by("id") if found else ():
        signed[each.day_id, each.statement_kind, each.key, each.seen].append(each)
    return [
        Difference(
            item,
            tuple(signed[item.day_id, item.statement_kind, item.key, item.seen]),
            rules.persons_needed(item.at_stake_minor, alone_minor),
        )
        for item in found
    ]


def open_count(at_least_since: datetime | None = None) -> int:
    """Return how many differences there are on days that are not closed."""
    rows = MatchItem.objects.exclude(outcome=MATCHED).exclude(day__state=DayState.CLOSED)
    return (
        rows if at_least_since is None else rows.filter(first_seen_at__lte=at_least_since)
    ).count()


def matched_items(day: GatewayDay, statement_kind: str) -> Iterator[tuple[str, str, str, int]]:
    """Return key, kind, our number and fee of the matched lines of a day that moved our money.

    A refund that was taken off and given back moved none, and nothing of it is booked. Of a fee
    that stands alone our number is left out: what it belongs to has a line of its own.
    """
    rows = MatchItem.objects.filter(
        day=day, statement_kind=statement_kind, outcome=MATCHED, row__isnull=False
    ).exclude(Q(key__startswith=rules.HERE) | Q(detail=rules.CAME_BACK))
    columns = rows.order_by("id").values_list("key", "kind", "our_no", "fee_minor", "detail")
    for key, kind, our_no, fee_minor, detail in columns.iterator(chunk_size=2000):
        yield key, kind, "" if detail == rules.FEE_ALONE else our_no, fee_minor or 0


def matched_lately(gateway: str, mode: str, account: str, at: datetime) -> QuerySet[MatchItem]:
    """Return the lines that agree of days last matched at an instant or later, and moved our money.

    Without fees that stand alone: they are booked as fees are.
    Of each day the lines of the statement that tells how money moved: of funds, else of trades.
    """
    apart = Q(detail__in=(rules.CAME_BACK, rules.FEE_ALONE))
    return _agreed_lately(gateway, mode, account, at).exclude(apart)


def came_back_lately(gateway: str, mode: str, account: str, at: datetime) -> QuerySet[MatchItem]:
    """Return the lines of those days that tell of refunds which came back."""
    return _agreed_lately(gateway, mode, account, at).filter(detail=rules.CAME_BACK)


def _agreed_lately(gateway: str, mode: str, account: str, at: datetime) -> QuerySet[MatchItem]:
    days_lately = _of_account(gateway, mode, account).filter(matched_at__gte=at)
    with_funds = StatementFile.objects.filter(day__in=days_lately, kind="funds").values("day")
    rows = MatchItem.objects.filter(day__in=days_lately, outcome=MATCHED, row__isnull=False)
    told = Q(statement_kind="funds") | Q(statement_kind="trades") & ~Q(day__in=with_funds)
    return rows.filter(told).exclude(key__startswith=rules.HERE)


def agreed_net(day: GatewayDay, statement_kind: str) -> dict[str, int]:
    """Return what a day's statement adds up to, by currency.

    Without lines that do not agree, and without refunds that were taken off and given back.
    """
    file = current_files(day).get(statement_kind)
    if file is None:
        return {}
    whole = file.rows.order_by().values_list("currency").annotate(net=Sum("net_minor"))
    found = dict(whole)
    odd = MatchItem.objects.filter(day=day, statement_kind=statement_kind, row__file=file)
    odd = odd.filter(~Q(outcome=MATCHED) | Q(detail=rules.CAME_BACK))
    by_currency = odd.order_by().values_list("row__currency")
    for currency, net in by_currency.annotate(net=Sum("row__net_minor")):
        found[currency] -= net
    return found
