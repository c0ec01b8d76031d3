"""Makes the room a Django app."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate, pre_migrate


class SiteConfig(AppConfig):
    """The room ``config``: joins the rooms and keeps the database's guards up."""

    name = "diandian.config"
    label = "site_config"

    def ready(self) -> None:
        """Put the guards up after every migration; register the system checks."""
        from diandian.config import checks, guards  # noqa: F401, PLC0415 - models must be loaded

        # The signals come once for each app; one of them is enough.
        once = apps.get_app_config("registry")
        pre_migrate.connect(guards.before_migrations, sender=once, dispatch_uid="guards")
        post_migrate.connect(guards.after_migrations, sender=once, dispatch_uid="guards")
