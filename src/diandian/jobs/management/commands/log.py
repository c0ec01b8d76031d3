"""Command-line door of the public log."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from diandian.flows import log_fill, log_keys, log_recover
from diandian.kernel.errors import DiandianError
from diandian.transparency.heads.trouble import WORDS


class Command(BaseCommand):
    """Looks after the public log of every change of the grams."""

    help = "Look after the public log: fill, rotate (its key), close (and begin another), recover."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what is to be done, by whom and why."""
        tasks = parser.add_subparsers(dest="task", required=True)
        tasks.add_parser("fill", help="enter what the registry did before there was a log")
        rotate = tasks.add_parser("rotate", help="make a new key; old and new sign for 90 days")
        close = tasks.add_parser("close", help="end the log and begin the next with a new key")
        close.add_argument("--origin", default="", help="name of the next log")
        recover = tasks.add_parser(
            "recover", help="after a restored backup: take lost entries from the published files"
        )
        recover.add_argument("--from", dest="folder", type=Path, help="a copy of those files")
        for each in (rotate, close, recover):
            each.add_argument("--as", dest="name", default="", metavar="NAME", help="who decides")
            each.add_argument("--reason", default="", help="why, for the audit trail")
            each.add_argument("--yes", action="store_true", help="do it; it cannot be undone")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Do it. Raises: CommandError, with nothing changed, when it is refused."""
        del args
        if options["task"] == "fill":
            written = log_fill.fill()
            said = f"{written} entries written." if written else "The public log lacks nothing."
            self.stdout.write(said)
            return
        name, reason = options["name"].strip()[:60], options["reason"].strip()[:500]
        if not name or not reason:
            raise CommandError(
                "Who decides, and why? Nothing was done. Please give --as NAME and --reason TEXT."
            )
        if not options["yes"]:
            self.stdout.write("Nothing was done. Say --yes to do it; it cannot be undone.")
            return
        try:
            getattr(self, f"_{options['task']}")(options, f"operator:{name}", reason)
        except DiandianError as error:
            raise CommandError(error.text()) from error

    def _rotate(self, _: dict[str, Any], actor: str, reason: str) -> None:
        vkey, path = log_keys.rotate(actor=actor, reason=reason)
        self.stdout.write(f"New key, signing from now on: {vkey}\nBack up this file: {path}")

    def _close(self, options: dict[str, Any], actor: str, reason: str) -> None:
        origin = options["origin"].strip()
        head, path = log_keys.close(actor=actor, reason=reason, next_origin=origin)
        self.stdout.write(f"The next log is {head.origin}.\nBack up this file: {path}")

    def _recover(self, options: dict[str, Any], actor: str, reason: str) -> None:
        done = log_recover.recover(options["folder"], actor=actor, reason=reason)
        self.stdout.write(f"{done.entries} entries came back.")
        if done.trouble:
            self.stdout.write(f"Sales stay stopped. {WORDS[done.trouble]}")
        for number in done.frozen:
            self.stdout.write(
                f"Frozen: {number}. The log knows uses of its grams that the registry has lost."
            )
