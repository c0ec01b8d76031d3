"""A draft that takes up what came since, while another person locks it: one of them goes first."""

import threading

import pytest
from django.db import connections

from diandian.flows import payouts
from diandian.settlement.models import Batch
from tests.flows.conftest import clock, world  # noqa: F401 - fixtures
from tests.flows.settling import (
    AFTER,
    SUPPLIER,
    bank_payee,
    house_breaches,
    line_of,
    merchant_file,
    retired,
    settle,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.concurrency,
    pytest.mark.usefixtures("statements_agree"),
]
FACTS = {"supplier_ref": SUPPLIER, "currency": "CNY", "rail": "bank"}


def test_what_comes_while_a_payout_is_locked_is_not_in_it(
    world,  # noqa: F811
    settings,
    tmp_path,
    monkeypatch,
):
    """The other draft begins once the lock has read its lines, and must not slip in."""
    merchant_file(tmp_path, settings, settlement="principal")
    settings.PAYOUT_MINIMUM_MINOR = 100
    at = world.later(**AFTER)
    bank_payee(world.now)
    first = retired(world)
    settle(world, **AFTER)
    batch = payouts.draft(**FACTS, actor_ref="ann", at=at)
    late = retired(world, name="Wu")
    settle(world, **AFTER)
    made, raised = payouts.statements.of_batch, []

    def draft():
        try:
            payouts.draft(**FACTS, actor_ref="kim", at=at)
        except Exception as error:  # noqa: BLE001 - told to the test
            raised.append(error)
        finally:
            connections.close_all()

    other = threading.Thread(target=draft)

    def meanwhile(*args, **kwargs):
        other.start()
        # Where nothing holds it, it is done long before; where the lock does, it waits on.
        other.join(2)
        return made(*args, **kwargs)

    monkeypatch.setattr(payouts.statements, "of_batch", meanwhile)
    payouts.lock(batch, actor_ref="ann", at=at)
    other.join(60)
    assert raised == []
    batch.refresh_from_db()
    assert (batch.state, batch.net_minor) == ("locked", 744)
    assert [line.owner_ref for line in batch.lines.all()] == [first.ref]
    [draft_of_rest] = Batch.objects.filter(state="draft")
    assert (draft_of_rest.net_minor, line_of(late).batch_id) == (744, draft_of_rest.id)
    assert house_breaches() == []
