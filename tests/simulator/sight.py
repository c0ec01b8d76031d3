"""What the tables hold at one moment, read by plain SQL: the simulator trusts no query of ours."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection

TONNE = 1_000_000
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


class RetirementRow(NamedTuple):
    """A retirement, and the one whose recalled grams it stands for."""

    source_ref: str
    mass_g: int
    name: str
    project: str
    replaces_id: int | None


class RecallRow(NamedTuple):
    """A recall with its batch. ``sources``: JSON of the projects that may replace."""

    id: int
    name: str
    source_ref: str
    start_g: int
    end_g: int
    kind: str
    key: str
    sources: str
    state: str
    opened_by: str
    approved_by: str


class RemedyRow(NamedTuple):
    """One step of a remedy."""

    id: int
    recall_id: int
    retirement_id: int
    root_id: int
    step: int
    outcome: str
    affected_g: int
    remedied_g: int
    short_g: int
    replacement_id: int | None


class PaperRow(NamedTuple):
    """One version of a certificate. ``promised_by``: the day by which its tonnes are retired."""

    id: int
    code: str
    version: int
    order_ref: str
    retirement_id: int
    state: str
    promised_by: object
    document: object


@dataclass
class Sight:
    """All that the referee looks at."""

    orders: dict[int, OrderRow]
    payments: dict[str, PaymentRow]
    refunds: dict[str, tuple[str, int, str]]
    lanes: dict[int, LaneRow]
    ranges: dict[int, RangeRow]
    retirements: dict[int, RetirementRow]
    recalls: dict[int, RecallRow]
    remedies: dict[int, RemedyRow]
    papers: dict[int, PaperRow]
    holds: dict[str, dict[int, int]] = field(default_factory=dict)
    certificates: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)
    bought: dict[str, int] = field(default_factory=dict)
    outside: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    log_size: int = 0
    names: dict[str, str] = field(default_factory=dict)


def rows_of(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def look():
    """Read everything once."""
    seen = Sight(
        orders={
            row[0]: OrderRow(*row)
            for row in rows_of(
                "SELECT o.id, o.state, o.mass_g, p.code, o.idempotency_key, o.withdrawal,"
                " o.retire_after, o.beneficiary_name"
                " FROM orders_order o JOIN registry_project p ON p.id = o.project_id"
            )
        },
        payments={
            row[0]: PaymentRow(*row)
            for row in rows_of("SELECT payment_no, owner_ref, state FROM payments_payment")
        },
        refunds={
            row[0]: row[1:]
            for row in rows_of(
                "SELECT r.refund_no, p.payment_no, r.amount_minor, r.state"
                " FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id"
            )
        },
        lanes={
            row[0]: LaneRow(*row)
            for row in rows_of(
                "SELECT l.id, b.source_ref, l.kind, l.lo, l.hi"
                " FROM registry_lane l JOIN registry_creditbatch b ON b.id = l.batch_id"
            )
        },
        ranges={
            row[0]: RangeRow(*row)
            for row in rows_of(
                "SELECT id, lane_id, kind, start_g, end_g, retirement_id, source_ref"
                " FROM registry_allocation ORDER BY id"
            )
        },
        retirements={
            row[0]: RetirementRow(*row[1:])
            for row in rows_of(
                "SELECT r.id, r.source_ref, r.mass_g, r.public_id, p.code, r.replaces_id"
                " FROM registry_retirement r JOIN registry_project p ON p.id = r.project_id"
            )
        },
        recalls={
            row[0]: RecallRow(*row)
            for row in rows_of(
                "SELECT r.id, r.public_id, b.source_ref, r.start_g, r.end_g, r.kind, r.reason,"
                " r.sources, r.state, r.opened_by, r.approved_by"
                " FROM registry_recall r JOIN registry_creditbatch b ON b.id = r.batch_id"
                " ORDER BY r.id"
            )
        },
        remedies={
            row[0]: RemedyRow(*row)
            for row in rows_of(
                "SELECT id, recall_id, retirement_id, root_id, step, outcome, affected_g,"
                " remedied_g, short_g, replacement_id FROM registry_remedy ORDER BY id"
            )
        },
        papers={
            row[0]: PaperRow(*row)
            for row in rows_of(
                "SELECT id, code, version, order_ref, retirement_id, state, promised_by,"
                " credential FROM certificates_certificate ORDER BY id"
            )
        },
    )
    for paper in seen.papers.values():
        if paper.state == "current":
            count = seen.certificates.get(paper.order_ref, 0)
            seen.certificates[paper.order_ref] = count + 1
    for source_ref, first, begin, end in rows_of(
        "SELECT b.source_ref, s.first, u.first_serial, u.last_serial + 1"
        " FROM registry_upstreamretirement u JOIN registry_creditbatch b ON b.id = u.batch_id"
        " JOIN registry_serialblock s ON s.id = b.serial_block_id ORDER BY u.first_serial"
    ):
        span = ((begin - first) * TONNE, (end - first) * TONNE)
        seen.outside.setdefault(source_ref, []).append(span)
    # What we bought ourselves: of a remedy the way by the provision is booked a second time.
    seen.bought = dict(
        rows_of(
            "SELECT j.source_ref, min(t.amount_minor) FROM ledger_journal j"
            " JOIN ledger_transfer t ON t.journal_id = j.id"
            " WHERE j.kind IN ('remedy', 'completion') GROUP BY j.source_ref"
        )
    )
    seen.log = [
        row[0] for row in rows_of("SELECT body FROM transparency_logentry ORDER BY position")
    ]
    seen.log_size = sum(row[0] for row in rows_of("SELECT size FROM transparency_loghead"))
    seen.names = dict(rows_of("SELECT source_ref, public_id FROM registry_creditbatch"))
    for owner, lane_id, mass_g in rows_of(
        "SELECT owner_ref, lane_id, mass_g FROM registry_holding WHERE state IN (%s, %s)",
        *LIVE_HOLDS,
    ):
        seen.holds.setdefault(owner, {})[lane_id] = mass_g
    for debit, credit, amount in rows_of(
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
