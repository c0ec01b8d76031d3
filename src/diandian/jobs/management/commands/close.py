"""Command-line door of the daily close."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from diandian.flows import log_guard, sales
from diandian.flows.books import Side
from diandian.flows.close import Closing, close, reopen
from diandian.jobs.management.decisions import plain
from diandian.kernel.money import Money
from diandian.transparency.heads.trouble import WORDS

_GRAMS = {
    "available_g": "for sale",
    "blocked_g": "in batches that may not sell now",
    "held_g": "held for orders",
    "retired_g": "retired",
    "cancelled_g": "cancelled",
    "buffer_g": "in buffers",
}
_CASH = {
    "received": "received",
    "put_in": "put in by us =",
    "paid_out": "paid out",
    "fees": "fees",
    "owed": "owed",
}


class Command(BaseCommand):
    """Checks everything that must hold, closes the days that are over, and says so."""

    help = (
        "Check every invariant, print the equations of grams and money, close the days that are"
        " over; a breach fails by name and stops sales until --reopen."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add who asks."""
        parser.add_argument("--as", dest="name", default="", metavar="NAME", help="who closes")
        parser.add_argument("--reopen", action="store_true", help="reopen sales, if all holds")
        parser.add_argument("--reason", default="", help="why sales may go on, for the trail")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Close, or reopen. Raises: CommandError, exit status 1, when anything does not hold."""
        del args
        name, reason = options["name"].strip()[:60], options["reason"].strip()[:500]
        actor = f"operator:{name}" if name else "platform"
        if options["reopen"] and not (name and reason):
            raise CommandError(
                "Who reopens sales, and why? Nothing was done. Please give --as NAME and"
                " --reason TEXT."
            )
        closing = reopen(actor=actor, reason=reason) if options["reopen"] else close(actor=actor)
        self._equations(closing)
        self.stdout.write(
            f"For people: {_count(closing.under_review)} orders under review,"
            f" {_count(closing.refunds_open)} refunds not settled."
        )
        if not closing.holds:
            found = "\n".join(f"  {each}" for each in closing.found())
            raise CommandError(
                f"The books do not hold: {len(closing.breaches)} breaches.\n{found}".rstrip()
                + "\nNo day was closed. All sales are stopped, and stay stopped until the cause is"
                " gone and somebody says --reopen."
            )
        self.stdout.write("Everything holds.")
        if closing.closed is not None:
            self.stdout.write(f"Closed up to {closing.closed.day}: {closing.closed.sha256}")
        if refusal := log_guard.refused():
            self.stdout.write(f"Sales are stopped. {WORDS[refusal]}")
            return
        self.stdout.write(
            "Sales are stopped; --reopen lets them go on."
            if sales.are_stopped()
            else "Sales are open."
        )

    def _equations(self, closing: Closing) -> None:
        if closing.equations is None:
            self.stdout.write("The equations of grams and money could not be computed.")
            return
        self._grams(closing)
        for currency in closing.money:
            self._money(closing, currency)

    def _grams(self, closing: Closing) -> None:
        self.stdout.write("Grams")
        self._line(f"{closing.stock.issued_g:,}", "issued", "=")
        for index, (part, words) in enumerate(_GRAMS.items()):
            self._line(f"{getattr(closing.stock, part):,}", words, "+" if index else " ")
        if closing.grams_left_g:
            self._line(f"{closing.grams_left_g:,}", "MISSING", "!")
        self._line(f"{closing.books.sold_g:,}", "sold, as orders say: held and retired", "=")

    def _money(self, closing: Closing, currency: str) -> None:
        self.stdout.write(f"Money, {currency}")
        left, right = (Side.HELD, Side.SPENT), (Side.OWED, Side.EARNED)
        for sides, sign in ((left, "="), (right, " ")):
            for line in closing.money[currency]:
                if line.side in sides:
                    self._line(plain(line.amount), f"{line.side}: {line.name.lower()}", " ")
            self._line(plain(closing.total(currency, *sides)), "together", sign)
        cash = closing.books.cash[currency]
        for name, words in _CASH.items():
            self._line(plain(Money(getattr(cash, name), currency)), words, " ")

    def _line(self, amount: str, words: str, sign: str) -> None:
        self.stdout.write(f"  {amount:>28}  {words} {sign}".rstrip())


def _count(found: int | None) -> str:
    return "an unknown number of" if found is None else str(found)
