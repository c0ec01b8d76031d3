"""What most guests of a scene paid: one currency, the middle of it, and nothing from too few."""

from datetime import timedelta

import pytest

from diandian.kernel.clock import now
from diandian.kernel.money import Money
from diandian.orders import queries
from diandian.orders.models import Offer, Order, OrderState, Quote
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    open_shop()
    return open_scene()


def paid(scene, total_minor, currency="CNY", state=OrderState.COMPLETED):
    offer, number = Offer.objects.first(), Order.objects.count()
    quote = Quote.objects.create(
        token=f"quote-{number}",
        offer=offer,
        scene=scene,
        mass_g=1000,
        currency=currency,
        supplier_minor=total_minor,
        fee_minor=0,
        total_minor=total_minor,
        created_at=now(),
        expires_at=now() + timedelta(hours=1),
    )
    Order.objects.create(
        token=f"order-{number}",
        quote=quote,
        scene=scene,
        project=offer.project,
        mass_g=1000,
        state=state,
        language="en",
        body_sha256="0" * 64,
        created_at=now(),
    )


def test_the_middle_of_what_was_paid(scene):
    for total_minor in range(100, 120):
        paid(scene, total_minor)
    assert queries.typical_price(scene) == (Money(102, "CNY"), Money(117, "CNY"))


def test_currencies_are_never_mixed(scene):
    for total_minor in range(100, 120):
        paid(scene, total_minor)
    for total_minor in range(10, 25):
        paid(scene, total_minor, "EUR")
    assert queries.typical_price(scene) == (Money(102, "CNY"), Money(117, "CNY"))


def test_too_few_of_each_currency_say_nothing(scene):
    for total_minor in range(100, 115):
        paid(scene, total_minor)
        paid(scene, total_minor, "EUR")
    assert queries.typical_price(scene) is None


def test_orders_without_an_end_do_not_count(scene):
    for total_minor in range(100, 120):
        paid(scene, total_minor, state=OrderState.EXPIRED)
    assert queries.typical_price(scene) is None
