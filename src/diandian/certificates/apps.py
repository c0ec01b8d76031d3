"""Makes the room a Django app."""

from django.apps import AppConfig


class CertificatesConfig(AppConfig):
    """The room ``certificates``."""

    name = "diandian.certificates"
    label = "certificates"
