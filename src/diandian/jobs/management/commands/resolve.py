"""Command-line door of decisions about orders under review."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from diandian.flows import resolve
from diandian.jobs.management.decisions import DecisionCommand, plain
from diandian.kernel.money import Money
from diandian.orders import queries


class Command(DecisionCommand):
    """Lists orders under review, or decides about some."""

    help = (
        "Without ORDER: list the orders under review. --refund sends back what was received,"
        " --accept takes it as the price if it is exactly that, and fulfils. Dry without --yes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the two decisions."""
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--refund", action="store_true", help="send everything back")
        which.add_argument("--accept", action="store_true", help="take it as the price and fulfil")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """List or decide. Raises: CommandError when anything was refused."""
        del args
        if not options["orders"]:
            self._list()
            return
        if not options["refund"] and not options["accept"]:
            raise CommandError("Nothing was done. Please say --refund or --accept.")
        self.decide(options, resolve.accept if options["accept"] else resolve.give_back)

    def _list(self) -> None:
        orders = queries.under_review()
        for order in orders:
            total = plain(Money(order.quote.total_minor, order.quote.currency))
            ready = " + ".join(plain(each) for each in resolve.received(order)) or "nothing"
            self.stdout.write(
                f"order {order.id}, {order.created_at:%Y-%m-%d %H:%M}: costs {total},"
                f" received {ready}, holds {order.mass_g} g"
            )
        if not orders:
            self.stdout.write("No order is under review.")
