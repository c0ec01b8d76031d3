"""The worker: every task in its time, no task stops the others, and it stops when asked."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest

from diandian.audit import actions as audit_actions
from diandian.audit.models import OutboxEvent
from diandian.jobs import subscribers
from diandian.jobs.schedule import TASKS, Task
from diandian.jobs.worker import Worker, heartbeat_file


def task(name, calls, *, every=0.0, done=0):
    def run():
        calls.append(name)
        return done

    return Task(name, timedelta(seconds=every), run)


def failing(name, calls):
    def run():
        calls.append(name)
        raise RuntimeError("crash")

    return Task(name, timedelta(0), run)


def test_tasks_run_when_they_are_due():
    calls = []
    worker = Worker([task("often", calls), task("rarely", calls, every=60)])
    for _ in range(3):
        worker.run_once()
    assert calls == ["often", "rarely", "often", "often"]


def test_it_says_how_much_was_done():
    assert Worker([task("a", [], done=3), task("b", [], done=4)]).run_once() == 7


@pytest.mark.django_db
def test_a_failing_task_backs_off_and_stops_no_other(caplog):
    calls = []
    worker = Worker([failing("bad", calls), task("good", calls)])
    with caplog.at_level(logging.CRITICAL):
        for _ in range(3):
            worker.run_once()
    assert calls == ["bad", "good", "good", "good"]


def test_it_rests_while_idle_and_stops_at_once_when_asked():
    calls = []
    worker = Worker([task("a", calls)], idle_seconds=30)
    thread = threading.Thread(target=worker.run)
    thread.start()
    while not calls:
        time.sleep(0.01)
    time.sleep(0.1)
    assert calls == ["a"]
    worker.stop()
    thread.join(1)
    assert not thread.is_alive()


def test_it_leaves_a_heartbeat():
    heartbeat_file().unlink(missing_ok=True)
    worker = Worker([task("a", [])])
    worker._stop.set()
    worker.run()
    assert not heartbeat_file().exists()
    worker = Worker([Task("stop", timedelta(0), lambda: worker.stop() or 0)])
    worker.run()
    assert time.time() - heartbeat_file().stat().st_mtime < 5


@pytest.mark.django_db
def test_the_whole_schedule_runs_on_empty_books():
    assert Worker(TASKS).run_once() == 0


@pytest.mark.django_db
def test_events_are_delivered_and_a_failing_handler_tries_again(monkeypatch, caplog):
    seen = []

    def handler(payload):
        seen.append(payload["n"])
        if payload["n"] == 2 and seen.count(2) == 1:
            raise RuntimeError("crash")

    monkeypatch.setattr(subscribers, "SUBSCRIBERS", {"test.kind": (handler,)})
    for number in (1, 2, 3):
        audit_actions.publish(kind="test.kind", key=f"k{number}", payload={"n": number})
    audit_actions.publish(kind="nobody.listens", key="k4")
    with caplog.at_level(logging.CRITICAL):
        assert subscribers.deliver(10) == 3
    assert seen == [1, 2, 3]
    assert subscribers.deliver(10) == 0
    OutboxEvent.objects.update(available_at="2026-01-01T00:00:00Z")
    assert subscribers.deliver(10) == 1
    assert seen == [1, 2, 3, 2]
    states = OutboxEvent.objects.filter(kind="test.kind").values_list("state", flat=True)
    assert set(states) == {"done"}


@pytest.mark.slow
def test_the_command_runs_and_stops_when_asked(tmp_path):
    environment = os.environ | {
        # Else the child would read the tests' settings, which make a folder of their own.
        "DJANGO_SETTINGS_MODULE": "diandian.config.settings",
        "DIANDIAN_DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite://{tmp_path}/worker.sqlite3",
        "DIANDIAN_LOG_LEVEL": "INFO",
    }
    run = [sys.executable, "-m", "diandian"]
    subprocess.run([*run, "migrate", "--verbosity", "0"], env=environment, check=True, timeout=60)
    with subprocess.Popen([*run, "worker"], env=environment, stderr=subprocess.PIPE) as worker:
        try:
            deadline = time.monotonic() + 120
            while not (tmp_path / "worker.heartbeat").exists():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0
            said = worker.stderr.read().decode()
        finally:
            worker.kill()
    assert "worker stopped" in said
    assert "Traceback" not in said
