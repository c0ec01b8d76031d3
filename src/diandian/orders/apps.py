"""Makes the room a Django app."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """The room ``orders``."""

    name = "diandian.orders"
    label = "orders"
