"""Makes the room a Django app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The room ``audit``."""

    name = "diandian.audit"
    label = "audit"
