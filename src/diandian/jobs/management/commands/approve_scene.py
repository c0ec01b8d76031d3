"""Command-line door of letting guests into an organiser's scene, or returning it to its host.

A correction of an open scene is decided on in the same way.
"""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from diandian.emissions.factor_set import factor_set
from diandian.emissions.scene_kinds.other.described import described
from diandian.kernel.clock import now
from diandian.kernel.errors import DiandianError
from diandian.people import queries as people
from diandian.scenes import actions, difference, queries
from diandian.scenes.corrections import actions as corrections
from diandian.scenes.models import Scene, SceneState, SceneVersion
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
        waiting = queries.waiting_correction(scene)
        if scene.state != SceneState.SUBMITTED and waiting is None:
            raise CommandError(f"The scene is {scene.state}; only a submitted one is decided on.")
        if waiting is not None:
            self._show_correction(scene, waiting)
        name, reason = str(options["name"]).strip(), str(options["reason"]).strip()
        if not options["yes"]:
            self.stdout.write("Nothing was changed. Say --as NAME and --yes to decide.")
            return
        if not name or len(name) > _MOST_NAME or len(reason) > _MOST_REASON:
            raise CommandError(
                f"Say who decides (--as, at most {_MOST_NAME} characters; a reason at most"
                f" {_MOST_REASON}). Nothing was changed."
            )
        actor_ref = f"operator:{name}"
        if waiting is not None:
            self._decide_correction(waiting, actor_ref, reason)
        else:
            self._decide(scene, actor_ref, reason, stricter=bool(options["stricter"]))

    def _list(self) -> None:
        waiting = queries.submitted()
        for scene in waiting:
            self.stdout.write(f"{scene.slug}\t{scene.starts_on}\t{pick(scene.names, 'en')}")
        corrected = queries.waiting_corrections()
        for version in corrected:
            self.stdout.write(f"{version.scene.slug}\tcorrection\t{version.note}")
        if not waiting and not corrected:
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
        if scene.composed:
            self._show_questions(scene)

    def _show_questions(self, scene: Scene) -> None:
        """Show what guests are asked, and what each answer is multiplied with."""
        try:
            parts, asked = described(
                scene.composed,
                factor_set(scene.factor_set),
                scene.region,
                non_co2=scene.with_non_co2,
            )
        except DiandianError as error:
            self.stdout.write(f"  questions cannot be asked here: {error.text()}")
            return
        self.stdout.write(f"questions of its own; asked as well: {', '.join(parts) or 'nothing'}")
        for number, one in enumerate(asked, 1):
            for lang, text in one.texts:
                self.stdout.write(f"  {number} [{lang}]: {text}")
            self.stdout.write(
                f"    {one.activity}, in {one.unit}; don't know counts as {one.default};"
                f" at most {one.maximum}"
            )
            for row in one.factors:
                self.stdout.write(
                    f"    x {row.value} kg CO2e / {row.unit}: {row.id}, {row.region},"
                    f" {row.source} {row.year}, grade {row.quality}"
                )

    def _show_correction(self, scene: Scene, waiting: SceneVersion) -> None:
        self.stdout.write(f"correction, because: {waiting.note}")
        for row in difference.rows(queries.facts_of(scene), waiting.facts):
            label = f"{row.label} [{row.language}]" if row.language else row.label
            self.stdout.write(f"  {label}: {row.before} -> {row.after}")

    def _decide_correction(self, waiting: SceneVersion, actor_ref: str, reason: str) -> None:
        try:
            if reason:
                corrections.refuse(waiting, reason=reason, actor_ref=actor_ref, at=now())
            else:
                corrections.approve(waiting, actor_ref=actor_ref, at=now())
        except DiandianError as error:
            raise CommandError(error.text()) from error
        done = "was refused" if reason else "is in force"
        self.stdout.write(f"The correction {done}.")

    def _decide(self, scene: Scene, actor_ref: str, reason: str, *, stricter: bool) -> None:
        try:
            if reason:
                actions.send_back(scene, reason=reason, actor_ref=actor_ref)
            else:
                actions.approve(scene, actor_ref=actor_ref, stricter=stricter)
        except DiandianError as error:
            raise CommandError(error.text()) from error
        self.stdout.write("Returned to its host." if reason else "Open to guests.")
