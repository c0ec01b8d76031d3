"""Makes the room a Django app."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    """The room ``ui``."""

    name = "diandian.ui"
    label = "ui"
