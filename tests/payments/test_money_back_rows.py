"""What the database itself keeps of chargebacks and of requests that wait for a second person."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from diandian.payments import invariants, rules
from diandian.payments.models import Dispute, MoneyRequest, Payment, Refund
from tests.flows.conftest import clock, world  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(world):  # noqa: F811 - the fixture
    world.pay(world.order())
    return Payment.objects.get()


def dispute(payment, **facts):
    known = {
        "payment": payment,
        "dispute_ref": "sd_1",
        "amount_minor": 804,
        "currency": "CNY",
        "opened_at": payment.created_at,
    }
    return Dispute.objects.create(**known | facts)


def asked(payment, **facts):
    known = {
        "payment": payment,
        "kind": "goodwill",
        "amount_minor": 300,
        "reason": "kind",
        "asked_by": "operator:li",
        "asked_at": payment.created_at,
    }
    return MoneyRequest.objects.create(**known | facts)


@pytest.mark.parametrize(
    "facts",
    [
        {"amount_minor": 0},
        {"fee_minor": -1},
        {"covered_minor": -1},
        {"covered_minor": 805},
    ],
)
def test_a_dispute_adds_up(payment, facts):
    with pytest.raises(IntegrityError), transaction.atomic():
        dispute(payment, **facts)


def test_a_dispute_is_kept_once(payment):
    dispute(payment)
    with pytest.raises(IntegrityError), transaction.atomic():
        dispute(payment)


@pytest.mark.parametrize(
    "facts",
    [
        {"amount_minor": 0},
        {"state": "done", "decided_by": "operator:li"},
    ],
)
def test_nobody_decides_alone(payment, facts):
    with pytest.raises(IntegrityError), transaction.atomic():
        asked(payment, **facts)


def test_one_request_waits_at_a_time(payment):
    asked(payment, state="refused")
    asked(payment)
    with pytest.raises(IntegrityError), transaction.atomic():
        asked(payment, amount_minor=1)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("payments_moneyrequest", "amount_minor", 1),
        ("payments_moneyrequest", "asked_by", "operator:wang"),
        ("payments_moneyrequest", "evidence", "other"),
        ("payments_dispute", "opened_at", "2020-01-01 00:00:00+00:00"),
        ("payments_dispute", "dispute_ref", "sd_2"),
    ],
)
def test_what_was_asked_or_told_stays_as_it_was(payment, table, column, value):
    asked(payment)
    kept = dispute(payment)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = %s", [value])  # noqa: S608
    kept.refresh_from_db()
    assert (kept.amount_minor, kept.dispute_ref) == (804, "sd_1")


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "external", "state": "requested"},
        {"kind": "external", "state": "succeeded", "sent": True},
    ],
)
def test_what_others_gave_back_was_sent_by_nobody_here(payment, facts):
    sent_at = payment.created_at if facts.pop("sent", False) else None
    with pytest.raises(IntegrityError), transaction.atomic():
        Refund.objects.create(
            refund_no="X1",
            payment=payment,
            amount_minor=1,
            reason="console",
            created_at=payment.created_at,
            sent_at=sent_at,
            **facts,
        )


@pytest.mark.parametrize(
    ("break_it", "rule"),
    [
        (lambda payment: dispute(payment, state="won"), "P6"),
        (
            lambda payment: dispute(payment, covered_minor=1),
            "P6",
        ),
        (
            lambda payment: Refund.objects.create(
                refund_no="R1",
                payment=payment,
                kind="goodwill",
                amount_minor=1,
                reason="goodwill",
                created_at=payment.created_at,
            ),
            "P7",
        ),
    ],
)
def test_a_breach_is_found(payment, break_it, rule):
    with transaction.atomic():
        break_it(payment)
        assert rule in {breach.rule for breach in invariants.check()}
        transaction.set_rollback(True)


# -- the rules of others' refunds --------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "known", "ours", "external"),
    [
        (0, 0, [], 0),
        (300, 0, [], 300),
        (300, 300, [], 300),
        (0, 300, [], 0),
        # What may be ours is never taken for somebody else's.
        (300, 0, [("unknown", 300)], 0),
        (300, 0, [("requested", 804)], 0),
        (500, 0, [("succeeded", 300)], 200),
        (500, 0, [("processing", 300), ("failed", 200)], 200),
        # What is known stays as long as it may be true.
        (500, 500, [("requested", 300)], 500),
        (500, 500, [("succeeded", 300)], 200),
        (500, 200, [("abnormal", 300)], 200),
        (804, 0, [("abnormal", 300), ("otherwise", 4)], 500),
    ],
)
def test_what_our_refunds_do_not_explain(told, known, ours, external):
    assert rules.external_minor(told, known, ours) == external


def test_a_refund_waits_for_the_one_before(payment):
    at = payment.created_at
    assert rules.refund_may_go_at([], 60) is None
    assert (rules.refund_may_go_at([at, at], 60) - at).total_seconds() == 60


@pytest.mark.parametrize("current", ["open", "won", "lost"])
@pytest.mark.parametrize("incoming", ["open", "won", "lost"])
def test_what_a_bank_decided_stays(current, incoming):
    became = rules.next_dispute_state(current, incoming)
    assert became == (incoming if current == "open" and incoming != "open" else None)
    opposite = {current, incoming} == {"won", "lost"}
    assert rules.contradicts(current, incoming) == opposite
