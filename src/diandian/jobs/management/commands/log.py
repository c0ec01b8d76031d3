"""Command-line door of the public log."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from diandian.flows import log_fill


class Command(BaseCommand):
    """Looks after the public log of every change of the grams."""

    help = "Look after the public log: fill (enter what the registry did without it)."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what is to be done."""
        tasks = parser.add_subparsers(dest="task", required=True)
        tasks.add_parser("fill", help="enter what the registry did before there was a log")

    def handle(self, *args: object, **options: object) -> None:
        """Do it."""
        del args
        {"fill": self._fill}[str(options["task"])]()

    def _fill(self) -> None:
        written = log_fill.fill()
        self.stdout.write(
            f"{written} entries written." if written else "The public log lacks nothing."
        )
