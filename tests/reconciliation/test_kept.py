"""What the database itself keeps of statements: what is forged is refused."""

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from diandian.reconciliation.models import (
    GatewayDay,
    GatewayPayout,
    MatchItem,
    Signature,
    StatementFile,
    StatementRow,
)

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
SHA = "0" * 64


def make_day(**facts):
    known = {
        "gateway": "sandbox",
        "mode": "test",
        "account": "demo",
        "merchant_key": "sandbox",
        "settlement": "connect",
        "day": date(2026, 11, 22),
    }
    return GatewayDay.objects.create(**known | facts)


def make_file(day, **facts):
    known = {"kind": "trades", "sha256": SHA, "is_proven": True, "size_bytes": 1, "lines": 1}
    return StatementFile.objects.create(day=day, fetched_at=AT, **known | facts)


def make_row(file, **facts):
    known = {"number": 1, "kind": "payment", "gross_minor": 1, "fee_minor": 0, "net_minor": 1}
    return StatementRow.objects.create(file=file, currency="CNY", at=AT, **known | facts)


def make_item(day, **facts):
    known = {"statement_kind": "trades", "key": "k", "kind": "payment", "outcome": "matched"}
    return MatchItem.objects.create(
        day=day, currency="CNY", seen=SHA, first_seen_at=AT, **known | facts
    )


def make_signature(day, **facts):
    known = {"statement_kind": "trades", "key": "k", "seen": SHA, "reason": "r", "actor_ref": "a"}
    return Signature.objects.create(day=day, at=AT, **known | facts)


@pytest.fixture
def day(db):
    return make_day()


def refused(write):
    with pytest.raises(IntegrityError), transaction.atomic():
        write()
    return True


def test_nothing_is_there_twice(day):
    file = make_file(day)
    make_row(file)
    make_item(day)
    make_signature(day)
    assert refused(make_day)
    assert refused(lambda: make_file(day))
    assert refused(lambda: make_row(file))
    assert refused(lambda: make_item(day))
    assert refused(lambda: make_signature(day))
    # And what differs in one part of its key is.
    make_file(day, sha256="1" * 64)
    make_row(file, number=2)
    make_item(day, statement_kind="funds")
    make_signature(day, actor_ref="b")
    make_day(account="other")


@pytest.mark.parametrize(
    "facts",
    [
        {"state": "closed"},
        {"state": "closed", "closed_at": AT},
        {"state": "closed", "sha256": SHA},
        {"state": "open", "closed_at": AT},
        {"state": "open", "sha256": SHA},
    ],
)
def test_a_day_is_closed_whole_or_not(facts):
    assert refused(lambda: make_day(**facts))


@pytest.mark.parametrize("table", ["statementfile", "statementrow", "signature"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_what_came_and_what_was_signed_stays(day, table, change):
    make_row(make_file(day))
    make_signature(day)
    column = {"statementfile": "kind", "statementrow": "kind", "signature": "reason"}[table]
    statement = change.format(f"reconciliation_{table}", column, "'x'")

    def forge():
        with connection.cursor() as cursor:
            cursor.execute(statement)

    assert refused(forge)


def test_a_closed_day_stays(day):
    closed = make_day(account="other", state="closed", closed_at=AT, sha256=SHA)
    assert refused(lambda: GatewayDay.objects.filter(id=closed.id).update(problem="x"))
    assert refused(closed.delete)
    assert GatewayDay.objects.filter(id=day.id).update(problem="x") == 1


# -- payouts -------------------------------------------------------------------------------------


def make_payout(**facts):
    known = {"gateway": "sandbox", "mode": "test", "account": "demo", "merchant_key": "sandbox"}
    known |= {"amount_minor": 300, "currency": "CNY", "paid_on": date(2026, 11, 22)}
    return GatewayPayout.objects.create(**known | {"asked_by": "a", "asked_at": AT} | facts)


@pytest.mark.parametrize(
    "facts",
    [
        {"amount_minor": 0},
        {"amount_minor": -1},
        {"state": "booked"},
        {"state": "booked", "decided_by": "a"},
    ],
)
def test_a_payout_has_an_amount_and_is_booked_by_a_line_or_by_two(db, facts):
    assert refused(lambda: make_payout(**facts))
    assert make_payout(state="booked", decided_by="b").number.startswith("GP")


@pytest.mark.parametrize(
    "facts",
    [
        {"undone_by": "b"},
        {"undo_by": "b", "undone_by": "b"},
        {"undo_by": "a", "undone_by": "b", "state": "booked", "decided_by": "b"},
    ],
)
def test_a_payout_is_undone_by_two(db, facts):
    assert refused(lambda: make_payout(**{"state": "refused"} | facts))
    assert make_payout(state="refused", undo_by="a", undone_by="b")


def test_a_line_books_a_payout_alone(day):
    assert make_payout(state="booked", row=make_row(make_file(day)))


def test_a_payout_and_a_line_of_the_bank_are_there_once(db):
    make_payout(payout_ref="sp_1", bank_ref="B1")
    assert refused(lambda: make_payout(payout_ref="sp_1"))
    assert refused(lambda: make_payout(bank_ref="B1"))
    # And what differs in one part of its key is.
    make_payout(payout_ref="sp_1", is_return=True)
    make_payout(payout_ref="sp_1", account="other")
    make_payout(bank_ref="B1", currency="EUR")
    make_payout(payout_ref="sp_1", bank_ref="B1", state="refused")
    make_payout()
    make_payout()


def test_what_a_payout_was_stays(db):
    payout = make_payout()
    mine = GatewayPayout.objects.filter(id=payout.id)
    for facts in ({"amount_minor": 301}, {"account": "x"}, {"asked_by": "b"}, {"payout_ref": "y"}):
        assert refused(lambda facts=facts: mine.update(**facts))
    assert refused(payout.delete)
    assert mine.update(bank_ref="B1", state="refused") == 1
