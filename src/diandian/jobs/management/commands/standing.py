"""Command-line door of what is told about a batch after it was issued."""

from argparse import ArgumentParser
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from diandian.flows.standing import CHOICES, standing_of, tell
from diandian.kernel.clock import business_day, now
from diandian.kernel.errors import DiandianError, NotFoundError

_MOST_NAME = 60
_TEXTS = {"recognition_evidence": 300, "adjustment_reference": 200, "ccp_reference": 200}
_DAYS = ("recognised_on", "adjustment_on", "ccp_on")


class Command(BaseCommand):
    """Shows how a batch stands, and tells what changed: class, recognition, adjustment, label.

    Shows only unless told ``--yes``; the trail keeps what was said before.
    """

    help = "Show or tell how a batch stands: class, recognition, corresponding adjustment, label."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the batch, what changed, and who tells it."""
        parser.add_argument("batch", help="the batch's public number, such as b-2025-3")
        for name, words in CHOICES.items():
            parser.add_argument(f"--{name.replace('_', '-')}", choices=words)
        for name in _TEXTS:
            parser.add_argument(f"--{name.replace('_', '-')}", metavar="TEXT")
        for name in _DAYS:
            parser.add_argument(f"--{name.replace('_', '-')}", metavar="DAY", help="2026-12-01")
        parser.add_argument(
            "--recognition-file", type=Path, help="its document; the digest is kept"
        )
        parser.add_argument("--as", dest="name", default="", help="who tells it, for the trail")
        parser.add_argument("--yes", action="store_true", help="tell it, not only show it")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - of argparse
        """Show or tell. Raises: CommandError, with nothing changed, when it does not fit."""
        del args
        number = options["batch"]
        try:
            before = standing_of(number)
        except NotFoundError as error:
            raise CommandError("No batch has this number. Nothing was changed.") from error
        changes = self._changes(options)
        for name in before.__slots__:
            was = getattr(before, name)
            arrow = f" -> {changes[name]}" if changes.get(name, was) != was else ""
            self.stdout.write(f"{name}: {was or '-'}{arrow}")
        if not options["yes"]:
            self.stdout.write("Nothing was changed. Say --as NAME and --yes to tell it.")
            return
        name = options["name"].strip()
        if not 0 < len(name) <= _MOST_NAME:
            raise CommandError("Say who tells it: --as NAME. Nothing was changed.")
        try:
            is_new = tell(number, changes, actor_ref=f"operator:{name}")
        except DiandianError as error:
            raise CommandError(error.text()) from error
        self.stdout.write("Told." if is_new else "It stood so before; nothing was changed.")

    def _changes(self, options: dict[str, Any]) -> dict[str, Any]:
        changes = {name: options[name] for name in (*CHOICES, *_TEXTS) if options[name] is not None}
        long = [name for name, most in _TEXTS.items() if len(changes.get(name, "")) > most]
        if long:
            raise CommandError(f"Too long: {', '.join(long)}. Nothing was changed.")
        try:
            for name in _DAYS:
                if options[name] is not None:
                    changes[name] = date.fromisoformat(options[name])
                    if changes[name] > business_day(now()):
                        raise CommandError(f"{name} has not come yet. Nothing was changed.")
            if options["recognition_file"] is not None:
                content = options["recognition_file"].read_bytes()
                changes["recognition_sha256"] = sha256(content).hexdigest()
        except (ValueError, OSError) as error:
            raise CommandError(f"{error}. Nothing was changed.") from error
        return changes
