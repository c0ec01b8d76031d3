"""Whatever statement fails on the way of a supplier's part, it is paid once and booked once."""

import pytest
from django.db import DatabaseError, connection

from diandian.flows import accruing, settling
from diandian.ledger import chart
from diandian.ledger.models import Journal
from diandian.settlement.models import Line, Split
from tests.flows.settling import SUPPLIER, house_breaches, payee, retired

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("statements_agree")]
PAYABLE = chart.supplier_payable("CNY", SUPPLIER)


class PowerCutError(DatabaseError):
    """The database is gone, just now."""


class Cut:
    """Lets the n-th statement from now on fail, and every one after it."""

    def __init__(self, nth):
        self.left = nth
        self.was_reached = False

    def __call__(self, execute, sql, params, many, context):
        self.left -= 1
        if self.left < 0:
            self.was_reached = True
            raise PowerCutError
        return execute(sql, params, many, context)


def go(world, nth=None, *, days=8):
    """Accrue and settle; the n-th statement fails. Tells whether so many were run."""
    cut = Cut(10**9 if nth is None else nth)
    try:
        with connection.execute_wrapper(cut):
            accruing.accrue(at=world.later(days=days))
            settling.settle(at=world.later(days=days))
    except PowerCutError:
        pass
    return cut.was_reached


@pytest.mark.slow
def test_a_power_cut_at_any_statement_pays_once(world):
    payee(at=world.now)
    nth, reached = 0, True
    while reached:
        order = retired(world, 20_000, name=f"Guest {nth}")
        reached = go(world, nth)
        # Hours later somebody starts the worker again; twice, to be sure.
        for days in (9, 10):
            go(world, days=days)
        line = Line.objects.get(owner_ref=order.ref)
        assert line.state == "paid", nth
        assert Split.objects.filter(line=line).count() == 1, nth
        nth += 1
    assert nth > 10, "the way has some statements"
    legs = world.peer.run("SELECT count(*), sum(amount_minor) FROM leg", ())
    assert legs == [(nth, nth * 120)]
    assert Journal.objects.filter(kind="transfer").count() == nth
    assert world.balance(PAYABLE) == 0
    assert house_breaches() == []
