"""Command-line door of the ground on which a project grows."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from diandian.flows import sites
from diandian.kernel.errors import DiandianError, NotFoundError
from diandian.registry.sites.facts import SiteFacts

_MOST_NAME = 60
_MOST_TEXT = {"species": 200, "methodology": 60, "plan": 300}
_SQUARE_METRES_PER_HECTARE = 10_000


class Command(BaseCommand):
    """Enters the boundary of new forest, unless its ground serves a project already.

    With ``--withdraw`` takes a wrong one back. Shows only unless told ``--yes``.
    """

    help = "Enter the boundary of a piece of new forest, from a GeoJSON file (WGS 84)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the project, the boundary, what grows there, and who enters it."""
        parser.add_argument("project", help="the project's code")
        parser.add_argument("code", help="a short name of the site, such as north-slope")
        parser.add_argument("file", type=Path, nargs="?", help="GeoJSON with one polygon")
        parser.add_argument("--species", default="", help="what was planted")
        parser.add_argument("--planted", default="", help="when: 2019-03-12")
        parser.add_argument("--methodology", default="", help="by which it is counted")
        parser.add_argument("--plan", default="", help="where the plan of monitoring is")
        parser.add_argument("--withdraw", default="", metavar="REASON", help="take it back instead")
        parser.add_argument("--as", dest="name", required=True, help="who enters it, for the trail")
        parser.add_argument("--yes", action="store_true", help="enter it, not only show it")

    def handle(self, *args: object, **options: object) -> None:
        """Show or enter. Raises: CommandError, with nothing entered, when it does not fit."""
        del args
        if options["withdraw"]:
            self._withdraw(options)
            return
        facts, data = self._facts(options), self._read(options)
        project, code = str(options["project"]), str(options["code"])
        try:
            area_m2 = sites.area_of(data, project)
        except NotFoundError as error:
            raise CommandError("No project has this code. Nothing was entered.") from error
        except DiandianError as error:
            raise CommandError(error.text()) from error
        hectares, rest = divmod(area_m2, _SQUARE_METRES_PER_HECTARE)
        self.stdout.write(
            f"{project}, site {code}: {hectares}.{rest * 100 // _SQUARE_METRES_PER_HECTARE:02d} ha,"
            f" planted on {facts.planted_on}, {facts.methodology_code}."
        )
        if not options["yes"]:
            self.stdout.write("Nothing was entered. Say --yes to do it.")
            return
        actor_ref = f"operator:{options['name']}"
        try:
            sites.enter(project, code, data, facts, actor_ref=actor_ref)
        except DiandianError as error:
            raise CommandError(error.text()) from error
        self.stdout.write("Entered. Issuances of this project name the site from now on.")

    def _withdraw(self, options: dict[str, object]) -> None:
        code, reason, name = (str(options[key]) for key in ("code", "withdraw", "name"))
        if not options["yes"]:
            self.stdout.write("Nothing was withdrawn. Say --yes to do it.")
            return
        try:
            sites.withdraw(
                str(options["project"]), code, reason=reason, actor_ref=f"operator:{name}"
            )
        except NotFoundError as error:
            raise CommandError("No such site stands. Nothing was withdrawn.") from error
        except DiandianError as error:
            raise CommandError(error.text()) from error
        self.stdout.write("Withdrawn. Its row stays, and its ground is free again.")

    def _read(self, options: dict[str, object]) -> bytes:
        try:
            return Path(str(options["file"])).read_bytes()
        except OSError as error:
            raise CommandError(f"{error}. Nothing was entered.") from error

    def _facts(self, options: dict[str, object]) -> SiteFacts:
        texts = {name: str(options[name]).strip() for name in _MOST_TEXT}
        long = [name for name, text in texts.items() if not 0 < len(text) <= _MOST_TEXT[name]]
        code = str(options["code"])
        slug = code.replace("-", "").replace("_", "")
        if not (slug.isascii() and slug.isalnum()) or len(code) > 40:  # noqa: PLR2004 - of its column
            long.append("code")
        if not 0 < len(str(options["name"]).strip()) <= _MOST_NAME:
            long.append("--as")
        if long:
            raise CommandError(f"Too short or too long: {', '.join(long)}. Nothing was entered.")
        try:
            planted_on = date.fromisoformat(str(options["planted"]))
        except ValueError as error:
            raise CommandError(f"{error}. Nothing was entered.") from error
        species = texts["species"]
        return SiteFacts(
            species_names={"zh-Hans": species, "en": species, "nl": species},
            planted_on=planted_on,
            methodology_code=texts["methodology"],
            monitoring_plan=texts["plan"],
        )
