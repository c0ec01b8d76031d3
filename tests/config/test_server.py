"""How the product starts: the site is loaded once, and nothing that few visitors need with it."""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.contrib import admin
from django.test import Client

from diandian.config import urls_desk
from diandian.jobs.demo import answers
from diandian.jobs.processes import Children
from tests.house.tree import ROOT

pytestmark = [pytest.mark.pure, pytest.mark.slow]

LOADED = """
import gc, json, os, sys
from diandian.config import server
server.load()
files = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
left = {"modules": list(sys.modules), "files": files, "collects": gc.isenabled()}
print(json.dumps(left))
"""
# What only a desk, a program or another database asks for.
LARGE = {"psycopg", "unfold.admin", "diandian.office.admin", "dmr", "diandian.api.urls"}


def surroundings(folder, **more):
    """Return the environment of a process with a data folder and an empty database of its own."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "diandian.config.settings",
        "DIANDIAN_DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite://{folder}/one.sqlite3",
        **more,
    }


def loaded(folder, **more):
    environment = surroundings(folder, **more)
    command = [sys.executable, "-c", LOADED]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(said.stdout)


def test_a_start_loads_nothing_that_few_visitors_need(tmp_path):
    left = loaded(tmp_path)
    assert "diandian.web.urls" in left["modules"]
    assert not LARGE & set(left["modules"])


def test_workers_get_no_connection_of_their_parent(tmp_path):
    left = loaded(tmp_path)
    assert (tmp_path / "one.sqlite3").exists()
    assert not [file for file in left["files"] if "sqlite3" in file]
    assert left["collects"]


def test_in_earnest_everything_is_loaded_before_the_first_visitor(tmp_path):
    earnest = {"DIANDIAN_MODE": "production", "DIANDIAN_BASE_URL": "https://diandian.example"}
    left = loaded(tmp_path, **earnest)
    assert set(left["modules"]) >= {"unfold.admin", "diandian.office.admin", "diandian.api.urls"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children_of(number):
    return [
        int(each) for each in Path(f"/proc/{number}/task/{number}/children").read_text().split()
    ]


def both_but(killed, number):
    return len({*children_of(number)} - {killed}) == 2


def serve(port):
    return [sys.executable, "-m", "diandian", "serve", "--port", str(port)]


def test_it_serves_with_two_workers_and_replaces_one_that_ends_until_it_is_asked_to_stop(tmp_path):
    port, children = free_port(), Children(tmp_path / "log")
    children.start("server", serve(port), surroundings(tmp_path))
    try:
        ready = children.wait_until(lambda: answers("127.0.0.1", port), 90)
        assert ready, children.last_lines()
        process = children._children[0].process
        workers = children_of(process.pid)
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        # Its number stays until its parent has looked at it, so the new one is waited for.
        assert children.wait_until(lambda: both_but(workers[0], process.pid), 60)
        assert answers("127.0.0.1", port)
        workers = children_of(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert not [number for number in workers if Path(f"/proc/{number}").exists()]
    finally:
        children.stop(grace_seconds=1)


def test_with_unsafe_settings_it_says_so_once_and_serves_nothing(tmp_path):
    environment = surroundings(tmp_path, DIANDIAN_MODE="prod")
    done = subprocess.run(
        serve(free_port()), env=environment, capture_output=True, text=True, check=False, timeout=90
    )
    assert done.returncode != 0
    assert (done.stdout + done.stderr).count("DIANDIAN_MODE is 'prod'") == 1


@pytest.mark.parametrize(("status", "up"), [(200, True), (503, False)])
def test_only_a_good_answer_of_the_health_page_is_an_answer(status, up):
    asked = []

    class Page(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert answers("127.0.0.1", server.server_port) is up
        thread.join()
    assert asked == ["/healthz"]
    assert answers("127.0.0.1", free_port()) is False


def test_the_desk_passes_the_checks_of_django():
    assert urls_desk.urlpatterns
    assert admin.site.check(None) == []


@pytest.mark.parametrize("path", ["/admin", "/api", "/adminx/", "/apis/v1/scenes"])
def test_what_only_looks_like_a_door_is_not_found(path):
    assert Client().get(path).status_code == 404


def test_compiled_python_is_kept_whatever_the_machine_says():
    program = "import sys; print(sys.dont_write_bytecode, sys.pycache_prefix)"
    done = subprocess.run(
        [ROOT / "run", "manage", "shell", "--no-imports", "-c", program],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", str(ROOT / "var/pycache")]
