"""The real product with its sample data, started once, and a real Chromium to visit it with."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from diandian.jobs.demo import answers
from diandian.jobs.demo_folder import PASSWORD_FILE
from tests.browser.walk import BROWSER_ARGUMENTS, Walk, phone
from tests.places import postgres_url
from tests.settings import DATABASE_KIND

ROOT = Path(__file__).resolve().parents[2]
DATA = "data"
_START_SECONDS = 120
_STOP_SECONDS = 20


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _environment() -> dict[str, str]:
    """Return the environment without what was set for the tests inside this process."""
    ours = ("DIANDIAN_", "DATABASE_URL", "DJANGO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    # One address asks for everything here: pages for wrong codes are looked at often.
    return kept | {"DIANDIAN_MISSES_PER_MINUTE": "10000"}


def _await_answer(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if answers("127.0.0.1", port):
            return
        time.sleep(0.2)
    pytest.fail(f"the product did not start:\n{log.read_text()[-3000:]}", pytrace=False)


@contextmanager
def _database() -> Iterator[dict[str, str]]:
    """Give the product a fresh PostgreSQL database where the tests run on one, else nothing."""
    if DATABASE_KIND != "postgres":
        yield {}
        return
    url, reason = postgres_url()
    assert url, reason
    name = f"diandian_browser_{os.getpid()}"
    server = url.rpartition("/")[0]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield {"DATABASE_URL": f"{server}/{name}"}
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def _demo(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run ``./run demo`` on a free port until the end of the block; give its base address."""
    port, log = _free_port(), folder / "console.log"
    command = [sys.executable, "-m", "diandian", "demo", "--port", str(port)]
    command += ["--data", str(folder / DATA)]
    with log.open("wb") as console:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
        )
    try:
        _await_answer(port, process, log)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder below which the product under test keeps its data."""
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="session")
def site(site_folder: Path, chromium_path: str) -> Iterator[str]:
    """Start the product as ``./run demo`` does; return its base address.

    ``DIANDIAN_TEST_SITE`` names a demo that already runs, to test that one while working on pages.
    """
    running = os.environ.get("DIANDIAN_TEST_SITE", "").rstrip("/")
    if running:
        yield running
        return
    with _database() as database, _demo(site_folder, _environment() | database) as base:
        yield base


@pytest.fixture(scope="session")
def operator_password(site: str, site_folder: Path) -> str:
    """Return the password of the operator's desk of the product under test.

    ``DIANDIAN_TEST_SITE_DATA`` names the data folder of a demo that already ran.
    """
    path = Path(os.environ.get("DIANDIAN_TEST_SITE_DATA") or site_folder / DATA) / PASSWORD_FILE
    if not path.exists():
        pytest.skip("the desk's password of a site started elsewhere is not known")
    return path.read_text().strip()


# For each module anew: while it runs, Playwright holds an event loop in this thread, and Django
# refuses its database beside one. The tests that come after must find it gone.
@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium_path, args=BROWSER_ARGUMENTS)
        yield started
        started.close()


Phone = Callable[..., Page]


@pytest.fixture
def new_phone(browser: Browser) -> Iterator[Phone]:
    """Return what opens a page on a phone of its own; its faults fail the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def note_answer(answer) -> None:
        if answer.status >= 500:
            faults.append(f"{answer.status} {answer.url}")

    def open_phone(lang: str = "en", *, scripts: bool = True, width: int = 390) -> Page:
        context = phone(browser, lang, scripts=scripts, width=width)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on("response", note_answer)
        return page

    yield open_phone
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture
def walk(site: str, new_phone: Phone) -> Walk:
    """Return a guest with scripts, in English, who has not begun yet."""
    return Walk(new_phone(), site)
