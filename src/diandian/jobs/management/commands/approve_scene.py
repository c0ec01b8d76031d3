"""Command-line door of letting guests into an organiser's scene, or returning it to its host."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from diandian.kernel.errors import DiandianError
from diandian.people import queries as people
from diandian.scenes import actions, queries
from diandian.scenes.models import Scene, SceneState
from diandian.ui.format import pick

_MOST_NAME = 60
_MOST_REASON = 300


class Command(BaseCommand):
    """Shows a submitted scene; approves or returns it when told ``--yes``. The trail keeps who."""

    help = "List scenes that wait for approval; approve one, or return it to its host."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the scene, who decides, and what."""
        parser.add_argument("slug", nargs="?", default="", help="the scene's address, after /s/")
        parser.add_argument("--as", dest="name", default="", help="who decides, for the trail")
        parser.add_argument(
            "--stricter", action="store_true", help="allow words of contribution only"
        )
        parser.add_argument(
            "--return", dest="reason", default="", help="do not approve; tell the host this"
        )
        parser.add_argument("--yes", action="store_true", help="do it, not only show it")

    def handle(self, *args: object, **options: object) -> None:
        """List, show, approve or return. Raises: CommandError for what cannot be decided."""
        del args
        slug = str(options["slug"])
        if not slug:
            self._list()
            return
        try:
            scene = queries.by_slug(slug)
        except DiandianError as error:
            raise CommandError(f"{error.text()} Nothing was changed.") from error
        self._show(scene)
        if scene.state != SceneState.SUBMITTED:
            raise CommandError(f"The scene is {scene.state}; only a submitted one is decided on.")
        name, reason = str(options["name"]).strip(), str(options["reason"]).strip()
        if not options["yes"]:
            self.stdout.write("Nothing was changed. Say --as NAME and --yes to decide.")
            return
        if not name or len(name) > _MOST_NAME or len(reason) > _MOST_REASON:
            raise CommandError(
                f"Say who decides (--as, at most {_MOST_NAME} characters; a reason at most"
                f" {_MOST_REASON}). Nothing was changed."
            )
        self._decide(scene, f"operator:{name}", reason, stricter=bool(options["stricter"]))

    def _list(self) -> None:
        waiting = queries.submitted()
        for scene in waiting:
            self.stdout.write(f"{scene.slug}\t{scene.starts_on}\t{pick(scene.names, 'en')}")
        if not waiting:
            self.stdout.write("No scene waits for approval.")

    def _show(self, scene: Scene) -> None:
        host = people.organisation_of_ref(scene.organisation_ref)
        stated = f"{host.legal_name}, {host.country} {host.tax_number}" if host else "none"
        self.stdout.write(
            f"{scene.slug}: {scene.kind}, {scene.starts_on} to {scene.ends_on or 'no end'},"
            f" {scene.country}, words: {scene.claim_style}, travel: {scene.travel_owner},"
            f" {scene.expected_guests} guests expected\nhost: {stated.strip()}"
        )
        for title, texts in (("name", scene.names), ("place", scene.venue_names)):
            for lang, text in texts.items():
                self.stdout.write(f"  {title} [{lang}]: {text}")

    def _decide(self, scene: Scene, actor_ref: str, reason: str, *, stricter: bool) -> None:
        try:
            if reason:
                actions.send_back(scene, reason=reason, actor_ref=actor_ref)
            else:
                actions.approve(scene, actor_ref=actor_ref, stricter=stricter)
        except DiandianError as error:
            raise CommandError(error.text()) from error
        self.stdout.write("Returned to its host." if reason else "Open to guests.")
