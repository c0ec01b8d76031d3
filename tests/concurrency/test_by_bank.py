"""The worker comes while the desk lets a part go by bank: it is paid once, whoever is first."""

import threading

import pytest
from django.db import connections

from diandian.flows import by_bank, settling
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Rejected
from diandian.settlement.lines import actions as line_actions
from tests.flows.conftest import clock, world  # noqa: F401 - fixtures
from tests.flows.settling import bank_payee, house_breaches, line_of, payee, retired, settle

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.concurrency,
    pytest.mark.usefixtures("statements_agree"),
]


def test_a_worker_that_comes_while_the_desk_writes_sends_nothing(world, monkeypatch):  # noqa: F811
    payee(at=world.now)
    bank_payee(world.now)
    order = retired(world)
    with monkeypatch.context() as patch:
        later = Rejected("balance", "", retryable=True)
        patch.setattr(SandboxGateway, "split", lambda *_, **__: later)
        for days in range(8, 20):
            settle(world, days=days)
    leave, raised = line_actions.leave_gateway, []

    def work():
        try:
            settling.settle(at=world.later(days=20))
        except Exception as error:  # noqa: BLE001 - told to the test
            raised.append(error)
        finally:
            world.peer.hang_up()
            connections.close_all()

    worker = threading.Thread(target=work)

    def meanwhile(*args, **facts):
        left = leave(*args, **facts)
        worker.start()
        # Where nothing holds it, it has sent the part long before; where the lock does, it waits.
        worker.join(2)
        return left

    monkeypatch.setattr(line_actions, "leave_gateway", meanwhile)
    by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=20))
    worker.join(60)
    assert raised == []
    assert world.peer.run("SELECT * FROM leg", ()) == []
    assert (line_of(order).state, line_of(order).rail) == ("due", "bank")
    assert [split.state for split in line_of(order).splits.all()] == ["failed"]
    assert house_breaches() == []
