import os
import signal
import subprocess
import sys
import time

import pytest

from diandian.jobs.processes import Children

pytestmark = pytest.mark.pure


def python(code):
    return [sys.executable, "-c", f"import signal, subprocess, sys, time\n{code}"]


SLEEPER = python("print('up', flush=True); time.sleep(60)")
STUBBORN = python("signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)")
# Starts a child of its own and tells its number.
PARENT = python(
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print('up', p.pid, flush=True); time.sleep(60)"
)


@pytest.fixture
def children(tmp_path):
    children = Children(tmp_path / "log")
    yield children
    children.stop(grace_seconds=0)


def is_up(children, count=1):
    return children.wait_until(lambda: children.last_lines().count("up") >= count, 20)


def test_stop_is_polite_and_quick(children):
    children.start("one", SLEEPER, os.environ)
    assert is_up(children)
    began = time.monotonic()
    children.stop(grace_seconds=20)
    assert time.monotonic() - began < 10
    child = children.dead()
    assert child is not None
    assert child.process.returncode == -signal.SIGTERM


def test_what_does_not_listen_is_killed(children):
    children.start("one", STUBBORN, os.environ)
    assert is_up(children)
    children.stop(grace_seconds=1)
    assert children.dead().process.returncode == -signal.SIGKILL


def test_second_request_does_not_wait(children):
    children.start("one", STUBBORN, os.environ)
    assert is_up(children)
    children.requests_to_stop = 2
    began = time.monotonic()
    children.stop(grace_seconds=30)
    assert time.monotonic() - began < 10


def test_grandchildren_end_too(children):
    children.start("one", PARENT, os.environ)
    assert is_up(children)
    grandchild = int(children.last_lines().split()[1])
    children.stop(grace_seconds=5)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not has_ended(grandchild):
        time.sleep(0.05)
    assert has_ended(grandchild)


def has_ended(pid):
    listed = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return not listed.stdout.strip() or listed.stdout.startswith("Z")


def test_dead_child_is_named_and_ends_the_watch(children):
    children.start(
        "worker", [sys.executable, "-c", "print('why'); raise SystemExit(3)"], os.environ
    )
    dead = children.watch()
    assert (dead.name, dead.process.returncode) == ("worker", 3)
    assert children.last_lines() == "why"
    assert not children.wait_until(lambda: True, 5)
