"""Makes the room a Django app."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The room ``api``."""

    name = "diandian.api"
    label = "api"
