"""Command-line door of the daily close."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from diandian.flows.close import Closing, Side, close
from diandian.jobs.management.decisions import plain

_GRAMS = {
    "available_g": "for sale",
    "blocked_g": "in batches that may not sell now",
    "held_g": "held for orders",
    "retired_g": "retired",
    "cancelled_g": "cancelled",
    "buffer_g": "in buffers",
}


class Command(BaseCommand):
    """Checks everything that must hold, and says so in plain words."""

    help = (
        "Check every invariant, print the equations of grams and money; fails naming each breach."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add who asks."""
        parser.add_argument("--as", dest="name", default="", metavar="NAME", help="who closes")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Close. Raises: CommandError, exit status 1, when anything does not hold."""
        del args
        name = options["name"].strip()[:60]
        closing = close(actor=f"operator:{name}" if name else "platform")
        self._grams(closing)
        for currency in closing.money:
            self._money(closing, currency)
        self.stdout.write(
            f"For people: {closing.under_review} orders under review,"
            f" {closing.refunds_open} refunds not settled."
        )
        if not closing.holds:
            found = "\n".join(f"  {breach}" for breach in closing.breaches)
            raise CommandError(
                f"The books do not hold: {len(closing.breaches)} breaches.\n{found}".rstrip()
                + "\nNothing was changed. Please find the cause before anything more is sold."
            )
        self.stdout.write("Everything holds.")

    def _grams(self, closing: Closing) -> None:
        self.stdout.write("Grams")
        self._line(f"{closing.stock.issued_g:,}", "issued", "=")
        for index, (part, words) in enumerate(_GRAMS.items()):
            self._line(f"{getattr(closing.stock, part):,}", words, "+" if index else " ")
        if closing.grams_left_g:
            self._line(f"{closing.grams_left_g:,}", "MISSING", "!")

    def _money(self, closing: Closing, currency: str) -> None:
        self.stdout.write(f"Money, {currency}")
        left, right = (Side.HELD, Side.SPENT), (Side.OWED, Side.EARNED)
        for sides, sign in ((left, "="), (right, " ")):
            for line in closing.money[currency]:
                if line.side in sides:
                    self._line(plain(line.amount), f"{line.side}: {line.name.lower()}", " ")
            self._line(plain(closing.total(currency, *sides)), "together", sign)

    def _line(self, amount: str, words: str, sign: str) -> None:
        self.stdout.write(f"  {amount:>28}  {words} {sign}".rstrip())
