"""A name of the public log under which no key could be entered is refused before anything runs."""

import pytest
from django.core.checks import Tags, run_checks

from diandian.config import checks
from diandian.flows import log_keys
from diandian.kernel.clock import now
from diandian.transparency import queries
from diandian.transparency.errors import LogNameError
from diandian.transparency.heads import actions as head_actions
from diandian.transparency.models import LogEntry
from diandian.transparency.rules import LONGEST_FIRST_NAME, LONGEST_NAME


def named(length):
    return "h" * (length - 4) + "/log"


def told(settings, name):
    settings.LOG_ORIGIN = name
    return {message.id: message.msg for message in run_checks(tags=[Tags.security])}.get(
        "diandian.E007"
    )


@pytest.mark.pure
def test_a_name_that_is_too_long_does_not_start(settings):
    said = told(settings, named(LONGEST_FIRST_NAME + 1))
    assert "99 characters, and 98 fit" in said
    assert "Nothing was started" in said
    assert "DIANDIAN_LOG_ORIGIN" in said
    with pytest.raises(RuntimeError, match="DIANDIAN_LOG_ORIGIN"):
        checks.require_safe_settings()


@pytest.mark.pure
def test_a_name_with_other_letters_does_not_start(settings):
    assert "DIANDIAN_LOG_ORIGIN" in told(settings, "点点.example/log")


@pytest.mark.pure
def test_the_longest_name_starts(settings):
    assert told(settings, named(LONGEST_FIRST_NAME)) is None


@pytest.mark.django_db
def test_the_longest_name_and_its_keys_can_be_entered(settings):
    name = named(LONGEST_NAME)
    head = head_actions.open_next(name, None, at=now())
    settings.LOG_ORIGIN = name
    log_keys.rotate(actor="operator:li", reason="a look")
    kept = LogEntry.objects.filter(kind="key").values_list("ref", flat=True)
    column = LogEntry._meta.get_field("ref")
    assert kept
    assert max(len(ref) for ref in kept) <= column.max_length
    assert queries.keys_of(head)


@pytest.mark.django_db
def test_a_log_that_follows_is_not_named_longer_than_fits():
    head_actions.open_next("shop.example/log", None, at=now())
    with pytest.raises(LogNameError):
        log_keys.close(actor="operator:li", reason="stolen", next_origin=named(LONGEST_NAME + 1))
