"""Makes the room a Django app."""

from django.apps import AppConfig


class OfficeConfig(AppConfig):
    """The room ``office``."""

    name = "diandian.office"
    label = "office"
