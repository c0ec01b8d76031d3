"""A long day: thousands of lines are matched in few statements to the database."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from diandian.payments.models import Payment, PaymentState
from diandian.reconciliation.models import DayState, MatchItem
from tests.flows.statements import the_day, told, turn

pytestmark = pytest.mark.django_db


def many(world, count):
    """Let a day have many payments, on both sides, beside one that was really bought."""
    world.pay(world.order())
    payment = Payment.objects.get(state=PaymentState.SUCCEEDED)
    Payment.objects.bulk_create(
        [
            Payment(
                payment_no=f"DD261122MANY{number:08}",
                owner_ref=f"order:many-{number}",
                gateway=payment.gateway,
                merchant=payment.merchant,
                amount_minor=1000 + number,
                currency="CNY",
                state=PaymentState.SUCCEEDED,
                gateway_ref=f"many-{number}",
                created_at=world.now,
                expires_at=world.now + timedelta(minutes=10),
                paid_at=world.now,
            )
            for number in range(count)
        ],
        batch_size=500,
    )

    def more(lines):
        by_kind = {line.kind: line for line in lines}
        for number in range(count):
            gross = 1000 + number
            fee = (gross * 60 + 5000) // 10_000
            same = {"our_no": f"DD261122MANY{number:08}", "gateway_ref": f"many-{number}"}
            paid = replace(by_kind["payment"], **same, gross_minor=gross)
            if "fee" in by_kind:
                lines.append(replace(paid, fee_minor=0, net_minor=gross))
                lines.append(replace(by_kind["fee"], **same, gross_minor=-fee, net_minor=-fee))
            else:
                lines.append(replace(paid, fee_minor=fee, net_minor=gross - fee))
        return lines

    return more


def test_statements_grow_slower_than_lines(world):
    with (
        told(many(world, 1200)),
        CaptureQueriesContext(
            connection,
        ) as asked,
    ):
        turn()
    assert the_day().state == DayState.CLOSED
    assert MatchItem.objects.count() == 3 * 1201
    assert len(asked) < 400
