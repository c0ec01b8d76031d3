"""Makes the room a Django app."""

from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    """The room ``reconciliation``."""

    name = "diandian.reconciliation"
    label = "reconciliation"
