"""What the tests of money look at: the accounts, and whether an order ended whole, once."""

from contextlib import contextmanager

import pytest

from diandian.flows import expiry
from diandian.ledger import chart
from diandian.ledger.models import Journal
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Unknown
from diandian.registry.models import Retirement

CLEARING = chart.gateway_clearing("CNY", "sandbox", "demo")
PREPAID = chart.customer_prepayments("CNY")
IN_TRANSIT = chart.refunds_in_transit("CNY")
UNALLOCATED = chart.unallocated("CNY")
PAST_GRACE = {"minutes": 21}


def books(world):
    return {code: world.balance(code) for code in (CLEARING, PREPAID, IN_TRANSIT, UNALLOCATED)}


NOTHING = dict.fromkeys((CLEARING, PREPAID, IN_TRANSIT, UNALLOCATED), 0)


def journals(order, kind):
    return Journal.objects.filter(owner_ref=order.ref, kind=kind).count()


def assert_completed_once(world, order):
    assert world.state(order) == "completed"
    assert Retirement.objects.filter(source_ref=f"{order.ref}:retirement").count() == 1
    assert (journals(order, "capture"), journals(order, "sale")) == (1, 1)
    assert world.stock().retired_g == order.mass_g
    assert world.stock().held_g == 0
    assert books(world) == NOTHING | {CLEARING: order.quote.total_minor}


def given_up(world, order, **past):
    """Let the order's time run out, and the worker release it."""
    assert expiry.release_expired(at=world.later(**past or PAST_GRACE)) == 1
    assert world.state(order) == "expired"


@contextmanager
def creation_times_out(*, really):
    """Let the gateway's answer to a creation get lost, after it did it or before."""
    create = SandboxGateway.create_payment

    def timeout(self, context, request, *, at):
        if really:
            create(self, context, request, at=at)
        return Unknown("timeout")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SandboxGateway, "create_payment", timeout)
        yield
