"""Which guest of a scene one is, without counting the whole scene for each who asks."""

from itertools import pairwise

import pytest

from diandian.kernel.memory import Memory
from diandian.orders import queries
from diandian.orders.models import Order
from tests.web.public_world import buy, order
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders(settings, tmp_path, monkeypatch):
    """Six orders of one scene, in blocks of two numbers; the second is not paid yet."""
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    monkeypatch.setattr(queries, "_BLOCK_ORDERS", 2)
    Memory.forget_everything()
    open_shop()
    scene = open_scene()
    placed = []
    for number in range(6):
        made = order(scene) if number == 1 else buy(scene)
        placed.append(made if number == 1 else queries.order_of_ref(made.order_ref))
    return placed


def places(orders):
    return [queries.place_of_ref(each.ref).number for each in orders]


def test_each_guest_has_the_number_in_which_they_came(orders):
    assert places([*orders[:1], *orders[2:]]) == [1, 2, 3, 4, 5]


def test_who_pays_late_is_counted_after_a_minute_at_the_latest(orders):
    assert places(orders[2:]) == [2, 3, 4, 5]
    Order.objects.filter(id=orders[1].id).update(state="completed")
    Memory.forget_everything()
    assert places(orders) == [1, 2, 3, 4, 5, 6]


def test_a_neighbour_is_counted_from_their_block_alone(orders, django_assert_num_queries):
    # Any two numbers of a block: the second asks for no more than the rows of the block.
    first, second = next(pair for pair in pairwise(orders[2:]) if pair[0].id % 2 == 0)
    places([first])
    with django_assert_num_queries(1) as asked:
        places([second])
    assert f"earlier.id > {second.id - 1}" in asked[0]["sql"]


def test_who_bought_without_a_scene_has_no_place(orders):
    Order.objects.filter(id=orders[0].id).update(scene=None)
    assert queries.place_of_ref(orders[0].ref) is None
    assert queries.place_of_ref("order:999999999") is None
    assert queries.place_of_ref("cover:1") is None
