"""What the commands share with which people decide about orders: who, why, and first dry."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from diandian.flows.resolve import Decision
from diandian.kernel.errors import DiandianError
from diandian.kernel.money import Money
from diandian.orders.models import Order

_MOST_REASON = 500
_MOST_NAME = 60


def plain(amount: Money) -> str:
    """Return an amount for the operator's terminal, such as ``8.04 CNY``."""
    return f"{amount.decimal()} {amount.currency}"


class DecisionCommand(BaseCommand):
    """A decision about orders: dry unless ``--yes``; who decides and why go into the trail."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what every decision needs."""
        parser.add_argument("orders", nargs="*", metavar="ORDER", help="numbers of orders")
        parser.add_argument("--as", dest="name", default="", metavar="NAME", help="who decides")
        parser.add_argument("--reason", default="", help="why, for the audit trail")
        parser.add_argument("--yes", action="store_true", help="do it; without it only show")

    def decide(self, options: dict[str, Any], flow: Callable[..., Decision]) -> None:
        """Decide about each order. Raises: CommandError naming those that were refused."""
        name, reason = options["name"].strip(), options["reason"].strip()
        if not name or not reason:
            raise CommandError(
                "Who decides, and why? Nothing was done. Please give --as NAME and --reason TEXT."
            )
        if len(name) > _MOST_NAME or len(reason) > _MOST_REASON:
            raise CommandError(
                f"A name has at most {_MOST_NAME} characters, a reason {_MOST_REASON}."
                " Nothing was done. Please write it shorter."
            )
        numbers = [self._number(text) for text in options["orders"]]
        refused = []
        for number in numbers:
            try:
                decision = flow(
                    number, actor=f"operator:{name}", reason=reason, dry=not options["yes"]
                )
            except Order.DoesNotExist:
                refused.append(f"order {number}: There is no order of this number.")
            except DiandianError as error:
                refused.append(f"order {number}: {error.text()}")
            else:
                self._show(decision, done=options["yes"])
        if refused:
            raise CommandError("\n".join(refused))
        if not options["yes"]:
            self.stdout.write("Nothing was done yet. Add --yes to do it.")

    def _number(self, text: str) -> int:
        number = text.removeprefix("order:")
        if not (number.isascii() and number.isdecimal()) or len(number) > 18:  # noqa: PLR2004 - of 64 bits
            raise CommandError(
                f"{text!r} is not the number of an order. Nothing was done. It looks like 17."
            )
        return int(number)

    def _show(self, decision: Decision, *, done: bool) -> None:
        order = decision.order
        would = "" if done else "would be "
        self.stdout.write(
            f"order {order.id}: {would}{decision.after}, before it was {decision.before}"
        )
        for reference, amount in decision.moved:
            self.stdout.write(f"  {plain(amount)}, {reference}")
