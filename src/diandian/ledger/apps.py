"""Makes the room a Django app."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """The room ``ledger``."""

    name = "diandian.ledger"
    label = "ledger"
