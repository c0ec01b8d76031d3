"""What the tables hold at one moment, read by plain SQL: the simulator trusts no query of ours."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection

LIVE_HOLDS = ("active", "committed")


class OrderRow(NamedTuple):
    """An order as its table has it."""

    id: int
    state: str
    mass_g: int
    project: str
    key: str
    withdrawal: str
    retire_after: object
    name: str


class PaymentRow(NamedTuple):
    """A payment, and the order it says it is of."""

    number: str
    owner_ref: str
    state: str


class LaneRow(NamedTuple):
    """A lane with its batch and how that came in."""

    id: int
    source_ref: str
    kind: str
    lo: int
    hi: int


class RangeRow(NamedTuple):
    """A used range of a lane."""

    id: int
    lane_id: int
    kind: str
    start_g: int
    end_g: int
    retirement_id: int | None
    source_ref: str


@dataclass
class Sight:
    """All that the referee looks at."""

    orders: dict[int, OrderRow]
    payments: dict[str, PaymentRow]
    refunds: dict[str, tuple[str, int, str]]
    lanes: dict[int, LaneRow]
    ranges: dict[int, RangeRow]
    retirements: dict[int, tuple[str, int]]
    holds: dict[str, dict[int, int]] = field(default_factory=dict)
    certificates: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    log_size: int = 0
    names: dict[str, str] = field(default_factory=dict)


def _rows(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def look():
    """Read everything once."""
    seen = Sight(
        orders={
            row[0]: OrderRow(*row)
            for row in _rows(
                "SELECT o.id, o.state, o.mass_g, p.code, o.idempotency_key, o.withdrawal,"
                " o.retire_after, o.beneficiary_name"
                " FROM orders_order o JOIN registry_project p ON p.id = o.project_id"
            )
        },
        payments={
            row[0]: PaymentRow(*row)
            for row in _rows("SELECT payment_no, owner_ref, state FROM payments_payment")
        },
        refunds={
            row[0]: row[1:]
            for row in _rows(
                "SELECT r.refund_no, p.payment_no, r.amount_minor, r.state"
                " FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id"
            )
        },
        lanes={
            row[0]: LaneRow(*row)
            for row in _rows(
                "SELECT l.id, b.source_ref, l.kind, l.lo, l.hi"
                " FROM registry_lane l JOIN registry_creditbatch b ON b.id = l.batch_id"
            )
        },
        ranges={
            row[0]: RangeRow(*row)
            for row in _rows(
                "SELECT id, lane_id, kind, start_g, end_g, retirement_id, source_ref"
                " FROM registry_allocation ORDER BY id"
            )
        },
        retirements={
            row[0]: row[1:]
            for row in _rows("SELECT id, source_ref, mass_g FROM registry_retirement")
        },
        certificates=dict(
            _rows(
                "SELECT order_ref, count(*) FROM certificates_certificate"
                " WHERE state = 'current' GROUP BY order_ref"
            )
        ),
    )
    seen.log = [row[0] for row in _rows("SELECT body FROM transparency_logentry ORDER BY position")]
    seen.log_size = sum(row[0] for row in _rows("SELECT size FROM transparency_loghead"))
    seen.names = dict(_rows("SELECT source_ref, public_id FROM registry_creditbatch"))
    for owner, lane_id, mass_g in _rows(
        "SELECT owner_ref, lane_id, mass_g FROM registry_holding WHERE state IN (%s, %s)",
        *LIVE_HOLDS,
    ):
        seen.holds.setdefault(owner, {})[lane_id] = mass_g
    for debit, credit, amount in _rows(
        "SELECT debit_code, credit_code, sum(amount_minor) FROM ledger_transfer"
        " GROUP BY debit_code, credit_code"
    ):
        for code, signed in ((debit, int(amount)), (credit, -int(amount))):
            number = code.split(":")[1]
            seen.accounts[number] = seen.accounts.get(number, 0) + signed
    return seen


@dataclass
class BankBook:
    """What the bank says: it is another company, and its file is the truth about money."""

    taken: dict[str, int]
    returned: dict[str, int]
    asked: dict[str, int]
    payable: set[str]


def look_at_bank(peer, now):
    """Read the bank's own file."""
    book = BankBook({}, {}, {}, set())
    at_ms = int(now.timestamp() * 1000)
    for number, amount, state, paid_ms, back, expires_ms in peer.run(
        "SELECT payment_no, amount_minor, state, paid_ms, refunded_minor, expires_ms FROM trade", ()
    ):
        book.asked[number] = amount
        if state == "succeeded":
            # Money on its way can still arrive; nobody may call it unpayable.
            book.payable.add(number)
            if paid_ms <= at_ms:
                book.taken[number] = amount
                book.returned[number] = back
        elif state == "pending" and expires_ms > at_ms:
            book.payable.add(number)
    return book


def as_instant(value):
    """Return an instant as the driver gave it, aware."""
    if value is None or (isinstance(value, datetime) and value.tzinfo):
        return value
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return datetime.fromisoformat(value).replace(tzinfo=UTC)
