from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diandian.kernel.money import Money
from diandian.ledger import actions, chart, queries, rules
from diandian.ledger.actions import JournalRequest
from diandian.ledger.errors import AlreadyReversedError, PostedDifferentlyError
from diandian.ledger.invariants import check
from diandian.ledger.models import Journal, Transfer

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)  # already the second of March in Shanghai
CLEARING = chart.gateway_clearing("CNY", "sandbox", "demo")
PREPAID = chart.customer_prepayments("CNY")


def capture(number=1, amount_minor=3000, **facts):
    facts = {
        "kind": "capture",
        "source_ref": f"payment:{number}:captured",
        "owner_ref": f"order:{number}",
        "lines": rules.build_capture(
            Money(amount_minor, "CNY"), gateway="sandbox", merchant="demo"
        ),
    } | facts
    return JournalRequest(**facts)


def sale(number=1, supplier=2700, fee=300):
    return JournalRequest(
        kind="sale",
        source_ref=f"order:{number}:sale",
        owner_ref=f"order:{number}",
        lines=rules.build_sale(
            supplier=Money(supplier, "CNY"), fee=Money(fee, "CNY"), supplier_ref="solar-1"
        ),
    )


def test_an_order_from_payment_to_sale():
    actions.post_many([capture()], at=AT)
    assert (queries.balance_of(CLEARING), queries.balance_of(PREPAID)) == (3000, -3000)
    actions.post_many([sale()], at=AT)
    assert queries.balance_of(PREPAID) == 0
    assert queries.balance_of(chart.supplier_payable("CNY", "solar-1")) == -2700
    assert [row.amount_minor for row in queries.entries_of("order:1")] == [3000, 2700, 283, 17]
    assert sum(account.balance_minor for account in queries.trial_balance("CNY")) == 0
    assert queries.trial_balance("EUR") == []
    assert check() == []


def test_the_day_is_that_of_the_business():
    journal = actions.post_many([capture()], at=AT)[0]
    assert journal.business_day.isoformat() == "2026-03-02"


def test_booking_twice_is_booking_once():
    first = actions.post_many([capture(), sale()], at=AT)
    again = actions.post_many([sale(), capture(), sale()], at=AT)
    assert [journal.id for journal in again] == [first[1].id, first[0].id, first[1].id]
    assert queries.balance_of(CLEARING) == 3000
    assert Journal.objects.count() == 2


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"owner_ref": "order:2"},
        {"lines": rules.build_refund(Money(3000, "CNY"))},
        {"lines": [*capture().lines, *capture().lines]},
    ],
)
def test_the_same_reference_with_another_body_is_refused(change):
    actions.post_many([capture()], at=AT)
    with pytest.raises(PostedDifferentlyError):
        actions.post_many([sale(), capture(**change)], at=AT)
    assert Journal.objects.count() == 1


def test_contradiction_within_one_call_is_refused():
    with pytest.raises(PostedDifferentlyError):
        actions.post_many([capture(), capture(amount_minor=1)], at=AT)
    assert Journal.objects.count() == 0


def test_one_is_many_of_one():
    asked = capture()
    journal = actions.post(
        kind=asked.kind,
        source_ref=asked.source_ref,
        owner_ref=asked.owner_ref,
        lines=asked.lines,
        at=AT,
    )
    assert actions.post_many([asked], at=AT) == [journal]


def test_a_reversal_mirrors_and_comes_once():
    journal = actions.post_many([sale()], at=AT)[0]
    reversal = actions.reverse(journal, "order:1:sale:reversed", AT)
    assert actions.reverse(journal, "order:1:sale:reversed", AT) == reversal
    assert reversal.reverses == journal
    assert {account.balance_minor for account in queries.trial_balance("CNY")} == {0}
    with pytest.raises(AlreadyReversedError):
        actions.reverse(journal, "another", AT)
    assert check() == []


@pytest.mark.parametrize("count", [1, 50])
def test_booking_costs_few_statements_whatever_the_number(count):
    asked = [sale(number) for number in range(count)]
    queries.closed_through()  # looked at once a second, not for each booking
    with CaptureQueriesContext(connection) as captured:
        actions.post_many(asked, at=AT)
    assert len(captured) == (2 if count == 1 else 4)


def test_no_account_has_a_row_that_sales_would_share():
    with CaptureQueriesContext(connection) as captured:
        actions.post_many([sale()], at=AT)
    assert not [query for query in captured if query["sql"].startswith("UPDATE")]


bookings = st.lists(
    st.tuples(st.sampled_from(["capture", "sale", "reverse"]), st.integers(1, 4)), max_size=20
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(bookings=bookings)
def test_any_order_of_bookings_balances(bookings):
    with transaction.atomic():
        captured, sold, reversed_ = set(), set(), set()
        for kind, number in bookings:
            if kind == "capture":
                actions.post_many([capture(number)], at=AT)
                captured.add(number)
            elif kind == "sale" and number in captured:
                actions.post_many([sale(number)], at=AT)
                sold.add(number)
            elif number in sold:
                journal = queries.journals_by_source([f"order:{number}:sale"]).popitem()[1]
                actions.reverse(journal, f"order:{number}:reversed", AT)
                reversed_.add(number)
        assert check() == []
        assert queries.balance_of(CLEARING) == 3000 * len(captured)
        assert -queries.balance_of(PREPAID) == 3000 * len((captured - sold) | reversed_)
        transaction.set_rollback(True)


def test_the_check_sees_what_the_database_cannot():
    actions.post_many([sale()], at=AT)
    found = {breach.rule for breach in check()}
    assert found == {"M5"}  # sold without being paid for: prepayments are overdrawn
    journal = Journal.objects.get()
    Transfer.objects.create(
        journal=journal,
        debit_code=CLEARING,
        credit_code=PREPAID,
        currency="CNY",
        amount_minor=3000,
    )
    assert {breach.rule for breach in check()} == {"M4"}


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 0},
        {"amount_minor": -1},
        {"debit_code": PREPAID},
        {"debit_code": "EUR:1110"},
        {"credit_code": "CNYX:2110"},
        {"currency": "EUR"},
        {"currency": ""},
        {"currency": "%"},
    ],
)
def test_the_database_refuses_impossible_transfers(change):
    row = {
        "debit_code": CLEARING,
        "credit_code": PREPAID,
        "currency": "CNY",
        "amount_minor": 5,
    } | change
    journal = actions.post_many([capture()], at=AT)[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        Transfer.objects.create(journal=journal, **row)


def test_a_transfer_belongs_to_a_journal():
    row = {"debit_code": CLEARING, "credit_code": PREPAID, "currency": "CNY", "amount_minor": 5}
    with pytest.raises(IntegrityError), transaction.atomic():
        Transfer.objects.create(journal_id=10**9, **row)
    Transfer.objects.create(journal=actions.post_many([capture()], at=AT)[0], **row)


def test_bookings_are_for_ever():
    journal = actions.post_many([capture()], at=AT)[0]
    for write in (
        lambda: Journal.objects.update(kind="other"),
        lambda: Transfer.objects.update(amount_minor=1),
        lambda: Transfer.objects.all().delete(),
        journal.save,
        journal.delete,
    ):
        with (
            pytest.raises((IntegrityError, transaction.TransactionManagementError)),
            transaction.atomic(),
        ):
            write()
    assert queries.balance_of(CLEARING) == 3000
