"""Command-line door of the rights of the application's own role."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from diandian.config import grants


class Command(BaseCommand):
    """Shows or gives the rights that a role needs to serve, and takes all others."""

    help = "Show the GRANTs that a role needs to serve on PostgreSQL; --apply gives them."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the role's name, and whether to act."""
        parser.add_argument("role", help="the role that the web server and the worker connect as")
        parser.add_argument("--apply", action="store_true", help="give the rights now")

    def handle(self, *args: object, **options: object) -> None:
        """Show, or give."""
        del args
        role = str(options["role"])
        if connection.vendor != "postgresql":
            raise CommandError("SQLite knows no roles. Nothing was changed.")
        if role == connection.settings_dict["USER"]:
            raise CommandError(
                f"{role} is the role that you run this as: the owner keeps its rights. Nothing was"
                " changed. Please name the role that serves."
            )
        if not options["apply"]:
            self.stdout.write("\n".join(f"{line};" for line in grants.statements(role)))
            return
        try:
            grants.apply(role)
        except DatabaseError as error:
            raise CommandError(
                f"The rights were not given, nothing was changed: {error}Please run this as the"
                " owner of the tables, after: CREATE ROLE ... LOGIN"
            ) from error
        self.stdout.write(f"{role} may serve now, and change nothing that is for ever.")
