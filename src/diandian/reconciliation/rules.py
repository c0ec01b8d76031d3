"""What a gateway's day is beside ours: each line of it and each fact of ours in exactly one class.

A line finds its fact by the gateway's number, else by ours, whatever the day: only what has no
counterpart is a matter of days. *Source:* payments design, section 10.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from diandian.kernel.canonical import digest_hex
from diandian.kernel.clock import BUSINESS_ZONE, day_starts
from diandian.kernel.money import EXPONENTS

Outcome = Literal[
    "matched",
    "missing_here",
    "missing_there",
    "amount_diff",
    "fee_diff",
    "status_diff",
    "duplicate",
    "timing",
]
FactState = Literal["done", "open", "failed"]

MATCHED: Outcome = "matched"
MISSING_THERE: Outcome = "missing_there"
TIMING: Outcome = "timing"
# Statements of so many later days are looked at before something counts as missing.
TIMING_DAYS = 3
# What happened so near to midnight may stand on the statement of the day beside.
CUT_OFF = timedelta(minutes=30)
# A gateway rounds its fee of a payment by its own rule.
FEE_TOLERANCE_MINOR = 1
# Words of gateways for a payment or refund that moved no money.
_NOTHING_PAID = {
    *("failed", "fail", "closed", "revoked", "notpay", "payerror", "canceled", "cancelled"),
}
# One number stands for money that goes and for the same money that comes back.
_TWO_WAYS = ("dispute", "payout")
# A refund that was taken off and given back, since it found no way home.
CAME_BACK = "came_back"
# A line of a chargeback that moved nothing but a fee: charged later, or given back.
FEE_ALONE = "fee_alone"

FIRST_HOUR = 10
# How the keys of items begin: a line of the day, or a fact of ours without one.
_THERE, HERE = "there:", "here:"
_DELAYS = tuple(timedelta(minutes=each) for each in (5, 15, 60, 180, 360))
_BASIS = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a statement. ``number``: in its file; ``source``: of a stored line, its id.

    ``payment_no``: of a refund, the payment that it gives back, where the line names it.
    """

    source: int
    day: date
    number: int
    kind: str
    ref: str
    our_no: str
    gross_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    at: datetime
    status: str = ""
    payment_no: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """What our own tables say; what comes in is positive.

    ``state``: open is on its way, or not paid as far as we know; failed: no line is expected.
    ``fee_minor``: as agreed with the gateway, or as booked with a chargeback; None where nothing is
    known of it. ``payment_no``: of a chargeback, and of a refund that was made at the gateway by
    hand, whose number there we do not know.
    """

    kind: str
    our_no: str
    ref: str
    day: date
    at: datetime
    amount_minor: int
    currency: str
    state: FactState = "done"
    fee_minor: int | None = None
    payment_no: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One line, one fact, or both, with what became of it. ``detail``: why, as a code."""

    key: str
    kind: str
    outcome: Outcome
    line: Line | None = None
    fact: Fact | None = None
    detail: str = ""

    @property
    def is_of_line(self) -> bool:
        """Tell whether the item is a line of the day; else it is a fact whose line is not."""
        return self.key.startswith(_THERE)

    @property
    def at_stake_minor(self) -> int:
        """Return how much money hangs on it, without a sign."""
        theirs = self.line.gross_minor if self.line else 0
        ours = self.fact.amount_minor if self.fact and self.fact.state == "done" else 0
        match self.outcome:
            case "amount_diff":
                same = self.line and self.fact and self.line.currency == self.fact.currency
                return abs(theirs - ours) if same else max(abs(theirs), abs(ours))
            case "fee_diff":
                return abs(self.line.fee_minor) if self.line else 0
        return max(abs(theirs), abs(ours))

    def seen(self) -> str:
        """Return the digest of what this item says; whoever signs it signs this."""
        line, fact = self.line, self.fact
        return digest_hex(
            {
                "schema": "diandian/difference/1",
                "key": self.key,
                "outcome": self.outcome,
                "detail": self.detail,
                "theirs": [line.gross_minor, line.fee_minor, line.net_minor, line.currency]
                if line
                else [],
                "ours": [fact.our_no, fact.amount_minor, fact.currency, fact.state] if fact else [],
            }
        )


# -- matching -------------------------------------------------------------------------------------


def match(
    lines: Iterable[Line], facts: Iterable[Fact], *, day: date, newest_day: date
) -> list[Item]:
    """Put every line of a day, and every fact of ours on it, into exactly one class.

    ``lines`` and ``facts`` of other days are counterparts only. ``newest_day``: the last one whose
    statement is known.
    """
    facts = list(facts)
    found, alone = _pairs(lines, facts)
    items, met = [], {}
    for fact, group in found:
        first = next((line for line in group if _is_equal(line, fact)), group[0])
        met[fact.kind, fact.our_no] = first
        items += [
            _of_line(line, fact, *_among(group, line, first, fact, newest_day))
            for line in group
            if line.day == day
        ]
    items += [_of_line(line, None, *_unknown(line)) for line in alone if line.day == day]
    for fact in facts:
        if fact.day == day and fact.state != "failed":
            items += _of_fact(fact, met.get((fact.kind, fact.our_no)), newest_day)
    return _named_once(items)


def _pairs(
    lines: Iterable[Line], facts: Sequence[Fact]
) -> tuple[list[tuple[Fact, list[Line]]], list[Line]]:
    """Return the lines of each fact, oldest first, and lines that no fact explains."""
    ways = [(_way(fact.kind, fact.amount_minor), fact) for fact in facts]
    by_ref = {(way, fact.ref): fact for way, fact in ways if fact.ref}
    by_no = {(way, fact.our_no): fact for way, fact in ways if fact.our_no}
    by_hand: dict[tuple[object, ...], list[Fact]] = defaultdict(list)
    for each in facts:
        if each.payment_no:
            by_hand[_hand_made(each, each.amount_minor)].append(each)
    groups: dict[tuple[str, str], list[Line]] = defaultdict(list)
    alone = []
    for line in sorted(lines, key=lambda each: (each.day, each.number)):
        way = _way(line.kind, line.gross_minor)
        fact = by_ref.get((way, line.ref)) or by_no.get((way, line.our_no))
        waiting = by_hand.get(_hand_made(line, line.gross_minor))
        if fact is None and waiting:
            fact = waiting.pop(0)
        if fact is None:
            alone.append(line)
        else:
            groups[_way(fact.kind, fact.amount_minor), fact.our_no].append(line)
    return [(by_no[key], group) for key, group in groups.items()], alone


def _way(kind: str, amount_minor: int) -> str:
    """Return a kind, with its direction where one number is used for both."""
    return f"{kind}{'+' if amount_minor > 0 else '-'}" if kind in _TWO_WAYS else kind


def _hand_made(of: Line | Fact, amount_minor: int) -> tuple[object, ...]:
    """Return what is known by its payment: how much of it went back, or came."""
    return of.kind, of.payment_no, amount_minor, of.currency


def _is_equal(line: Line, fact: Fact) -> bool:
    return (line.gross_minor, line.currency) == (fact.amount_minor, fact.currency)


def brings_money(line: Line) -> bool:
    """Tell whether a line says that money moved; some list payments that failed, too."""
    return line.status.lower() not in _NOTHING_PAID


def _unknown(line: Line) -> tuple[Outcome, str]:
    if line.net_minor != line.gross_minor - line.fee_minor:
        return "fee_diff", "arithmetic"
    if line.kind == "fee":
        return (MATCHED, "") if line.currency in EXPONENTS else ("fee_diff", "currency")
    if not (brings_money(line) or line.net_minor):
        return MATCHED, ""
    return "missing_here", "no_number" if not line.our_no else ""


def _among(
    group: Sequence[Line], line: Line, first: Line, fact: Fact, newest_day: date
) -> tuple[Outcome, str]:
    """Return the class of one of the lines of a fact. ``first``: the one that stands for it."""
    if fact.kind == "refund" and len(group) > 1:
        amounts = sorted(each.gross_minor for each in group)
        size = abs(fact.amount_minor)
        if fact.state == "failed" and amounts == [-size, size]:
            return MATCHED, CAME_BACK
        if line.gross_minor * fact.amount_minor < 0:
            if fact.state == "open":
                return _young(line.day, newest_day, "status_diff", "open_here")
            return "status_diff", CAME_BACK
    if fact.kind == "dispute" and not line.gross_minor and line.fee_minor:
        return _fee_alone(group, line, fact)
    return _compared(line, fact, newest_day) if line is first else ("duplicate", "")


def _fee_alone(group: Sequence[Line], line: Line, fact: Fact) -> tuple[Outcome, str]:
    """Class a chargeback's fee that stands alone: no more of it comes back than was kept."""
    kept_minor = sum(each.fee_minor for each in group)
    if line.currency != fact.currency:
        return "amount_diff", "currency"
    if line.net_minor != -line.fee_minor:
        return "fee_diff", "arithmetic"
    return (MATCHED, FEE_ALONE) if kept_minor >= 0 else ("fee_diff", "rate")


