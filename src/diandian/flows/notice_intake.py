"""The door for notices: whose they are, and whether they are believed.

A notice that is not believed costs no query and leaves no row but a count. Its bytes are kept
nowhere. *Source:* payments design, sections 5 (step 1), 6 (rows 9, 10, 15 to 17) and 12.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from diandian.kernel.clock import business_day, now
from diandian.payments import merchants
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.inbox import actions as inbox_actions
from diandian.payments.inbox import queries as inbox_queries
from diandian.payments.inbox import tally
from diandian.payments.lines import told
from diandian.payments.merchant_files import Merchant
from diandian.payments.messages import Ack, NoticeRefused, VerifiedNotice

log = logging.getLogger(__name__)

NO_SUCH_ADDRESS = "no_such_address"
# Days, today among them, whose counts of refused notices stay; the desk shows fewer.
KEPT_DAYS = 90


@dataclass(frozen=True, slots=True)
class Heard:
    """A notice that is believed, and the answer to it."""

    merchant: Merchant
    notice: VerifiedNotice
    ack: Ack


def hear(
    gateway_key: str, merchant_key: str, headers: Mapping[str, str], body: bytes, *, at: datetime
) -> Heard | Ack:
    """Verify a notice; return it, or the answer that refuses it.

    ``merchant_key``: "" in the short address, which serves while a gateway has one merchant.
    """
    try:
        gateway = merchants.gateway_of(gateway_key)
        merchant = merchants.of_address(gateway_key, merchant_key)
    except UnknownGatewayError:
        # The names are the sender's own: they are counted under none.
        tally.count("", "", NO_SUCH_ADDRESS)
        return Ack(404, b"unknown address")
    try:
        said = gateway.parse_notification(merchant.context, headers, body, at=at)
    except Exception as error:  # noqa: BLE001 - hostile input must never show how we are built
        log.error("a notice of %s broke its parser: %s", gateway_key, told(error))  # noqa: TRY400 - its text may hold secrets
        said = NoticeRefused("malformed")
    if isinstance(said, NoticeRefused):
        tally.count(gateway_key, merchant.key, said.reason)
        return gateway.ack(said)
    return Heard(merchant, said, gateway.ack(None))


def watch(*, at: datetime | None = None) -> int:
    """Say in the log what of today's refusals is more than chance; return how many kinds."""
    alarms = inbox_queries.alarms_since(business_day(at))
    for alarm in alarms:
        log.error(
            "%s notices for %s %s were refused today: %s. See: payments check",
            alarm.count,
            alarm.gateway or "unknown addresses",
            alarm.merchant_key,
            alarm.reason,
        )
    return len(alarms)


def forget_old(*, at: datetime | None = None) -> int:
    """Remove counts of refused notices that are older than ``KEPT_DAYS``; return how many."""
    today = business_day(at or now())
    return inbox_actions.forget_refused(today - timedelta(days=KEPT_DAYS - 1))
