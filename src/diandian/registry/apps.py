"""Makes the room a Django app."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """The room ``registry``."""

    name = "diandian.registry"
    label = "registry"
