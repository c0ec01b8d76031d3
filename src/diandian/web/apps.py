"""Makes the room a Django app."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The room ``web``."""

    name = "diandian.web"
    label = "web"
