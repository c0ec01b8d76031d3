"""Command-line door of taking a name off the boards."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from diandian.flows.erase import hide_board_name
from diandian.leaderboards import queries
from diandian.leaderboards.models import Standing


class Command(BaseCommand):
    """Finds names on the boards, and hides the one of a row; the person's count stays."""

    help = "Take a name off every board, for good; the trail keeps who did it and why."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the row or a part of the name, who acts and why."""
        parser.add_argument("row", help="the row's number, or a part of the name to look for")
        parser.add_argument("--as", dest="actor", default="", help="who decides, for the trail")
        parser.add_argument("--reason", default="", help="why, for the trail; not the name itself")
        parser.add_argument("--yes", action="store_true", help="do it, not only show it")

    def handle(self, *args: object, **options: object) -> None:
        """List rows, or hide one. Raises: CommandError when nothing fits or no reason is given."""
        del args
        asked = str(options["row"]).strip()
        row = queries.row_by_number(int(asked)) if asked.isascii() and asked.isdigit() else None
        rows = [row] if row else queries.rows_named(asked) if asked else []
        if not rows:
            raise CommandError("No board shows such a name. Nothing was changed.")
        for each in rows:
            name = each.display_name or "(no name)"
            self.stdout.write(f"{each.id}\t{each.board}\t{each.scenes_lit} scenes\t{name}")
        if not options["yes"]:
            self.stdout.write(
                "Nothing was changed. Give the row's number with --as, --reason and --yes."
            )
            return
        self._hide(row, str(options["actor"]), str(options["reason"]))

    def _hide(self, row: Standing | None, actor: str, reason: str) -> None:
        if row is None:
            raise CommandError("Give the number of one row, not a name. Nothing was changed.")
        if not actor or not reason:
            raise CommandError("Say who decides (--as) and why (--reason). Nothing was changed.")
        done = hide_board_name(row, reason=reason, actor_ref=actor)
        self.stdout.write("Hidden on every board." if done else "It was hidden before.")
