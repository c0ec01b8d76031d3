"""Makes the room a Django app."""

from django.apps import AppConfig


class TransparencyConfig(AppConfig):
    """The room ``transparency``: the public log of every change of the grams."""

    name = "diandian.transparency"
    label = "transparency"
