"""Command-line door of issuances from a file."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from diandian.flows import issuance_files
from diandian.flows.issuance_files import Entered, Outcome
from diandian.flows.issuance_tables import template
from diandian.kernel.errors import DiandianError
from diandian.kernel.mass import GRAMS_PER_TONNE

_MOST_NAME = 60


class Command(BaseCommand):
    """Shows what a file of issuances would enter, row by row; enters all of it, or nothing.

    Shows only unless told ``--yes``: what is entered stays.
    """

    help = "Enter issued credits from a CSV, .xlsx or JSON file; looks first, all rows or none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, and who enters it."""
        parser.add_argument("file", type=Path, nargs="?", help="CSV, .xlsx or JSON")
        parser.add_argument("--as", dest="name", default="", help="who enters it, for the trail")
        parser.add_argument("--yes", action="store_true", help="enter it, not only show it")
        parser.add_argument("--template", action="store_true", help="print a CSV to fill in")

    def handle(self, *args: object, **options: object) -> None:
        """Show or enter. Raises: CommandError, with nothing entered, while a row is refused."""
        del args
        if options["template"]:
            self.stdout.write(template(), ending="")
            return
        data = self._read(options["file"])
        name = str(options["name"]).strip()
        if not 0 < len(name) <= _MOST_NAME:
            raise CommandError(
                f"Say who enters it: --as NAME, at most {_MOST_NAME} characters."
                " Nothing was entered."
            )
        try:
            if options["yes"]:
                outcome = issuance_files.enter(data, actor_ref=f"operator:{name}")
            else:
                outcome = issuance_files.look_at(data)
        except DiandianError as error:
            raise CommandError(error.text()) from error
        self._show(outcome, done=bool(options["yes"]))

    def _read(self, path: object) -> bytes:
        if not isinstance(path, Path):
            raise CommandError("Name a file. Nothing was entered.")
        try:
            return path.read_bytes()
        except OSError as error:
            raise CommandError(f"{error}. Nothing was entered.") from error

    def _show(self, outcome: Outcome, *, done: bool) -> None:
        for row in outcome.rows:
            self.stdout.write(self._line(row))
            for problem in row.problems:
                self.stdout.write(f"  row {problem.row}, {problem.column}: {problem.error.text()}")
        self.stdout.write(
            f"{len(outcome.rows)} rows: {len(outcome.new)} new, {outcome.known} on record already,"
            f" {sum(row.state == 'refused' for row in outcome.rows)} refused."
            f" New: {outcome.total_g // GRAMS_PER_TONNE} t, of which"
            f" {outcome.for_sale_g // GRAMS_PER_TONNE} t may be sold."
        )
        if outcome.problems:
            raise CommandError("Some rows are refused, so nothing was entered. Please mend them.")
        if not done:
            self.stdout.write("Nothing was entered. Say --yes to do it; it cannot be undone.")
        elif outcome.new:
            self.stdout.write("Entered.")
        else:
            self.stdout.write("All of it was on record already; nothing changed.")

    def _line(self, row: Entered) -> str:
        said = f"row {row.row.number}: {row.state}, {row.row.project}, {row.row.serials}"
        if row.state == "refused":
            return said
        sells = "may be sold" if row.sells else "counts zero, never sold as it is"
        buffer = f", buffer {row.buffer_g // GRAMS_PER_TONNE} t" if row.buffer_g else ""
        number = f", batch {row.batch}" if row.batch else ""
        tonnes = row.total_g // GRAMS_PER_TONNE
        return f"{said}, {row.vintage_year}, {tonnes} t{buffer}, {sells}{number}"
