"""Command-line door of programmes and projects from a file."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from diandian.flows import catalogue_files
from diandian.kernel.errors import DiandianError

_MOST_NAME = 60


class Command(BaseCommand):
    """Shows what a JSON file of programmes and projects would enter; enters all of it, or nothing.

    Shows only unless told ``--yes``.
    """

    help = "Enter issuing programmes and projects from a JSON file; looks first, all or none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, and who enters it."""
        parser.add_argument("file", type=Path, help='JSON: {"programmes": [..], "projects": [..]}')
        parser.add_argument("--as", dest="name", required=True, help="who enters it, for the trail")
        parser.add_argument("--yes", action="store_true", help="enter it, not only show it")

    def handle(self, *args: object, **options: object) -> None:
        """Show or enter. Raises: CommandError, with nothing entered, when something is wrong."""
        del args
        name = str(options["name"]).strip()
        if not 0 < len(name) <= _MOST_NAME:
            raise CommandError("Say who enters it: --as NAME. Nothing was entered.")
        run = catalogue_files.enter if options["yes"] else catalogue_files.look_at
        try:
            data = Path(str(options["file"])).read_bytes()
            listed = run(data, actor_ref=f"operator:{name}")
        except OSError as error:
            raise CommandError(f"{error}. Nothing was entered.") from error
        except DiandianError as error:
            raise CommandError(error.text()) from error
        for each in listed:
            said = "on record already" if each.state == "known" else "new"
            self.stdout.write(f"{each.kind} {each.code}: {said}")
        if not options["yes"]:
            self.stdout.write("Nothing was entered. Say --yes to do it.")
        else:
            self.stdout.write("Entered.")
