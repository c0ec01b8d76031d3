"""The word that chooses what an order's page says, where money and state seem to disagree."""

import pytest

from diandian.orders.models import Order
from diandian.payments.models import Payment
from diandian.web.orders import standing


@pytest.mark.parametrize(
    ("state", "payments", "said"),
    [
        ("expired", [("closed", 0)], "expired"),
        ("cancelled", [("closed", 0)], "cancelled"),
        # "Nothing was charged" would be untrue.
        ("expired", [("closed", 0), ("succeeded", 0)], "review"),
        ("cancelled", [("succeeded", 0)], "review"),
        ("expired", [("succeeded", 803)], "unfulfillable"),
        ("expired", [("succeeded", 803), ("succeeded", 0)], "review"),
        # "The whole amount" would be untrue.
        ("expired", [("succeeded", 300)], "review"),
        ("review", [("succeeded", 0)], "review"),
        ("completed", [("succeeded", 0), ("succeeded", 0)], "completed"),
    ],
)
def test_an_order_that_ended_says_so_only_when_nothing_was_charged(state, payments, said):
    agreed = {"amount_minor": 803, "currency": "CNY"}
    made = [Payment(state=each, refunded_minor=minor, **agreed) for each, minor in payments]
    assert standing(Order(state=state), made) == said
