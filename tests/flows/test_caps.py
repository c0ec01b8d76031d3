"""Nobody empties a project by ordering alone; nobody waits behind payments without an answer."""

import pytest

from diandian.flows import checkout, expiry
from diandian.orders import rules
from diandian.orders.errors import HeldUnpaidError, TooManyUnpaidError
from diandian.orders.models import Order
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Unknown
from tests.flows.books import PAST_GRACE
from tests.flows.conftest import make_project

pytestmark = pytest.mark.django_db


def place(world, mass_g=1000, **facts):
    quote = world.quote(mass_g)
    return checkout.place_order(
        quote_token=quote.token,
        beneficiary_name="",
        on_board=False,
        language="en",
        at=world.now,
        **facts,
    )


# -- one device --------------------------------------------------------------------------------


def test_a_device_has_at_most_five_unpaid_orders(world):
    orders = [place(world, guest_key="lin") for _ in range(5)]
    with pytest.raises(TooManyUnpaidError) as refused:
        place(world, guest_key="lin")
    assert "5 orders that are not paid" in refused.value.text()
    assert Order.objects.count() == 5
    assert world.stock().held_g == 5000, "a refused order holds nothing"
    place(world, guest_key="somebody else")
    world.pay(orders[0])
    expiry.cancel_order(orders[1], at=world.now)
    for _ in range(2):
        place(world, guest_key="lin")
    with pytest.raises(TooManyUnpaidError):
        place(world, guest_key="lin")


def test_the_same_order_asked_again_is_no_further_one(world, settings):
    settings.UNPAID_ORDERS_PER_GUEST = 1
    quote = world.quote(1000)
    wish = {
        "quote_token": quote.token,
        "beneficiary_name": "",
        "on_board": False,
        "language": "en",
        "guest_key": "lin",
        "at": world.now,
    }
    first = checkout.place_order(**wish)
    assert checkout.place_order(**wish) == first
    with pytest.raises(TooManyUnpaidError):
        place(world, guest_key="lin")


def test_programs_without_a_key_are_not_counted_together(world):
    assert len([place(world) for _ in range(7)]) == 7


# -- large orders ------------------------------------------------------------------------------


@pytest.fixture
def forest(world):
    """Ten tonnes."""
    world.project = make_project("sample-forest", tonnes=10)
    return world


TONNE = 1_000_000


def test_large_orders_hold_unpaid_at_most_half(forest):
    large = place(forest, 5 * TONNE)
    for mass_g in (TONNE + 1000, 3 * TONNE):
        with pytest.raises(HeldUnpaidError) as refused:
            place(forest, mass_g)
    assert "at most 1000 kg" in refused.value.text()
    assert forest.stock().held_g == 5 * TONNE
    for _ in range(5):
        place(forest, TONNE), "guests are never turned away by it"
    assert forest.stock().available_g == 0
    assert forest.pay(large) == "completed"


def test_what_is_paid_no_longer_counts(forest):
    with pytest.raises(HeldUnpaidError) as refused:
        place(forest, 8 * TONNE)
    assert "at most 5000 kg" in refused.value.text()
    assert forest.stock().held_g == 0
    assert forest.pay(place(forest, 5 * TONNE)) == "completed"
    with pytest.raises(HeldUnpaidError):
        place(forest, 3 * TONNE)
    assert forest.pay(place(forest, 5 * TONNE // 2)) == "completed"
    assert forest.stock().retired_g == 7 * TONNE + TONNE // 2


def test_the_operators_own_sale_may_take_all(forest):
    assert forest.pay(place(forest, 10 * TONNE, is_vouched_for=True)) == "completed"
    assert forest.stock().available_g == 0


def test_the_named_limit_is_what_is_taken(forest):
    place(forest, 3 * TONNE)
    limit_g = rules.large_limit_g(free_g=7 * TONNE, large_unpaid_g=3 * TONNE)
    assert limit_g == 2 * TONNE
    with pytest.raises(HeldUnpaidError):
        place(forest, limit_g + 1000)
    place(forest, limit_g)


# -- everybody has a turn ----------------------------------------------------------------------


@pytest.fixture
def silent(monkeypatch):
    """Let the gateway say nothing about some payments, or break."""

    def about(numbers, answer):
        close = SandboxGateway.close_payment

        def answers(self, context, payment_no, *, at):
            if payment_no in numbers:
                return answer()
            return close(self, context, payment_no, at=at)

        monkeypatch.setattr(SandboxGateway, "close_payment", answers)

    return about


def test_payments_without_an_answer_starve_nobody(world, silent):
    stuck = [world.order(1000) for _ in range(4)]
    behind = [world.order(1000) for _ in range(3)]
    silent({world.payment(order).payment_no for order in stuck}, lambda: Unknown("timeout"))
    rounds = [expiry.release_expired(4, at=world.later(minutes=21 + n)) for n in range(3)]
    assert rounds == [0, 3, 0]
    assert {world.state(order) for order in behind} == {"expired"}
    assert {world.state(order) for order in stuck} == {"awaiting_payment"}
    assert world.stock().held_g == 4000


def test_one_order_that_breaks_stops_no_other(world, monkeypatch):
    broken, other = world.order(1000), world.order(1000)
    expire = expiry._expire

    def breaks(order, at, *to):
        if order.id == broken.id:
            raise KeyError("a fault of ours")
        return expire(order, at, *to)

    monkeypatch.setattr(expiry, "_expire", breaks)
    assert expiry.release_expired(at=world.later(**PAST_GRACE)) == 1
    assert (world.state(broken), world.state(other)) == ("awaiting_payment", "expired")
