"""Reads of the inbox: what was not believed, and when somebody should look."""

from dataclasses import dataclass
from datetime import date

from diandian.payments.models import RefusedNotices

# A gateway now and then sends a wrong signature on purpose, to see that it is refused; more than
# these on one day have another cause.
_MOST_A_DAY = {
    # A key of the gateway that we do not have yet: every notice will be refused soon.
    "unknown_key": 2,
    "malformed": 10,
    "not_ours": 10,
    "stale": 20,
    "bad_signature": 50,
}
_MOST_OTHERS = 50


@dataclass(frozen=True, slots=True)
class Alarm:
    """More refusals of one kind on one day than chance explains."""

    gateway: str
    merchant_key: str
    reason: str
    day: date
    count: int


def refused_since(day: date) -> list[RefusedNotices]:
    """Return the counts of refused notices from a business day on, oldest first."""
    return list(RefusedNotices.objects.filter(day__gte=day))


def alarms_since(day: date) -> list[Alarm]:
    """Return what somebody should look at, oldest first; a few refusals a day are none."""
    return [
        Alarm(row.gateway, row.merchant_key, row.reason, row.day, row.count)
        for row in refused_since(day)
        if row.count > _MOST_A_DAY.get(row.reason, _MOST_OTHERS)
    ]
