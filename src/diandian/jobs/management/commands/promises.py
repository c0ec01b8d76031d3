"""Command-line door of the promises on certificates."""

from django.core.management.base import BaseCommand

from diandian.flows import promises


class Command(BaseCommand):
    """Says which certificates wait for a retirement outside, and which of them too long."""

    help = "List certificates whose tonnes are only held; exit 1 when a promised day has passed."

    def handle(self, *args: object, **options: object) -> None:
        """Follow what was retired meanwhile, then print what is left. Exits 1 when overdue."""
        del args, options
        followed = promises.follow_all()
        if followed:
            self.stdout.write(f"{followed} certificates now say retired.")
        found = promises.standing()
        if not found.open:
            self.stdout.write("No certificate waits for a retirement outside.")
            return
        self.stdout.write(
            f"{found.open} certificates wait for a retirement outside,"
            f" the first is promised by {found.first_day}."
        )
        if found.overdue:
            self.stderr.write(f"{found.overdue} are overdue: {', '.join(found.codes)}")
            raise SystemExit(1)