def _compared(line: Line, fact: Fact, newest_day: date) -> tuple[Outcome, str]:
    """Compare a line with the fact that it stands for: first whether both happened, then how."""
    is_done = fact.state == "done"
    if is_done and brings_money(line):
        return _amounts(line, fact)
    if not brings_money(line):
        return ("status_diff", "not_paid_there") if is_done else (MATCHED, "")
    if fact.kind == "payment":
        return "missing_here", "not_paid_here"
    if fact.state == "failed":
        return "status_diff", "failed_here"
    return _young(line.day, newest_day, "status_diff", "open_here")


def _amounts(line: Line, fact: Fact) -> tuple[Outcome, str]:
    charged = fact.fee_minor if fact.fee_minor is not None else line.fee_minor
    wrong: tuple[tuple[bool, Outcome, str], ...] = (
        (line.currency != fact.currency, "amount_diff", "currency"),
        (line.gross_minor != fact.amount_minor, "amount_diff", ""),
        (line.net_minor != line.gross_minor - line.fee_minor, "fee_diff", "arithmetic"),
        (abs(line.fee_minor - charged) > _tolerance(fact), "fee_diff", "rate"),
    )
    found = ((outcome, detail) for is_wrong, outcome, detail in wrong if is_wrong)
    return next(found, (MATCHED, ""))


