"""A breach stops all sales: nothing new is sold, what is paid is kept, and an operator reopens."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from diandian.audit import queries as audit
from diandian.flows import checkout, close, fulfil, sales
from diandian.flows.quote import open_quote
from diandian.kernel.memory import Memory
from diandian.ledger.models import ClosedDay, SalesSwitch
from diandian.orders.errors import SalesPausedError
from diandian.registry.models import Lane

pytestmark = pytest.mark.django_db

ACTOR = "operator:Wang"


@pytest.fixture
def broken(world):
    """Bought and unpaid orders, then a lane that counts a gram too few as held."""
    paid, open_ = world.order(), world.order(2000)
    quote = world.quote(3000)
    Lane.objects.update(held_g=Lane.objects.get().held_g - 1)
    yield paid, open_, quote
    Memory.forget_everything()


def mend():
    lane = Lane.objects.get()
    Lane.objects.update(held_g=lane.held_g + 1)


def test_a_breach_stops_quotes_orders_and_new_payments(world, broken, caplog):
    _, open_, quote = broken
    closing = close.close(actor=ACTOR, at=world.later(days=1))
    assert not closing.holds
    assert not ClosedDay.objects.exists()
    assert "R6" in SalesSwitch.objects.get().breaches[0]
    assert "sales are stopped, the books do not hold: R6" in caplog.text
    [entry] = audit.trail("sales")
    assert (entry.action, entry.actor_ref) == ("sales.stopped", ACTOR)
    for sell in (
        world.quote,
        lambda: open_quote(project_code=world.project.code, mass_g=1000, at=world.now),
        lambda: checkout.place_order(
            quote_token=quote.token, beneficiary_name="", on_board=False, language="en"
        ),
        lambda: checkout.retry_payment(open_, at=world.now),
    ):
        with pytest.raises(SalesPausedError) as refused:
            sell()
        assert "Nothing was charged." in refused.value.text()
    mend()


def test_what_is_paid_meanwhile_is_kept_and_fulfilled_after(world, broken):
    paid, *_ = broken
    close.close(actor=ACTOR, at=world.now)
    assert world.pay(paid) == "paid"
    assert fulfil.drain(at=world.now) == 0
    assert not fulfil.fulfil_order(paid.id, at=world.now)
    assert world.state(paid) == "paid"
    assert world.stock().retired_g == 0
    mend()
    closing = close.reopen(actor=ACTOR, reason="counted by hand", at=world.now)
    assert closing.holds
    assert fulfil.drain(at=world.now) == 1
    assert world.state(paid) == "completed"


def test_sales_stay_stopped_while_the_breach_is_there(world, broken):
    close.close(actor=ACTOR, at=world.now)
    assert not close.reopen(actor=ACTOR, reason="hope", at=world.now).holds
    assert sales.are_stopped()
    assert SalesSwitch.objects.count() == 1
    mend()
    # Mended, but nobody has said so: sales do not come back by themselves.
    assert close.close(actor=ACTOR, at=world.now).holds
    assert sales.are_stopped()
    assert close.close_due(at=world.later(days=1)) == 0
    for _ in range(2):
        close.reopen(actor=ACTOR, reason="mended", at=world.now)
    assert not sales.are_stopped()
    assert [row.is_open for row in SalesSwitch.objects.all()] == [False, True]


def test_the_command_reopens_with_a_name_and_a_reason(world, broken):
    with pytest.raises(CommandError, match="stopped"):
        call_command("close", "--as", "Wang", stdout=StringIO())
    with pytest.raises(CommandError, match="--reason"):
        call_command("close", "--reopen", "--as", "Wang", stdout=StringIO())
    with pytest.raises(CommandError, match="stay stopped"):
        call_command("close", "--reopen", "--as", "Wang", "--reason", "x", stdout=StringIO())
    mend()
    out = StringIO()
    call_command("close", "--reopen", "--as", "Wang", "--reason", "mended", stdout=out)
    assert "Sales are open." in out.getvalue()
    assert audit.trail("sales")[-1].details["reason"] == "mended"


def test_sales_that_were_never_stopped_need_no_reopening(world):
    out = StringIO()
    call_command("close", "--reopen", "--as", "Wang", "--reason", "why not", stdout=out)
    assert "Sales are open." in out.getvalue()
    assert not SalesSwitch.objects.exists()
