"""Checkpoint and rest are the whole, whatever was booked on which day and closed in between."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diandian.kernel.memory import Memory
from diandian.kernel.money import Money
from diandian.ledger import actions, chart, queries, rules
from diandian.ledger.days import actions as days
from diandian.ledger.invariants import check
from diandian.ledger.models import ClosedDay

pytestmark = pytest.mark.django_db
FIRST = date(2026, 3, 1)
NOTHING = (0, "0" * 64)


def instant(day):
    return datetime(2026, 3, 1, 4, tzinfo=UTC) + timedelta(days=day)


def lines(kind, amount_minor, currency):
    amount = Money(amount_minor, currency)
    if kind == "capture":
        return rules.build_capture(amount, gateway="sandbox", merchant="demo")
    return rules.build_completion(amount, supplier_ref=kind)


def close(day):
    newest = queries.newest_closed()
    first_day = newest.day + timedelta(days=1) if newest else FIRST
    days.hold_still(first_day, day)
    return days.close_day(
        first_day=first_day,
        day=day,
        totals={},
        retirements=NOTHING,
        closed_by="platform",
        at=instant(0),
    )


steps = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["capture", "solar", "forest"]),
            st.integers(1, 10**12),
            st.sampled_from(["CNY", "EUR"]),
        ),
        st.integers(1, 3),
    ),
    max_size=25,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps)
def test_checkpoint_and_rest_equal_the_full_sum(steps):
    """A tuple books on the open day; a number closes it and goes on that many days later."""
    with transaction.atomic():
        Memory.forget_everything()
        today = 0
        for number, step in enumerate(steps):
            if isinstance(step, int):
                close(FIRST + timedelta(days=today))
                today += step
                queries.closed_through.forget()
                continue
            kind, amount_minor, currency = step
            actions.post(
                kind=kind,
                source_ref=f"s:{number}",
                owner_ref="o",
                lines=lines(kind, amount_minor, currency),
                at=instant(today),
            )
        whole = queries.moved_until()
        parts = [row for each in ("CNY", "EUR") for row in queries.moved(each)]
        assert {(row.debit_code, row.credit_code): row.amount_minor for row in parts} == whole
        assert queries.currencies() == sorted({chart.currency_of(debit) for debit, _ in whole})
        for code in {code for pair in whole for code in pair}:
            assert queries.balance_of(code) == sum(
                amount * ((pair[0] == code) - (pair[1] == code)) for pair, amount in whole.items()
            )
        assert check() == []
        transaction.set_rollback(True)
    Memory.forget_everything()


def test_the_chain_has_no_gap_and_no_fork():
    close(FIRST)
    with pytest.raises(AssertionError, match="no day is left out"):
        days.close_day(
            first_day=FIRST + timedelta(days=2),
            day=FIRST + timedelta(days=2),
            totals={},
            retirements=NOTHING,
            closed_by="platform",
            at=instant(0),
        )
    assert ClosedDay.objects.count() == 1
