"""Command-line door of recalls: opened or dropped here, approved at the desk alone."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from diandian.flows import recall
from diandian.kernel.errors import DiandianError, NotFoundError
from diandian.kernel.mass import GRAMS_PER_TONNE
from diandian.registry.queries import batch_by_public_id
from diandian.registry.recalls.queries import Totals, recall_by_public_id, recalls, totals_of
from diandian.registry.serials import gram_to_serial

_DESK = "/admin/registry/recall/"
_MOST_NAME, _MOST_FILE_BYTES, _MOST_DIGITS = 60, 20_000, 15


class Command(BaseCommand):
    """Recalls a batch or some of its serials; shows only what would happen unless told ``--yes``.

    Opening freezes the batch at once. Approving takes a second person and cannot be undone: since
    anybody may type any name here, it is done at the desk, by somebody who signed in.
    """

    help = "Recall a batch or some of its serials; a second person approves it at the desk."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to recall and why, or the recall to decide about, and who decides."""
        parser.add_argument("batch", nargs="?", default="", help="number of the batch: b-2025-3")
        parser.add_argument("--serials", default="", metavar="A-B", help="first and last serial")
        parser.add_argument(
            "--reversal", action="store_true", help="the carbon is in the air again"
        )
        parser.add_argument("--reason", default="", metavar="CODE", help="such as measured-wrongly")
        parser.add_argument(
            "--text", type=Path, help='JSON file: {"zh-Hans": .., "en": .., "nl": ..}'
        )
        parser.add_argument(
            "--from", dest="sources", default="", help="projects that may replace too"
        )
        parser.add_argument("--approve", default="", metavar="ID", help="only at the desk")
        parser.add_argument("--drop", default="", metavar="ID", help="give up this recall")
        parser.add_argument("--as", dest="name", default="", metavar="NAME", help="who decides")
        parser.add_argument("--yes", action="store_true", help="do it, not only show it")

    def handle(self, *args: object, **given: object) -> None:
        """List, open, approve or drop. Raises: CommandError, with nothing changed."""
        del args
        options: dict[str, Any] = {
            name: value.replace("\x00", "") if isinstance(value, str) else value
            for name, value in given.items()
        }
        wanted = [name for name in ("batch", "approve", "drop") if options[name]]
        if not wanted:
            self._list()
            return
        if len(wanted) > 1:
            raise CommandError("One thing at a time, please. Nothing was changed.")
        if wanted == ["approve"]:
            raise CommandError(
                "A recall is approved by a second person who signs in at the desk, since any name"
                f" can be typed here: {_DESK}. Nothing was changed."
            )
        name = " ".join(options["name"].split())
        if not name or len(name) > _MOST_NAME:
            raise CommandError(
                f"Who decides? Please give --as NAME, at most {_MOST_NAME} characters."
                " Nothing was changed."
            )
        try:
            if wanted == ["batch"]:
                self._open(options, f"shell:{name}")
            else:
                self._drop(options["drop"], f"shell:{name}", is_sure=options["yes"])
        except NotFoundError as error:
            raise CommandError(
                "There is no batch, recall or project of this name. Nothing was changed."
            ) from error
        except DiandianError as error:
            raise CommandError(error.text()) from error

    def _list(self) -> None:
        found = recalls(public_only=False)
        if not found:
            self.stdout.write("Nothing has been recalled.")
        for each in found:
            self.stdout.write(
                f"{each.public_id}  {each.state}  batch {each.batch.public_id}, {each.reason},"
                f" opened by {each.opened_by}{self._numbers(totals_of(each))}"
            )

    def _open(self, options: dict[str, Any], actor: str) -> None:
        batch = batch_by_public_id(options["batch"][:48])
        texts = self._texts(options["text"])
        first = batch.serial_block.first
        grams = self._grams(options["serials"], first)
        kind = "reversal" if options["reversal"] else "invalid"
        span = grams or (0, batch.total_g - (batch.buffer_g if options["reversal"] else 0))
        self.stdout.write(
            f"Batch {batch.public_id} ({batch.serial_block.raw}), serials"
            f" {gram_to_serial(first, span[0])[0]} to {gram_to_serial(first, span[1] - 1)[0]}:"
            f" {kind}, {options['reason']}"
        )
        for language, text in texts.items():
            self.stdout.write(f"  {language}: {text}")
        if not options["yes"]:
            self.stdout.write("Nothing was changed. Say --yes to open it and freeze the batch.")
            return
        opened = recall.open_recall(
            batch,
            kind=kind,
            reason=options["reason"],
            texts=texts,
            opened_by=actor,
            grams=grams,
            sources=[code for code in options["sources"].split(",") if code],
        )
        self.stdout.write(
            f"Opened as {opened.public_id}; the batch is frozen. A second person must approve it,"
            f" at the desk: {_DESK}{opened.id}/change/"
        )

    def _drop(self, public_id: str, actor: str, *, is_sure: bool) -> None:
        found = recall_by_public_id(public_id)
        self.stdout.write(
            f"{found.public_id}: {found.kind}, {found.reason}, batch {found.batch.public_id},"
            f" opened by {found.opened_by}{self._numbers(totals_of(found))}"
        )
        for language, text in found.texts.items():
            self.stdout.write(f"  {language}: {text}")
        if not is_sure:
            self.stdout.write("Nothing was changed. Say --yes to do it; it cannot be undone.")
        else:
            recall.drop(found, dropped_by=actor)
            self.stdout.write("Dropped. The batch is as it was before.")

    def _numbers(self, totals: Totals) -> str:
        return (
            f"; {totals.retirements} retirements, {totals.affected_g} g: replaced"
            f" {totals.replaced_g} g, buffer {totals.buffer_g} g, short {totals.short_g} g,"
            f" waiting {totals.waiting_g} g; made good {totals.made_good} of {totals.answered},"
            f" still short {totals.short_retirements}"
        )

    def _texts(self, path: Path | None) -> dict[str, str]:
        if path is None:
            raise CommandError("Why? Please give --text FILE. Nothing was changed.")
        try:
            with path.open("rb") as file:
                read = json.loads(file.read(_MOST_FILE_BYTES).decode())
        except (OSError, ValueError, RecursionError) as error:
            raise CommandError(f"The text cannot be read: {error}. Nothing was changed.") from error
        plain = isinstance(read, dict) and all(isinstance(text, str) for text in read.values())
        if not plain:
            raise CommandError("The text is not an object of texts. Nothing was changed.")
        return {str(language): " ".join(text.split()) for language, text in read.items()}

    def _grams(self, serials: str, first: int) -> tuple[int, int] | None:
        """Return the grams of serials A-B of a batch that begins with ``first``; all for none."""
        if not serials:
            return None
        numbers = serials.split("-")
        plain = all(
            part.isascii() and part.isdecimal() and len(part) <= _MOST_DIGITS for part in numbers
        )
        if not plain or len(numbers) not in {1, 2}:
            raise CommandError(
                f"{serials!r} is not a run of serials. Nothing was changed. It looks like 120-240."
            )
        start, last = int(numbers[0]), int(numbers[-1])
        return (start - first) * GRAMS_PER_TONNE, (last - first + 1) * GRAMS_PER_TONNE
