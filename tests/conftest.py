"""Frame of all tests: a closed network, and plain words on what is skipped."""

import gc
import socket
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from tests.places import chromium, on_a_file
from tests.settings import DATABASE_KIND, FOLDER

# How long an example takes is the machine's affair: timings are for the benches.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")
_LOOPBACK = ("127.", "::1", "localhost")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the tests by file where ``--dist loadfile`` is asked for."""
    from tests.sharing import Sharing

    return Sharing(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    browser = chromium()
    for item in items:
        if item.get_closest_marker("django_db"):
            item.add_marker("db")
        if item.get_closest_marker("browser") and not browser:
            item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))
        if item.get_closest_marker("postgres") and DATABASE_KIND != "postgres":
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL: runs in the second round"))


def pytest_collection_finish() -> None:
    """Let the collector of garbage not go through what stays to the end, again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> None:
    """Test on a SQLite file where the database is SQLite."""
    from django.conf import settings

    on_a_file(settings.DATABASES["default"], FOLDER.name)


@pytest.fixture(autouse=True, scope="session")
def tables_are_emptied_quickly() -> Iterator[None]:
    """Empty the tables after a test that committed: the one deletion that the guards must allow."""
    from django.test import TransactionTestCase

    def empty(self: TransactionTestCase) -> None:
        from tests.emptied import empty

        # What would ask for more than empty tables is asked for nowhere.
        assert not self.serialized_rollback
        assert self.available_apps is None
        for using in self._databases_names(include_mirrors=False):
            empty(using)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


def _is_near(address: object) -> bool:
    return not isinstance(address, tuple) or str(address[0]).startswith(_LOOPBACK)


@pytest.fixture(autouse=True, scope="session")
def closed_network() -> Iterator[None]:
    """Refuse every connection that leaves this machine."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    look_up = socket.getaddrinfo

    def refuse(address: object) -> None:
        if not _is_near(address):
            raise RuntimeError(f"tests have no network: {address} was called")

    def guarded_connect(self: socket.socket, address: object) -> None:
        refuse(address)
        return connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: object) -> int:
        refuse(address)
        return connect_ex(self, address)

    def guarded_look_up(host: object, *args: object, **kwargs: object) -> object:
        refuse((host or "127.0.0.1",))
        return look_up(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return the browser's path; tests that ask for it are skipped where there is none."""
    path = chromium()
    if not path:
        pytest.skip("no Chromium on this machine")
    return path


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """Let no test know what another one's database said."""
    from diandian.kernel.memory import Memory

    Memory.forget_everything()


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Begin every test in the source language, whatever the one before spoke."""
    from django.utils import translation

    with translation.override("en"):
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once for each reason how much was skipped."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count} skipped: {reason.removeprefix('Skipped: ')}")


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    FOLDER.cleanup()


@pytest.fixture
def statements_agree(monkeypatch):
    """Let every payment stand on its gateway's statement, for tests of what comes after."""
    from diandian.flows import matched

    monkeypatch.setattr(matched, "is_matched", lambda payment: True)
