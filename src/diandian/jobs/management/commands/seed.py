"""Command-line door of the sample data."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from diandian.jobs.seed import seed


class Command(BaseCommand):
    """Writes the sample data into an empty test system."""

    help = "Write sample scenes, projects and past guests, once; never in production."

    def handle(self, *args: object, **options: object) -> None:
        """Seed, or say that nothing had to be done. Raises: CommandError in production."""
        del args, options
        if not settings.TEST_MODE:
            raise CommandError(
                "Sample data belong into test systems only. Nothing was written."
                " Set DIANDIAN_MODE=demo on a system of its own."
            )
        if not seed(self.stdout.write):
            self.stdout.write("The sample data are there already. Nothing was written.")
