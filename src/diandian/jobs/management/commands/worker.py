"""Command-line door of the worker."""

from django.core.checks import Tags
from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS

from diandian.jobs.allocating import Allocating
from diandian.jobs.signing import Signing
from diandian.jobs.worker import Worker


class Command(BaseCommand):
    """Runs the worker until it is asked to stop."""

    help = "Deliver events, ask gateways, fulfil paid orders, release expired ones; until SIGTERM."
    requires_system_checks = ()

    def handle(self, *args: object, **options: object) -> None:
        """Run until SIGTERM or Ctrl-C."""
        del args, options
        # Refuses to start on unsafe settings, and on a database that has lost its guards.
        self.check(tags=[Tags.security, Tags.database], databases=[DEFAULT_DB_ALIAS])
        worker = Worker()
        worker.listen_for_signals()
        allocating, signing = Allocating(), Signing()
        allocating.start()
        signing.start()
        try:
            worker.run()
        finally:
            allocating.stop()
            signing.stop()
