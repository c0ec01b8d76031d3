"""Command-line door of refunds that people decide."""

from typing import Any

from django.core.management.base import CommandError

from diandian.flows import resolve
from diandian.jobs.management.decisions import DecisionCommand


class Command(DecisionCommand):
    """Refunds orders that are not fulfilled, and money that was never an order's price."""

    help = (
        "Refund orders that are not fulfilled; of others, send back what was paid twice or not as"
        " agreed. Retired credits are never refunded here. Dry without --yes."
    )

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Refund. Raises: CommandError when anything was refused."""
        del args
        if not options["orders"]:
            raise CommandError("Which order? Nothing was done. Please give its number.")
        self.decide(options, resolve.refund_order)
