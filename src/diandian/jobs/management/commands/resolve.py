"""Command-line door of decisions about orders under review."""

from argparse import ArgumentParser
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from diandian.flows import resolve
from diandian.jobs.management.decisions import DecisionCommand, plain
from diandian.kernel.clock import day_starts, now
from diandian.kernel.money import Money
from diandian.orders import queries, rules
from diandian.orders.models import Order


def _end_of(text: str) -> datetime:
    """Return the end of a business day, as the desk takes it. Raises: CommandError."""
    try:
        return day_starts(date.fromisoformat(text) + timedelta(days=1))
    except (ValueError, OverflowError) as error:
        raise CommandError(
            f"{text!r} is not a day. Nothing was done. It looks like 2026-12-01."
        ) from error


class Command(DecisionCommand):
    """Lists orders under review, or decides about some."""

    help = (
        "Without ORDER: list the orders under review. --refund sends back what was received,"
        " --accept takes it as the price if it is exactly that, and fulfils; --wait-until goes on"
        " trying until the end of a day. Dry without --yes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the three decisions."""
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--refund", action="store_true", help="send everything back")
        which.add_argument("--accept", action="store_true", help="take it as the price and fulfil")
        which.add_argument(
            "--wait-until", default="", metavar="DAY", help="go on trying: 2026-12-01"
        )

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """List or decide. Raises: CommandError when anything was refused."""
        del args
        if not options["orders"]:
            self._list()
            return
        if options["wait_until"]:
            until = _end_of(options["wait_until"])
            self.decide(options, partial(resolve.keep_waiting, until=until))
        elif options["refund"] or options["accept"]:
            self.decide(options, resolve.accept if options["accept"] else resolve.give_back)
        else:
            raise CommandError(
                "Nothing was done. Please say --refund or --accept, or --wait-until DAY."
            )

    def _list(self) -> None:
        orders, at = queries.under_review(), now()
        for order in orders:
            total = plain(Money(order.quote.total_minor, order.quote.currency))
            ready = " + ".join(plain(each) for each in resolve.received(order)) or "nothing"
            self.stdout.write(
                f"order {order.id}, {order.created_at:%Y-%m-%d %H:%M}: costs {total},"
                f" received {ready}, holds {order.mass_g} g{self._age(order, at)}"
            )
        if not orders:
            self.stdout.write("No order is under review.")

    def _age(self, order: Order, at: datetime) -> str:
        if order.reviewed_at is None:
            return ""
        late = ", overdue" if at - order.reviewed_at >= rules.REVIEW_WITHIN else ""
        return f", under review since {order.reviewed_at:%Y-%m-%d}{late}"
