"""A small world: a project with credits on sale, a sandbox bank, and shorthand for a guest."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
import time_machine
from django.db import transaction

from diandian.flows import checkout, log_check, log_fill, payment_events
from diandian.flows.quote import open_quote
from diandian.ledger import invariants as ledger_invariants
from diandian.ledger import queries as ledger
from diandian.orders import actions as order_actions
from diandian.orders import queries as orders
from diandian.orders.models import Order
from diandian.payments import invariants as payment_invariants
from diandian.payments.gateways.sandbox.gateway import peer_of
from diandian.payments.gateways.sandbox.peer import Peer
from diandian.payments.merchants import context_for
from diandian.payments.models import Payment
from diandian.registry import actions as registry_actions
from diandian.registry import invariants as registry_invariants
from diandian.registry import queries as registry

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def texts(text):
    return {"zh-Hans": text, "en": text, "nl": text}


def make_project(code="sample-solar", tonnes=1):
    programme = registry_actions.create_programme(
        code="TEST", names=texts("Test programme"), level="national", is_simulated=True
    )
    project = registry_actions.create_project(
        programme=programme,
        code=code,
        names=texts(code),
        category_names=texts("Solar"),
        place_names=texts("Sichuan"),
        descriptions=texts("Sample"),
        supplier_names=texts("Supplier"),
        supplier_ref=f"supplier-{code}",
        kind="solar",
        methodology_code="M-1",
        country="CN",
        region="CN-SC",
        latitude=Decimal("30.5"),
        longitude=Decimal("104.1"),
    )
    registry_actions.issue(
        project=project,
        serial_text=f"{code.upper()}-1~{code.upper()}-{tonnes}",
        vintage_year=2025,
        period_start=date(2025, 1, 1),
        period_end=date(2025, 12, 31),
        custody="native",
        verified_by="Verifier",
        verified_on=date(2026, 1, 31),
        source_ref=f"test:{code}",
    )
    log_fill.fill()
    order_actions.set_offer(
        project=project,
        currency="CNY",
        price_per_tonne_minor=6000,
        fee_basis_points=700,
        fee_minimum_minor=60,
        position=0,
        at=NOW,
    )
    return project


@dataclass
class World:
    """What the tests of money do and look at."""

    project: object
    peer: Peer
    now: datetime = NOW

    def quote(self, mass_g=124_000, **facts):
        return open_quote(project_code=self.project.code, mass_g=mass_g, at=self.now, **facts)

    def order(self, mass_g=124_000, *, name="Lin", at=None, is_vouched_for=False, **facts):
        """Place an order: grams held, payment started; vouched for, no cap meets it."""
        quote = self.quote(mass_g, **facts)
        return checkout.place_order(
            quote_token=quote.token,
            beneficiary_name=name,
            on_board=False,
            language="en",
            is_vouched_for=is_vouched_for,
            at=at or self.now,
        )

    def payment(self, order):
        return orders.latest_payment(order)

    def token(self, payment):
        return payment.instruction["url"].rpartition("/")[2]

    def choose(self, payment, choice="paid", at=None):
        """Let the guest choose on the sandbox's page; return the notices, not delivered yet."""
        return self.peer.decide(self.token(payment), choice, at or self.now)

    def deliver(self, notice, at=None):
        return payment_events.receive_notice(
            "sandbox", notice.headers, notice.body, at=at or self.now
        )

    def pay(self, order, choice="paid", at=None):
        acks = [self.deliver(notice, at) for notice in self.choose(self.payment(order), choice, at)]
        assert all(ack.status == 200 for ack in acks)
        return self.state(order)

    def state(self, order):
        return Order.objects.get(id=order.id).state

    def stock(self):
        return SimpleNamespace(**registry.stock(self.project))

    def balance(self, code):
        return ledger.balance_of(code)

    def later(self, **delta):
        return self.now + timedelta(**delta)


def breaches():
    return [
        *payment_invariants.check(),
        *ledger_invariants.check(),
        *registry_invariants.check(),
        *log_check.check(),
    ]


@pytest.fixture(autouse=True)
def clock():
    """Stand in the world's time; what a test hands over as ``at`` goes before it."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world(db, settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.KEYS_DIR = tmp_path / "keys"
    made = World(make_project(), peer_of(context_for("sandbox")))
    yield made
    made.peer.hang_up()
    # Whatever a test did, the books are whole after it.
    assert breaches() == []


@pytest.fixture
def undone(world):
    """Take back what a test does to rows, before the books are looked at."""
    before = transaction.savepoint()
    yield
    transaction.savepoint_rollback(before)


@pytest.fixture
def crash(monkeypatch):
    """Let something fail as often as it is called, until mended."""

    def install(owner, name, error=RuntimeError):
        def broken(*args, **kwargs):
            raise error("crash")

        monkeypatch.setattr(owner, name, broken)
        return monkeypatch.undo

    return install


@pytest.fixture
def odd(world, settings):
    """Let a guest pay what was not agreed: the bank believes something else."""

    def pay(order, column="amount_minor", value=None, *, choice="silent"):
        payment = world.payment(order)
        world.choose(payment, choice)
        value = payment.amount_minor - 1 if value is None else value
        change = f"UPDATE trade SET {column} = ? WHERE payment_no = ?"  # noqa: S608
        with sqlite3.connect(settings.SANDBOX_STORE) as bank:
            bank.execute(change, (value, payment.payment_no))
        bank.close()
        payment_events.refresh(payment.payment_no, at=world.now)
        return Payment.objects.get(id=payment.id)

    return pay
