"""The command and the schedule of statements: what is due is done, and said in plain words."""

from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from diandian.flows import statement_files
from diandian.jobs import schedule
from diandian.payments.messages import Rejected
from diandian.reconciliation.models import DayState, StatementFile
from tests.flows.conftest import clock, world  # noqa: F401 - fixtures
from tests.flows.statements import TEN, answered, later, the_day, told

pytestmark = pytest.mark.django_db(transaction=True)


def reconcile(*arguments):
    """Run the command; return what it said, and its exit status."""
    out = StringIO()
    try:
        call_command("reconcile", *arguments, stdout=out, stderr=out)
    except SystemExit as left:
        return out.getvalue(), left.code
    return out.getvalue(), 0


@pytest.fixture
def ten(world, clock):  # noqa: F811
    assert world.pay(world.order()) == "completed"
    clock.move_to(TEN)
    return clock


def test_the_command_closes_what_agrees_and_proves_the_balance(ten):
    said, status = reconcile()
    assert status == 0
    assert "books 7.99 CNY = statements 7.99 CNY + since then 0.00 CNY" in said
    assert "+ not explained 0.00 CNY" in said
    assert "Every day that is due is closed." in said


def test_the_command_names_each_difference(ten, world):  # noqa: F811
    with told(lambda lines: [replace(lines[0], gross_minor=1, net_minor=-4)], kinds=("trades",)):
        said, status = reconcile()
    assert status == 1
    assert "amount_diff" in said
    assert "statement 0.01 CNY, books 8.04 CNY" in said
    assert "1 days are not closed." in said
    said, status = reconcile("--day", "2026-11-22", "--merchant", "sandbox")
    assert (status, the_day().state) == (0, DayState.CLOSED)
    assert "stays as it is" in reconcile("--day", "2026-11-22")[0]


def test_the_command_says_why_there_is_no_statement(ten):
    with answered(Rejected("not_ready", retryable=True)):
        said, status = reconcile()
    assert (status, "sandbox 2026-11-22: waiting, not_ready" in said) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (("--merchant", "nobody"), "There is no merchant 'nobody'. Nothing was done."),
        (("--day", "yesterday"), "'yesterday' is not a day. Nothing was done."),
        (("--day", "2026-11-23"), "comes on the next day from ten o'clock. Nothing was done."),
    ],
)
def test_the_command_refuses_what_makes_no_sense(ten, arguments, refusal):
    with pytest.raises(CommandError, match=refusal.split(". ")[0][:40]) as refused:
        reconcile(*arguments)
    assert refusal in str(refused.value)


def test_the_worker_does_it_by_itself(ten):
    [task] = [each for each in schedule.TASKS if each.name == "match statements of gateways"]
    assert task.run() == 1
    assert the_day().state == DayState.CLOSED


def test_files_are_kept_for_their_owner_alone_and_not_for_long(ten, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    reconcile()
    paths = sorted((tmp_path / "statements/sandbox").iterdir())
    assert {path.name for path in paths} == set(
        StatementFile.objects.values_list("sha256", flat=True)
    )
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    ages = {path: path.stat().st_mtime for path in paths}
    settings.STATEMENT_FILE_DAYS = 30
    newest = max(ages.values())
    from datetime import UTC, datetime, timedelta

    written = datetime.fromtimestamp(newest, UTC)
    assert statement_files.sweep(at=written + timedelta(days=29)) == 0
    assert statement_files.sweep(at=written + timedelta(days=31)) == 2


def test_zero_days_write_no_file(ten, settings, tmp_path):
    settings.DATA_DIR, settings.STATEMENT_FILE_DAYS = tmp_path, 0
    reconcile()
    assert the_day().state == DayState.CLOSED
    assert not (tmp_path / "statements").exists()
    assert later() == TEN
