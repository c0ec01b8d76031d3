"""Command-line door of the payment set-up: is everything there that real money needs."""

from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from diandian.config import checks
from diandian.flows import gateways
from diandian.kernel.clock import business_day, now
from diandian.payments import merchants
from diandian.payments import queries as payment_queries
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.inbox import queries as inbox_queries
from diandian.payments.merchant_files import Merchant, MerchantFileError
from diandian.payments.messages import Finding

# Gateways refuse signatures whose time is five minutes off; who is a minute off will be, soon.
_CLOCKS_MAY_DIFFER = timedelta(minutes=1)
_ALARM_DAYS = 7


class Command(BaseCommand):
    """Tries the payment set-up without moving money, and says what is wrong in plain words."""

    help = "Look after payments: check (keys, clock, addresses, permissions); exit 1 on a fault."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what is to be done, and for which merchant."""
        tasks = parser.add_subparsers(dest="task", required=True)
        check = tasks.add_parser("check", help="try the set-up without moving money")
        check.add_argument("--merchant", default="", metavar="KEY", help="only this merchant")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Try everything. Exits 1 when something is wrong."""
        del args
        at = now()
        wrong = 0
        for finding in [*_house(at), *_merchants(options["merchant"], at)]:
            mark = "fine " if finding.is_fine else "WRONG"
            self.stdout.write(f"{mark}  {finding.subject}: {finding.text}")
            wrong += not finding.is_fine
        if wrong:
            self.stderr.write(f"{wrong} things are wrong. No money moved.")
            raise SystemExit(1)
        self.stdout.write("Everything that could be tried is in order. No money moved.")


def _fine(subject: str, text: str) -> Finding:
    return Finding(subject, is_fine=True, text=text)


def _wrong(subject: str, text: str) -> Finding:
    return Finding(subject, is_fine=False, text=text)


def _house(at: datetime) -> Iterable[Finding]:
    """Look at what all merchants share."""
    faults = merchants.set_up_faults()
    yield from (_wrong("set-up", fault) for fault in faults)
    if not faults:
        yield _fine("set-up", "the merchants' file and the gateways in use fit together.")
    yield _address_form()
    others = checks.wrong_database()
    yield from (_wrong("database", text) for text in others)
    if not others:
        yield _fine("database", f"nothing in it belongs to another mode than {settings.MODE}.")
    yield from _from_database(at)


def _address_form() -> Finding:
    """Look at the address that gateways would send notices to, as far as its form says."""
    parts = urlsplit(settings.BASE_URL)
    is_plain = parts.scheme == "https" and parts.hostname and not (parts.query or parts.fragment)
    if is_plain and not parts.username:
        return _fine("address for notices", f"{settings.BASE_URL} is https, without a query.")
    if settings.TEST_MODE and set(settings.GATEWAYS) <= {merchants.SANDBOX}:
        return _fine("address for notices", "the sandbox is on this machine and needs none.")
    return _wrong(
        "address for notices",
        f"{settings.BASE_URL} is not an https address without user and query; gateways send"
        " notices to no other. Set DIANDIAN_BASE_URL.",
    )


def _from_database(at: datetime) -> Iterable[Finding]:
    try:
        theirs = payment_queries.database_time()
        alarms = inbox_queries.alarms_since(business_day(at - timedelta(days=_ALARM_DAYS)))
    except DatabaseError as error:
        yield _wrong("database", f"it does not answer ({type(error).__name__}). Run: migrate.")
        return
    if theirs is not None and abs(theirs - at) > _CLOCKS_MAY_DIFFER:
        seconds = round((theirs - at).total_seconds())
        yield _wrong(
            "clock",
            f"this machine and the database differ by {seconds} s. Gateways refuse signatures that"
            " are minutes off: set both by NTP.",
        )
    else:
        yield _fine("clock", f"it is {at:%Y-%m-%d %H:%M:%S} UTC here; compare it once yourself.")
    for alarm in alarms:
        yield _wrong(
            "notices",
            f"{alarm.count} for {alarm.gateway or 'unknown addresses'} {alarm.merchant_key} were"
            f" refused on {alarm.day}: {alarm.reason}.",
        )


def _merchants(key: str, at: datetime) -> Iterable[Finding]:
    """Try each merchant in use, or the one that is named."""
    try:
        every = merchants.every()
    except MerchantFileError:
        return  # told already
    wanted = [merchant for merchant in every if key in {"", merchant.key}]
    if not wanted:
        yield _wrong("merchants", f"none is called {key}." if key else "there is none in use.")
    for merchant in wanted:
        yield from _tried(merchant, at)


def _tried(merchant: Merchant, at: datetime) -> Iterable[Finding]:
    name = f"{merchant.gateway} {merchant.key}"
    yield _fine(name, f"notices come to {gateways.notice_address(merchant)}")
    missing = merchant.context.missing_secrets()
    yield from (_wrong(name, text) for text in missing)
    if missing:
        return  # a trial would only say the same again
    try:
        for finding in gateways.try_out(merchant, at=at):
            yield Finding(f"{name}, {finding.subject}", finding.is_fine, finding.text)
    except UnknownGatewayError:
        yield _wrong(name, "its gateway is not in use. Add it to DIANDIAN_GATEWAYS.")
