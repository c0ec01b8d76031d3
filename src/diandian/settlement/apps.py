"""Makes the room a Django app."""

from django.apps import AppConfig


class SettlementConfig(AppConfig):
    """The room ``settlement``."""

    name = "diandian.settlement"
    label = "settlement"
