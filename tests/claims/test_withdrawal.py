"""Who may withdraw, and until when: pure rules, with their sources."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from diandian.claims import withdrawal

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("is_person", "country", "language", "expected"),
    [
        (True, "NL", "zh-Hans", True),
        (True, "NO", "en", True),
        (True, "GB", "en", True),
        (True, "CN", "nl", False),
        (True, "CH", "en", False),
        (True, "US", "nl", False),
        (True, "", "nl", True),
        (True, "", "en", False),
        (True, "", "zh-Hans", False),
        (False, "NL", "nl", False),
        (False, "", "nl", False),
    ],
)
def test_people_in_the_eea_and_the_united_kingdom_are_asked(is_person, country, language, expected):
    asked = withdrawal.applies(is_person=is_person, country=country, language=language)
    assert asked is expected


@pytest.mark.parametrize(
    ("is_person", "country", "expected"),
    [(True, "CN", True), (True, "NL", False), (True, "", False), (False, "NL", True)],
)
def test_without_a_place_nobody_is_ruled_out(is_person, country, expected):
    assert withdrawal.is_ruled_out(is_person=is_person, country=country) is expected


def test_the_european_economic_area_is_whole():
    asked = {
        a + b
        for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        if withdrawal.applies(is_person=True, country=a + b, language="en")
    }
    assert len(asked) == 27 + 3 + 1
    assert {"IS", "LI", "NO", "GB"} < asked
    assert not asked & {"CN", "CH", "US", "UK", "EU", "EL"}


def own_end(paid_at, zone):
    """Return when the period of Regulation 1182/71 ends for a consumer in a zone of their own."""
    last = paid_at.astimezone(zone).date() + timedelta(days=14)
    while last.weekday() > 4:
        last += timedelta(days=1)
    return datetime.combine(last + timedelta(days=1), datetime.min.time(), tzinfo=zone)


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "Europe/Helsinki", "Atlantic/Azores"])
def test_it_never_ends_before_it_ends_where_the_consumer_is(zone):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for hour in range(0, 366 * 24, 5):
        paid_at = start + timedelta(hours=hour, minutes=31)
        ends_at = withdrawal.ends_at(paid_at)
        assert own_end(paid_at, ZoneInfo(zone)) <= ends_at <= paid_at + timedelta(days=18)


@pytest.mark.parametrize(
    ("paid_at", "ends_at"),
    [
        # A Tuesday, so the fourteenth day is one too; then the whole of it.
        ("2026-11-24T09:00+00:00", "2026-12-09T01:00+00:00"),
        # A Saturday and a Sunday move on to Monday.
        ("2026-11-21T09:00+00:00", "2026-12-08T01:00+00:00"),
        ("2026-11-22T09:00+00:00", "2026-12-08T01:00+00:00"),
        # Late in Lisbon it is the next day in Helsinki.
        ("2026-11-24T22:30+00:00", "2026-12-10T01:00+00:00"),
    ],
)
def test_the_last_day_counts_whole(paid_at, ends_at):
    expected = datetime.fromisoformat(ends_at)
    assert withdrawal.ends_at(datetime.fromisoformat(paid_at)) == expected


def test_every_rule_says_where_and_when_it_was_read():
    found = withdrawal.rules()
    assert {rule.id for rule in found} == {"W-01", "W-02", "W-03"}
    assert all(date(2026, 1, 1) < rule.source_checked_on for rule in found)
