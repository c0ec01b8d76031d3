"""The worker's thread signs the public log until it is stopped, and goes on after an error."""

import time

import pytest

from diandian.jobs import signing
from diandian.jobs.signing import Signing
from diandian.transparency import queries
from diandian.transparency.heads.signer import Signer
from diandian.transparency.models import LogCheckpoint
from tests.transparency.conftest import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


@pytest.fixture
def log(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    settings.KEYS_DIR = tmp_path / "keys"
    settings.LOG_ORIGIN = "log.example/2026"
    settings.LOG_WITNESSES = ""
    monkeypatch.setattr(signing, "_EVERY_SECONDS", 0.02)
    monkeypatch.setattr(Signing, "longest_back_off_seconds", 0.05)
    return World(tmp_path / "log")


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_signs_what_comes_and_stops_when_asked(log):
    thread = Signing()
    thread.start()
    for count in (3, 400):
        log.grow(count)
        until(lambda: log.files.published() and log.published().size == log.head.size)
    thread.stop()
    assert not thread.is_alive()


def test_an_error_is_told_and_waited_out(log, monkeypatch, caplog):
    failures = iter([RuntimeError("crash")])
    turn = Signer.turn

    def once_broken(self):
        for error in failures:
            raise error
        return turn(self)

    monkeypatch.setattr(Signer, "turn", once_broken)
    log.grow(1)
    thread = Signing()
    thread.start()
    until(log.files.published)
    thread.stop()
    assert "its entries wait" in caplog.text


def test_two_signers_at_once_make_one_chain_of_heads(log, monkeypatch):
    # Both believe to have the office, as after a database was restored under a running worker.
    monkeypatch.setattr(signing.Leadership, "take", lambda _: True)
    threads = [Signing(), Signing()]
    for thread in threads:
        thread.start()
    for _ in range(20):
        log.grow(7)
        time.sleep(0.01)
    until(lambda: log.files.published() and log.published().size == log.head.size)
    for thread in threads:
        thread.stop()
    sizes = list(LogCheckpoint.objects.order_by("size").values_list("previous_size", "size"))
    assert [before for before, _ in sizes] == [0, *[size for _, size in sizes][:-1]]
    assert sizes[-1][1] == queries.open_head().size == 141
