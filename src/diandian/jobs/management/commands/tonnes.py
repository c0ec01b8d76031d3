"""Command-line door of the tonnes that issuing registries should retire."""

from django.core.management.base import BaseCommand

from diandian.flows import pool
from diandian.flows.pool import DueTonne
from diandian.jobs.management.decisions import plain
from diandian.kernel.clock import business_day


class Command(BaseCommand):
    """Says which tonnes to ask for at which registry, by when, and which are still open."""

    help = (
        "Complete tonnes whose day is near, then list the tonnes to retire at their registries;"
        " exit 1 when a promised day has passed."
    )

    def handle(self, *args: object, **options: object) -> None:
        """Complete what is due and list what is left. Exits 1 when something is overdue."""
        del args, options
        completed = pool.complete_due()
        if completed:
            self.stdout.write(f"{completed} tonnes were completed at our cost.")
        today, found = business_day(), pool.tonnes()
        asked = [due for due in found if due.is_asked_for(today)]
        self._list("To retire at the registry, then enter with `retired_outside`:", asked)
        self._list("Open, to be completed later:", [due for due in found if due not in asked])
        if not found:
            self.stdout.write("Every tonne that is sold from is retired at its origin.")
        overdue = sum(due.is_overdue(today) for due in found)
        if overdue:
            self.stderr.write(f"{overdue} tonnes are overdue.")
            raise SystemExit(1)

    def _list(self, head: str, dues: list[DueTonne]) -> None:
        if not dues:
            return
        self.stdout.write(head)
        for due in dues:
            tonne = due.tonne
            rest = f", {tonne.rest_g:,} g not sold" if tonne.rest_g else ""
            cost = f" ({plain(due.cost)} for us)" if due.cost else ""
            by = f"by {due.due}" if due.due else "no promise waits"
            self.stdout.write(
                f"  {by}  {tonne.batch.public_id} tonne {tonne.number}  {tonne.serial}"
                f"  {tonne.sold_g:,} g sold{rest}{cost}"
            )
