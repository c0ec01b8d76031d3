"""The only reader of the time. Instants are aware and in UTC; days are those of Asia/Shanghai."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """Return the present instant, in UTC."""
    return datetime.now(UTC)


def business_day(at: datetime | None = None) -> date:
    """Return the calendar day in the platform's business zone."""
    return (at or now()).astimezone(BUSINESS_ZONE).date()


def day_starts(day: date) -> datetime:
    """Return the instant at which a business day begins, in UTC."""
    return datetime.combine(day, time(), BUSINESS_ZONE).astimezone(UTC)
