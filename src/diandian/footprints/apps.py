"""Makes the room a Django app."""

from django.apps import AppConfig


class FootprintsConfig(AppConfig):
    """The room ``footprints``."""

    name = "diandian.footprints"
    label = "footprints"
