"""Command-line door of a retirement at the issuing registry."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from diandian.flows.issuance import OutsideRetirement, record_outside
from diandian.kernel.clock import now
from diandian.kernel.errors import DiandianError, NotFoundError
from diandian.registry import queries


class Command(BaseCommand):
    """Enters whole tonnes that the issuing registry has retired; certificates follow by themselves.

    Shows only what would be entered unless told ``--yes``: what is entered stays.
    """

    help = "Enter tonnes that the issuing registry retired for us, with its reference and evidence."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take batch, tonnes, reference, time and evidence, and who enters them."""
        parser.add_argument("batch", help="the batch's public number, such as b-2025-3")
        parser.add_argument("first", type=int, help="first tonne, counted from 1 in the batch")
        parser.add_argument("last", type=int, help="last tonne, included")
        parser.add_argument("--reference", required=True, help="the registry's own reference")
        parser.add_argument("--evidence", type=Path, required=True, help="file that it sent")
        parser.add_argument("--at", required=True, help="when it retired them: 2026-12-01T08:00Z")
        parser.add_argument("--url", default="", help="where the registry shows it")
        parser.add_argument("--simulated", action="store_true", help="of a simulated registry")
        parser.add_argument(
            "--as", dest="actor", required=True, help="who enters it, for the trail"
        )
        parser.add_argument("--yes", action="store_true", help="enter it, not only show it")

    def handle(self, *args: object, **options: object) -> None:
        """Show or enter. Raises: CommandError, with nothing entered, when it does not fit."""
        del args
        retirement = self._read(options)
        try:
            batch = queries.batch_by_public_id(str(options["batch"]))
        except NotFoundError as error:
            raise CommandError("No batch has this number. Nothing was entered.") from error
        self.stdout.write(
            f"Batch {batch.public_id} ({batch.serial_block.raw}), tonnes {retirement.first_tonne}"
            f" to {retirement.last_tonne}, {retirement.retired_at:%Y-%m-%d %H:%M %Z},"
            f" reference {retirement.reference}."
        )
        if not options["yes"]:
            self.stdout.write("Nothing was entered. Say --yes to do it; it cannot be undone.")
            return
        try:
            record_outside(batch, retirement, actor_ref=str(options["actor"]))
        except DiandianError as error:
            raise CommandError(f"{error.text()} Nothing was entered.") from error
        self.stdout.write("Entered. The worker brings the waiting certificates up to date.")

    def _read(self, options: dict[str, object]) -> OutsideRetirement:
        try:
            at = datetime.fromisoformat(str(options["at"]))
            evidence = Path(str(options["evidence"])).read_bytes()
        except (ValueError, OSError) as error:
            raise CommandError(f"{error}. Nothing was entered.") from error
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if at > now():
            raise CommandError("This time has not come yet. Nothing was entered.")
        return OutsideRetirement(
            first_tonne=int(str(options["first"])),
            last_tonne=int(str(options["last"])),
            reference=str(options["reference"]),
            retired_at=at,
            evidence={"file_sha256": sha256(evidence).hexdigest(), "bytes": len(evidence)},
            registry_url=str(options["url"]),
            is_simulated=bool(options["simulated"]),
        )