def _tolerance(fact: Fact) -> int:
    return FEE_TOLERANCE_MINOR if fact.kind == "payment" else 0


def _of_line(line: Line, fact: Fact | None, outcome: Outcome, detail: str) -> Item:
    name = line.ref or line.our_no
    return Item(f"{_THERE}{line.kind}:{name}", line.kind, outcome, line, fact, detail)


def _of_fact(fact: Fact, line: Line | None, newest_day: date) -> list[Item]:
    """Return the item of a fact of the day whose line is none of the day's; else nothing."""
    key = f"{HERE}{fact.kind}:{fact.our_no}"
    if line is not None:
        if line.day == fact.day:
            return []
        return [Item(key, fact.kind, *_swapped(_compared(line, fact, newest_day), line, fact))]
    if fact.kind == "payment":
        if fact.state != "done":
            return []
        outcome, detail = _young(
            fact.day, newest_day, "missing_there", "", is_near=is_near_midnight(fact.at)
        )
    elif fact.state == "open":
        outcome, detail = _young(fact.day, newest_day, "status_diff", "open_here")
    else:
        # We know when something was asked for, not on which day the gateway counts it.
        outcome, detail = _young(fact.day, newest_day, "missing_there", "")
    return [Item(key, fact.kind, outcome, None, fact, detail)]


def _swapped(what: tuple[Outcome, str], line: Line, fact: Fact) -> tuple[Outcome, Line, Fact, str]:
    return what[0], line, fact, what[1] or "other_day"


def _young(
    day: date, newest_day: date, outcome: Outcome, detail: str, *, is_near: bool = True
) -> tuple[Outcome, str]:
    """Return timing while statements of later days may still explain it."""
    if is_near and (newest_day - day).days < TIMING_DAYS:
        return TIMING, detail
    return outcome, detail


def is_near_midnight(at: datetime) -> bool:
    """Tell whether an instant lies so near to the change of days that both may claim it."""
    day = at.astimezone(BUSINESS_ZONE).date()
    start, end = day_starts(day), day_starts(day + timedelta(days=1))
    return at - start < CUT_OFF or end - at <= CUT_OFF


def _named_once(items: list[Item]) -> list[Item]:
    """Give equal lines names of their own, in their order."""
    seen: dict[str, int] = defaultdict(int)
    named = []
    for item in items:
        seen[item.key] += 1
        again = f"#{seen[item.key]}" if seen[item.key] > 1 else ""
        named.append(
            Item(item.key + again, item.kind, item.outcome, item.line, item.fact, item.detail)
        )
    return named


# -- fees -----------------------------------------------------------------------------------------


def fee_of(line: Line) -> int:
    """Return what the gateway kept by a line, in minor units; negative: it gave a fee back."""
    return -line.net_minor if line.kind == "fee" else line.fee_minor


def agreed_fee(amount_minor: int, basis_points: int) -> int:
    """Return a fee as agreed. Rounding: half up."""
    whole, rest = divmod(amount_minor * basis_points, _BASIS)
    return whole + (2 * rest >= _BASIS)


# -- days -----------------------------------------------------------------------------------------


def due_at(day: date, hour: int = FIRST_HOUR) -> datetime:
    """Return when the statement of a day can be fetched: at an hour of the next day."""
    return day_starts(day + timedelta(days=1)) + timedelta(hours=hour)


def next_attempt_at(attempts: int, at: datetime) -> datetime:
    """Return when to ask again for what was not there: soon at first, then every six hours."""
    return at + _DELAYS[min(attempts, len(_DELAYS) - 1)]


def persons_needed(at_stake_minor: int, alone_minor: int) -> int:
    """Return how many people sign an exception: two above what one may sign alone."""
    return 2 if at_stake_minor > alone_minor else 1


def day_sha256(facts: Mapping[str, object]) -> str:
    """Return the seal of a closed day of a gateway over what it was closed with."""
    return digest_hex({"schema": "diandian/gateway-day/1", **facts})
