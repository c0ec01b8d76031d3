"""Makes the room a Django app."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The room ``jobs``."""

    name = "diandian.jobs"
    label = "jobs"
