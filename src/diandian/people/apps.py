"""Makes the room a Django app."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """The room ``people``."""

    name = "diandian.people"
    label = "people"
