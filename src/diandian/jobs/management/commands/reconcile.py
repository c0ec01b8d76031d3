"""Command-line door of the statements of gateways."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from diandian.flows import reconcile, reconcile_proof
from diandian.jobs.management.decisions import plain
from diandian.kernel.clock import now
from diandian.kernel.money import EXPONENTS, Money
from diandian.payments import merchants
from diandian.payments.merchant_files import Merchant
from diandian.reconciliation import queries, rules
from diandian.reconciliation.errors import DayIsClosedError
from diandian.reconciliation.models import DayState, GatewayDay

_SHOWN = 20
_TURNS = 400


class Command(BaseCommand):
    """Fetches what is due, matches it, and says what does not agree."""

    help = (
        "Fetch the statements of gateways that are due, match them with our books, list what"
        " differs and prove the balances; exit 1 while a day is not closed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add which day, and whose."""
        parser.add_argument("--day", default="", metavar="DAY", help="this day again: 2026-11-22")
        parser.add_argument("--merchant", default="", metavar="KEY", help="of this merchant alone")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Reconcile. Raises: CommandError. Exits 1 while a day is not closed."""
        del args
        chosen = self._merchants(options["merchant"])
        if options["day"]:
            days = [self._again(merchant, _day(options["day"])) for merchant in chosen]
        else:
            self._all_due()
            days = [day for merchant in chosen for day in _unclosed(merchant)]
        for day in days:
            self._show(day)
        for merchant in chosen:
            self._prove(merchant)
        left = [day for day in days if day.state != DayState.CLOSED]
        if left:
            self.stderr.write(f"{len(left)} days are not closed.")
            raise SystemExit(1)
        self.stdout.write("Every day that is due is closed.")

    def _merchants(self, key: str) -> list[Merchant]:
        found = [each for each in merchants.every() if key in {"", each.key}]
        if not found:
            raise CommandError(
                f"There is no merchant {key!r}. Nothing was done. Please give one of:"
                f" {', '.join(each.key for each in merchants.every())}."
            )
        return [each for each in found if reconcile.kinds_of(each)]

    def _all_due(self) -> None:
        at = now()
        for _ in range(_TURNS):
            if not reconcile.run_due(10, at=at):
                return

    def _again(self, merchant: Merchant, day: date) -> GatewayDay:
        at = now()
        if rules.due_at(day) > at:
            raise CommandError(
                f"The statement of {day} comes on the next day from ten o'clock. Nothing was done."
            )
        row = reconcile.begin_day(merchant, day, at=at)
        try:
            reconcile.work_on(row, afresh=True, at=at)
        except DayIsClosedError:
            self.stdout.write(f"{row} is closed and stays as it is.")
        row.refresh_from_db()
        return row

    def _show(self, day: GatewayDay) -> None:
        problem = f", {day.problem}" if day.problem else ""
        self.stdout.write(f"{day}: {day.state}{problem}")
        found = queries.differences(day, settings.SIGN_ALONE_MINOR)
        for each in found[:_SHOWN]:
            item = each.item
            signed = "" if each.is_open else " (signed)"
            self.stdout.write(
                f"  {item.outcome:<14} {item.kind:<8} statement {_amount(item.theirs_minor, item)},"
                f" books {_amount(item.ours_minor, item)}"
                f"  {item.our_no or item.gateway_ref}{signed}"
            )
        if len(found) > _SHOWN:
            self.stdout.write(f"  and {len(found) - _SHOWN} more, at the desk")

    def _prove(self, merchant: Merchant) -> None:
        for proof in reconcile_proof.of_merchant(merchant):
            parts = [
                plain(Money(amount_minor, proof.currency))
                for amount_minor in (
                    proof.ledger_minor,
                    proof.stated_minor,
                    proof.since_minor,
                    proof.left_minor,
                )
            ]
            self.stdout.write(
                f"{merchant.key}: books {parts[0]} = statements {parts[1]} + since then {parts[2]}"
                f" + not explained {parts[3]}"
            )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            f"{text!r} is not a day. Nothing was done. It looks like 2026-11-22."
        ) from error


def _unclosed(merchant: Merchant) -> list[GatewayDay]:
    context = merchant.context
    return [
        day
        for day in queries.days(now().date())
        if (day.gateway, day.mode, day.account) == (context.gateway, context.mode, context.account)
        and day.state != DayState.CLOSED
    ]


def _amount(amount_minor: int | None, item: Any) -> str:  # noqa: ANN401 - a row of the match
    if amount_minor is None:
        return "nothing"
    if item.currency not in EXPONENTS:
        return f"{amount_minor} {item.currency}"
    return plain(Money(amount_minor, item.currency))
