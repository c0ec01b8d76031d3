"""Production is told when nothing outside the data folder knows how far the log was signed."""

import pytest
from django.core.checks import Tags, run_checks

pytestmark = pytest.mark.pure


def told(settings, mode, high_water, witnesses):
    settings.MODE, settings.HIGH_WATER, settings.LOG_WITNESSES = mode, high_water, witnesses
    found = {message.id: message for message in run_checks(tags=[Tags.security])}
    return found.get("diandian.W006")


def test_production_without_file_and_witness_is_told_what_to_set(settings):
    said = told(settings, "production", "", "")
    assert "would not be noticed" in said.msg
    assert "DIANDIAN_HIGH_WATER" in said.hint


@pytest.mark.parametrize(
    "setup", [("demo", "", ""), ("production", "/x/marks", ""), ("production", "", "/x/witnesses")]
)
def test_nobody_else_is_told(settings, setup):
    assert told(settings, *setup) is None
