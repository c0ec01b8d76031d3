"""Command-line door of computing a certificate again."""

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from diandian.emissions.errors import UnknownFactorSetError
from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_diff import moved_lines
from diandian.emissions.factor_set import factor_set
from diandian.emissions.life import own_answers
from diandian.emissions.life.certified import is_year
from diandian.emissions.replay import InputsAbsentError, Replayed, again, estimate_of, replay
from diandian.emissions.replay_year import replay_year
from diandian.kernel.errors import DiandianError
from diandian.verifier.__main__ import read_document


class Command(BaseCommand):
    """Recomputes a certificate from its own file; needs no network and no database."""

    help = (
        "Compute a certificate again from its file alone, to the gram; exit status 1 when something"
        " differs, 2 when it cannot be computed. A certificate of a year of life that does not"
        " carry its answers is computed from the person's own, given with --answers. Whether the"
        " file is signed is checked elsewhere: python -m diandian.verifier."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, and another edition to compare with."""
        parser.add_argument("file", type=Path, help="the certificate, as .json")
        parser.add_argument(
            "--with", dest="edition", default="", help="also say what it were by another edition"
        )
        parser.add_argument(
            "--answers",
            default="",
            metavar="LINK_OR_FILE",
            help="of a year of life: the link of its result, which is read and not opened,"
            " or the file that was saved there",
        )

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Replay one file. Raises: CommandError with exit status 1 or 2."""
        del args
        stated = self._stated(options["file"])
        try:
            found = self._replayed(stated, options["answers"])
        except DiandianError as error:
            raise CommandError(error.text(), returncode=2) from error
        for line in found.estimate.lines:
            self.stdout.write(
                f"{line.mass_g:>12,} g  {line.key}: {line.activity_amount} {line.unit}"
                f" x {line.value} x {line.share}  {line.factor_id} {line.factor_region}"
                f" {line.factor_set}"
            )
        self.stdout.write(f"{found.estimate.mass_g:>12,} g  together, edition {_names(stated)}")
        if not found.same:
            listed = "\n".join(f"  {difference}" for difference in found.differences)
            raise CommandError(f"It does not come out as stated:\n{listed}", returncode=1)
        self.stdout.write("Everything comes out as stated, to the gram.")
        if options["edition"]:
            self._other(found.estimate, options["edition"])

    def _replayed(self, stated: Mapping[str, Any], answers: str) -> Replayed:
        """Compute again. Raises: CommandError, DiandianError."""
        if not is_year(stated):
            if answers:
                message = (
                    "Only a certificate of a year of life is computed from answers given beside it;"
                    " this one carries its own. Nothing was computed."
                )
                raise CommandError(message, returncode=2)
            return replay(stated)
        if answers:
            return replay_year(stated, self._answers(answers))
        try:
            return replay_year(stated)
        except InputsAbsentError as error:
            message = f"{error.text()} From the person's own answers it can: --answers."
            raise CommandError(message, returncode=2) from error

    def _answers(self, given: str) -> own_answers.OwnAnswers:
        if "?" in given:
            return own_answers.of_link(given)
        return own_answers.of_document(self._read(Path(given)))

    def _stated(self, path: Path) -> Mapping[str, Any]:
        try:
            return estimate_of(self._read(path))
        except DiandianError as error:
            raise CommandError(error.text(), returncode=2) from error

    def _read(self, path: Path) -> object:
        try:
            return read_document(path)
        except (OSError, ValueError, RecursionError) as error:
            message = f"The file cannot be read: {error}. Nothing was computed."
            raise CommandError(message, returncode=2) from error

    def _other(self, estimate: Estimate, edition: str) -> None:
        try:
            other = again(estimate.inputs, factor_set(edition))
        except UnknownFactorSetError as error:
            message = f"There is no edition {edition[:20]!r} to compare with."
            raise CommandError(message, returncode=2) from error
        except DiandianError as error:
            raise CommandError(error.text(), returncode=2) from error
        self.stdout.write(f"With edition {edition} it would be {other.mass_g:,} g.")
        for moved in moved_lines(estimate, other):
            sides = " -> ".join(
                f"{line.mass_g:,} g by {line.value} ({line.factor_set})" if line else "no line"
                for line in (moved.before, moved.after)
            )
            self.stdout.write(f"  {moved.line.key} {sides}  {moved.line.factor_id}")


def _names(stated: Mapping[str, Any]) -> str:
    return f"{stated['factor_set_id']}, method {stated['method_version']}"
