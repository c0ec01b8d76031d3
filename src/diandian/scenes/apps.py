"""Makes the room a Django app."""

from django.apps import AppConfig


class ScenesConfig(AppConfig):
    """The room ``scenes``."""

    name = "diandian.scenes"
    label = "scenes"
