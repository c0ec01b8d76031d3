"""Makes the room a Django app."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """The room ``payments``."""

    name = "diandian.payments"
    label = "payments"
