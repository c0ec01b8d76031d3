"""With which payments the house starts, and what the command says of them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command

from diandian.config import checks
from diandian.config.management.commands import payments as command
from diandian.payments import merchants
from diandian.payments import queries as payment_queries
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.inbox import actions as inbox_actions
from diandian.payments.messages import Finding
from diandian.payments.models import Payment
from diandian.registry.batches import lookups

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def production(settings):
    settings.MODE, settings.TEST_MODE = "production", False
    settings.SECRET_KEY_IS_LASTING = True
    settings.HIGH_WATER = "/somewhere/else/high-water"
    settings.BASE_URL = "https://diandian.example"
    settings.ALLOWED_HOSTS = ["diandian.example"]
    settings.GATEWAYS = []
    return settings


def test_production_without_gateways_starts(production):
    checks.require_safe_settings()
    assert run_checks(tags=[Tags.security]) == []


def test_production_refuses_the_sandbox(production):
    production.GATEWAYS = ["sandbox"]
    with pytest.raises(RuntimeError, match="give credits away"):
        checks.require_safe_settings()
    (error,) = run_checks(tags=[Tags.security])
    assert error.id == "diandian.E004"
    assert not merchants.is_in_use("sandbox")


def test_a_file_with_faults_starts_nothing(settings, tmp_path):
    settings.MERCHANTS_FILE = str(tmp_path / "merchants.toml")
    with pytest.raises(RuntimeError, match="cannot be read"):
        checks.require_safe_settings()
    (tmp_path / "merchants.toml").write_text('[[merchant]]\nkey = "one"\n')
    with pytest.raises(RuntimeError, match="merchant one: gateway is missing"):
        checks.require_safe_settings()


def payment(mode):
    return Payment.objects.create(
        payment_no=f"DD{mode}",
        owner_ref=f"order:{mode}",
        gateway="sandbox",
        mode=mode,
        merchant="demo",
        amount_minor=1,
        currency="CNY",
        created_at=NOW,
        expires_at=NOW,
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("mode", "other"), [(True, "live"), (False, "test")])
def test_a_database_of_the_other_mode_is_refused(settings, mode, other):
    settings.TEST_MODE = mode
    assert checks.wrong_database() == []
    payment("live" if other == "test" else "test")
    assert checks.wrong_database() == []
    payment(other)
    with pytest.raises(RuntimeError, match=f"holds {other} payments"):
        checks.require_database_of_this_mode()
    errors = run_checks(tags=[Tags.database], databases=["default"])
    assert "diandian.E005" in {error.id for error in errors}


@pytest.mark.django_db
def test_production_refuses_sample_credits(settings, monkeypatch):
    monkeypatch.setattr(lookups, "has_samples", lambda: True)
    assert checks.wrong_database() == []
    settings.TEST_MODE = False
    (fault,) = checks.wrong_database()
    assert "sample credits" in fault


def test_samples_are_seen(world_of_samples):
    assert lookups.has_samples()


@pytest.fixture
def world_of_samples(db):
    from tests.flows.conftest import make_project

    assert not lookups.has_samples()
    project = make_project("sampled")
    assert not lookups.has_samples()
    batch = project.batches.get()
    type(batch).objects.filter(id=batch.id).update(is_sample=True)


# -- the command ------------------------------------------------------------------------------


@pytest.fixture
def check(db, capsys, settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.KEYS_DIR = tmp_path / "keys"

    def run(*arguments):
        code = 0
        try:
            call_command("payments", "check", *arguments)
        except SystemExit as error:
            code = error.code
        return code, capsys.readouterr().out

    return run


def test_a_demo_is_in_order(check):
    code, said = check()
    assert code == 0
    assert "WRONG" not in said
    assert "http://testserver/api/v1/notifications/sandbox/sandbox" in said


def test_a_merchant_that_is_not_there_is_said(check):
    code, said = check("--merchant", "nobody")
    assert (code, "none is called nobody" in said) == (1, True)


def test_what_a_gateway_finds_is_told(check, monkeypatch):
    found = [Finding("clock", is_fine=False, text="It is 400 s slow.")]
    monkeypatch.setattr(SandboxGateway, "check", lambda *_, **__: found)
    code, said = check("--merchant", "sandbox")
    assert (code, "WRONG  sandbox sandbox, clock: It is 400 s slow." in said) == (1, True)


def test_a_trial_that_breaks_off_is_told_without_its_text(check, monkeypatch):
    def broken(*_, **__):
        raise ConnectionError("https://pay.example/?sign=SECRET")

    monkeypatch.setattr(SandboxGateway, "check", broken)
    code, said = check()
    assert (code, "ConnectionError" in said, "SECRET" in said) == (1, True, False)


def test_a_key_that_is_not_there_is_named(check, settings, tmp_path, monkeypatch):
    sandbox = merchants._sandbox

    def with_key(store, keys_dir):
        made = sandbox(store, keys_dir)
        made.context.options["api_key"] = f"file:{tmp_path}/gone.pem"
        return made

    monkeypatch.setattr(merchants, "_sandbox", with_key)
    settings.KEYS_DIR = tmp_path / "other keys"
    code, said = check()
    assert code == 1
    assert f"api_key: {tmp_path}/gone.pem cannot be read" in said


def test_faults_of_the_file_are_told(check, settings, tmp_path):
    settings.MERCHANTS_FILE = str(tmp_path / "gone.toml")
    code, said = check()
    assert (code, "WRONG  set-up" in said, "gone.toml cannot be read" in said) == (1, True, True)


@pytest.mark.parametrize(
    ("address", "is_fine"),
    [
        ("https://pay.example", True),
        ("http://pay.example", False),
        ("https://pay.example?x=1", False),
        ("https://user@pay.example", False),
    ],
)
def test_gateways_send_notices_to_https_without_a_query_only(settings, address, is_fine):
    settings.BASE_URL = address
    settings.GATEWAYS = ["otherpay"]
    assert command._address_form().is_fine is is_fine


@pytest.mark.parametrize(("seconds", "is_fine"), [(0, True), (59, True), (61, False), (-90, False)])
def test_a_clock_that_differs_from_the_databases_is_told(check, monkeypatch, seconds, is_fine):
    at = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    monkeypatch.setattr(command, "now", lambda: at)
    monkeypatch.setattr(payment_queries, "database_time", lambda: at + timedelta(seconds=seconds))
    code, said = check()
    assert (code == 0, "WRONG  clock" not in said) == (is_fine, is_fine)


def test_alarms_about_refused_notices_are_told(check):
    inbox_actions.count_refused(
        gateway="sandbox", merchant_key="sandbox", reason="unknown_key", count=9, at=command.now()
    )
    code, said = check()
    assert (code, "9 for sandbox sandbox were refused" in said) == (1, True)


@pytest.mark.django_db
def test_the_database_tells_its_time():
    theirs = payment_queries.database_time()
    assert theirs is None or abs(theirs - command.now()) < timedelta(minutes=1)
