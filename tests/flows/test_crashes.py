"""The process dies at any statement of a purchase: after a restart everything happened once.

A crash is an error that no handler may catch, thrown before a chosen statement or around a chosen
commit. Then the guest tries again, notices come again, the worker runs; the books must be whole.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest

from diandian.certificates.models import Certificate
from diandian.flows import checkout, expiry, fulfil, payment_events, refund
from diandian.flows.quote import open_quote
from diandian.kernel.errors import DiandianError
from diandian.ledger.models import Journal
from diandian.orders.models import Intake, Order
from diandian.payments.models import Payment
from diandian.registry.models import Allocation, Retirement
from tests.flows.conftest import breaches
from tests.simulator.crash import Crash, crash_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MASS_G = 1_000


@dataclass
class Guest:
    """A person who goes on after every crash with what the browser still shows."""

    world: object
    key: str
    outcome: str = "paid"
    quote: str = ""
    has_chosen: bool = False
    notices: list = field(default_factory=list)

    def go_on(self):
        world = self.world
        if not self.quote:
            self.quote = open_quote(
                project_code=world.project.code, mass_g=MASS_G, at=world.now
            ).token
        order = checkout.place_order(
            quote_token=self.quote,
            beneficiary_name="Lin",
            on_board=False,
            language="en",
            idempotency_key=self.key,
            at=world.now,
        )
        payment = world.payment(order)
        if not payment.instruction:
            payment = checkout.retry_payment(order, at=world.now)
        if not self.has_chosen:
            self.notices = list(world.choose(payment, self.outcome))
            self.has_chosen = True
        for notice in self.notices:
            world.deliver(notice)

    def order(self):
        return Order.objects.filter(idempotency_key=self.key).first()


def restart(world, *, rounds=3):
    """Come back after a crash: the worker's rounds as time goes by."""
    for turn in range(1, rounds + 1):
        at = world.later(minutes=2 * turn)
        payment_events.retry_notices(at=at)
        payment_events.poll_due(at=at)
        fulfil.drain(at=at)
        refund.continue_refunds(at=at)


def assert_whole(order):
    """One capture, one sale, one retirement, one certificate; grams and money as quoted."""
    assert order.state == "completed"
    assert Payment.objects.filter(owner_ref=order.ref, state="succeeded").count() == 1
    kinds = Journal.objects.filter(owner_ref=order.ref).values_list("kind", flat=True)
    assert sorted(kinds) == ["capture", "sale"]
    for journal in Journal.objects.filter(owner_ref=order.ref):
        moved = sum(journal.transfers.values_list("amount_minor", flat=True))
        assert moved == order.quote.total_minor
    retirement = Retirement.objects.get(source_ref=f"{order.ref}:retirement")
    assert retirement.mass_g == order.mass_g == MASS_G
    spans = Allocation.objects.filter(retirement=retirement)
    assert sum(span.end_g - span.start_g for span in spans) == MASS_G
    assert Certificate.objects.get(retirement=retirement).order_ref == order.ref
    assert Intake.objects.get(order=order).state == "done"


def test_a_crash_at_every_statement_of_a_purchase(world):
    moment = 0
    while True:
        moment += 1
        guest = Guest(world, key=f"moment-{moment}")
        try:
            with crash_at(moment):
                guest.go_on()
        except Crash:
            restart(world)
            guest.go_on()
        else:
            assert_whole(guest.order())
            break
        restart(world)
        assert_whole(guest.order())
        assert breaches() == [], f"after a crash at moment {moment}"
    assert moment > 30, "a purchase has many moments"
    assert world.stock().retired_g == moment * MASS_G
    assert world.stock().held_g == 0


@pytest.mark.parametrize("seed", range(8))
def test_guests_crashes_and_repeats_in_any_order(world, seed):
    """Several guests, some of whom decline or never finish, with crashes and repeated notices."""
    random = Random(seed)
    outcomes = ["paid", "paid", "twice", "silent", "declined"]
    guests = [Guest(world, key=f"{seed}-{n}", outcome=random.choice(outcomes)) for n in range(6)]
    for _ in range(30):
        guest = random.choice(guests)
        try:
            with crash_at(random.randint(1, 120)):
                random.choice(
                    [
                        guest.go_on,
                        lambda: fulfil.drain(at=world.now),
                        lambda: payment_events.poll_due(at=world.later(seconds=30)),
                    ]
                )()
        except (Crash, DiandianError):
            pass
        assert breaches() == []
    restart(world, rounds=4)
    expiry.release_expired(at=world.now + timedelta(minutes=21))
    assert breaches() == []
    retired_g = 0
    for guest in guests:
        order = guest.order()
        if order is None:
            continue
        if guest.outcome == "declined" or not guest.has_chosen:
            assert order.state == "expired"
            assert not Retirement.objects.filter(source_ref=f"{order.ref}:retirement").exists()
            continue
        assert_whole(order)
        retired_g += MASS_G
    assert world.stock().retired_g == retired_g
    assert world.stock().held_g == 0
