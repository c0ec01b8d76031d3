"""The program as an outsider runs it: keys, witnesses, state, the web, and no Django."""

import gzip
import json
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diandian.verifier import notes
from diandian.verifier.audit import source
from tests.verifier.audit.logs import (
    LOG,
    WITNESS,
    Log,
    audit,
    busy,
    issue,
    retire,
    upstream,
    write,
)
from tests.verifier.log_bodies import body

pytestmark = pytest.mark.pure


@pytest.fixture
def folder(tmp_path):
    return busy(20).publish(tmp_path / "log")


def report_of(folder, tmp_path, *options):
    path = tmp_path / "report.json"
    status = audit(folder, "--json", str(path), *options)
    return status, json.loads(path.read_text())


WITHOUT_DJANGO = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"django", "psycopg"}:
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Blocked())
from diandian.verifier.audit.program import main
sys.exit(main())
"""


def test_it_runs_without_django(folder):
    command = [sys.executable, "-c", WITHOUT_DJANGO, str(folder), "--key", LOG.vkey()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "CLEAN" in done.stdout


def test_it_runs_as_a_module_and_as_a_command(folder):
    beside = Path(sys.executable).with_name("diandian-audit")
    for start in ([sys.executable, "-m", "diandian.verifier.audit"], [str(beside)]):
        done = subprocess.run(
            [*start, str(folder), "--key", LOG.vkey()], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_keys_of_the_same_place_are_used_with_a_warning(folder, tmp_path):
    status, report = report_of(folder, tmp_path, "--no-key")
    assert status == 0
    assert "from the same place as the log" in report["remarks"][0]


def test_keys_are_pinned_by_the_first_run(tmp_path, folder):
    state = str(tmp_path / "state")
    assert audit(folder, "--no-key", "--state", state) == 0
    thief = notes.Signer(LOG.name, Ed25519PrivateKey.from_private_bytes(b"T" * 32))
    busy(30).publish(folder, signers=[thief])
    write(folder / "keys.txt", f"{thief.vkey()}\n".encode())
    status, report = report_of(folder, tmp_path, "--no-key", "--state", state)
    assert (status, report["findings"][0]["rule"]) == (1, "head")


def test_a_key_may_stand_in_a_file(folder, tmp_path):
    path = tmp_path / "keys"
    path.write_text(f"# the log\n\n{LOG.vkey()}\n")
    assert audit(folder, "--key", str(path)) == 0


@pytest.mark.parametrize("key", ["nonsense", "a+b+c", LOG.vkey()[:-3], "/"])
def test_an_unreadable_key_cannot_be_used(folder, key, capsys):
    assert audit(folder, "--key", key) == 2
    assert "could not check" in capsys.readouterr().err


def test_a_log_without_keys_cannot_be_checked(folder, capsys):
    (folder / "keys.txt").unlink()
    assert audit(folder, "--no-key") == 2
    assert "no key was given" in capsys.readouterr().err


def test_an_announced_key_counts_after_it_was_seen(tmp_path):
    new = notes.Signer(LOG.name, Ed25519PrivateKey.from_private_bytes(b"N" * 32))
    state = str(tmp_path / "state")
    log = Log(body("key", **{"vkey": new.vkey(), "from": "2026-01-01T00:00:00Z"}))
    folder = log.publish(tmp_path / "log", signers=[LOG, new])
    assert audit(folder, "--state", state) == 0
    log.add(issue()).publish(folder, signers=[new], old_size=2)
    assert audit(folder, "--state", state) == 0
    log.add(issue("B-2", prefix="N-")).publish(folder, signers=[LOG], old_size=3)
    status, report = report_of(folder, tmp_path, "--state", state)
    assert (status, report["findings"][0]["rule"]) == (1, "key")
    assert "did not sign with it" in report["findings"][0]["text"]


def test_a_key_that_is_announced_for_later_need_not_sign(tmp_path):
    key = {"vkey": LOG.vkey(), "from": "2999-01-01T00:00:00Z"}
    assert audit(Log(body("key", **key)).publish(tmp_path / "log")) == 0


def test_a_key_under_another_name_is_found(tmp_path):
    other = notes.Signer("other.example", Ed25519PrivateKey.from_private_bytes(b"N" * 32))
    key = {"vkey": other.vkey(), "from": "2999-01-01T00:00:00Z"}
    status, report = report_of(Log(body("key", **key)).publish(tmp_path / "log"), tmp_path)
    assert (status, report["findings"][0]["rule"]) == (1, "key")


def policy(tmp_path):
    path = tmp_path / "policy"
    path.write_text(f"log {LOG.vkey()}\nwitness w {WITNESS.vkey()}\nquorum w\n")
    return str(path)


def test_witnesses_are_checked_against_a_policy(tmp_path):
    log = busy(3)
    folder = log.publish(tmp_path / "log")
    status, report = report_of(folder, tmp_path, "--no-key", "--policy", policy(tmp_path))
    assert (status, report["findings"][0]["rule"]) == (1, "quorum")
    log.publish(folder, signers=[LOG, WITNESS])
    status, report = report_of(folder, tmp_path, "--no-key", "--policy", policy(tmp_path))
    assert (status, report["quorum"]) == (0, "enough for the quorum w")
    assert [one["name"] for one in report["signatures"]] == [LOG.name, WITNESS.name]
    assert report["signatures"][1]["timestamp_s"] == 1_790_000_000


def test_an_unreadable_policy_cannot_be_used(folder, tmp_path, capsys):
    (tmp_path / "policy").write_text("trust everybody\n")
    assert audit(folder, "--policy", str(tmp_path / "policy")) == 2
    assert "line 1 of the policy" in capsys.readouterr().err


@pytest.mark.parametrize(
    "address", ["nowhere", "ftp://x/log", "file:///etc", "http://", "https:///x"]
)
def test_other_addresses_are_refused(address, capsys):
    assert audit(address) == 2
    assert "could not check" in capsys.readouterr().err


def test_the_second_run_reads_only_what_is_new(tmp_path):
    state = str(tmp_path / "state")
    log = busy(600)
    folder = log.publish(tmp_path / "log")
    assert audit(folder, "--state", state) == 0
    log.add(retire(600, 600_000, 601_000)).publish(folder, old_size=603)
    (folder / "tile/entries/000").unlink()
    (folder / "tile/entries/001").unlink()
    status, report = report_of(folder, tmp_path, "--state", state)
    assert (status, report["new_entries"], report["size"]) == (0, 1, 604)
    assert report["batches"][0]["retired_g"] == 601_000
    assert audit(folder, "--state", state, "--full") == 2


def test_a_full_run_goes_on_from_nothing_and_keeps_what_it_found(tmp_path, folder):
    state = tmp_path / "state"
    assert audit(folder, "--state", str(state)) == 0
    first = state.read_bytes()
    assert audit(folder, "--state", str(state), "--full") == 0
    assert len(state.read_bytes()) == len(first)


@pytest.mark.parametrize("data", [b"", b"x" * 100])
def test_a_damaged_state_is_told(folder, tmp_path, data, capsys):
    (tmp_path / "state").write_bytes(data)
    assert audit(folder, "--state", str(tmp_path / "state")) == 2
    assert "Move it away" in capsys.readouterr().err


@st.composite
def histories(draw):
    """Return bodies of a log with clean and unclean parts, and where runs stop."""
    bodies, ends = [issue(), issue("B-2", prefix="N-"), upstream(1, 5)], {"B-1": 0, "B-2": 0}
    for number in range(draw(st.integers(0, 25))):
        batch = draw(st.sampled_from(["B-1", "B-2"]))
        start = draw(st.one_of(st.just(ends[batch]), st.integers(0, 60)))
        end = start + draw(st.integers(1, 9))
        ends[batch] = max(ends[batch], end)
        name = draw(st.one_of(st.just(number), st.integers(0, 30)))
        bodies.append(retire(name, start, end, batch))
    cuts = draw(st.lists(st.integers(0, len(bodies)), max_size=3).map(sorted))
    return bodies, [*cuts, len(bodies)]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(histories())
def test_runs_night_by_night_find_what_one_run_finds(tmp_path_factory, history):
    """Sums are the same; what is used twice is found, though it may be named by other pairs."""
    bodies, cuts = history
    base = tmp_path_factory.mktemp("history")
    log, size = Log(), 0
    report = None
    for cut in cuts:
        log.add(*bodies[len(log.entries) - 1 : cut])
        log.publish(base / "log", old_size=size)
        size = len(log.entries)
        _, report = report_of(base / "log", base, "--state", str(base / "state"))
    _, whole = report_of(base / "log", base)
    assert report["batches"] == whole["batches"]
    found = [
        {(one["rule"], tuple(one["entries"])) for one in some["findings"]}
        for some in (report, whole)
    ]
    assert {rule for rule, _ in found[0]} >= {rule for rule, _ in found[1]}
    used = {}
    for index, item in enumerate(bodies, 1):
        for name, start, end in item.get("ranges", ()):
            for gram in range(start, end):
                used.setdefault((name, gram), []).append(index)
    twice = {tuple(indices[:2]) for indices in used.values() if len(indices) > 1}
    named = {pair for rule, pair in found[1] if rule == "R1" and len(pair) == 2}
    assert twice <= named


class Served:
    """A log on the web, with what may go wrong there."""

    def __init__(self, folder):
        self.folder = folder
        self.asked = []
        self.failures = 0
        self.redirect = ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *parts):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/log"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def answer(self, request):
        self.asked.append(request.path)
        path = self.folder / request.path.removeprefix("/log/")
        if self.redirect:
            request.send_response(302)
            request.send_header("Location", self.redirect)
            request.end_headers()
        elif self.failures:
            self.failures -= 1
            request.send_error(503)
        elif not path.is_file():
            request.send_error(404)
        else:
            data = gzip.compress(path.read_bytes())
            request.send_response(200)
            request.send_header("Content-Encoding", "gzip")
            request.send_header("Content-Length", str(len(data)))
            request.end_headers()
            request.wfile.write(data)


@pytest.fixture
def served(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "_PAUSE_S", 0)
    found = Served(busy(5200).publish(tmp_path / "log"))
    yield found
    found.server.shutdown()
    found.thread.join()
    found.server.server_close()


def test_a_log_on_the_web_is_audited(served, tmp_path):
    status, report = report_of(served.address, tmp_path)
    assert (status, report["size"]) == (0, 5203)
    assert len(served.asked) == len(set(served.asked)) == 22


def test_a_busy_log_is_asked_again(served):
    served.failures = 2
    assert audit(served.address) == 0
    served.failures = 1000
    assert audit(served.address) == 2


def test_a_file_that_is_gone_cannot_be_checked(served, capsys):
    (served.folder / "tile/entries/007").unlink()
    assert audit(served.address) == 2
    assert "does not serve tile/entries/007" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "words"),
    [("file:///etc/passwd", "answers 302"), ("ftp://127.0.0.1/x", "not followed")],
)
def test_other_redirects_are_not_followed(served, target, words, capsys):
    served.redirect = target
    assert audit(served.address) == 2
    assert words in capsys.readouterr().err


def test_a_redirect_never_leaves_encryption():
    handler = source._SameWeb()
    asked = urllib.request.Request("https://log.example/checkpoint")
    with pytest.raises(source.SourceError, match="not followed"):
        handler.redirect_request(asked, None, 302, "", {}, "http://log.example/checkpoint")
    followed = handler.redirect_request(asked, None, 302, "", {}, "https://b.example/checkpoint")
    assert followed.full_url == "https://b.example/checkpoint"


def test_files_that_are_too_long_are_not_read_on(served, folder, capsys):
    write(served.folder / "checkpoint", b"x" * 300_000)
    write(folder / "checkpoint", b"x" * 300_000)
    for where in (served.address, folder):
        assert audit(where) == 2
        assert "checkpoint is longer than 262144 bytes" in capsys.readouterr().err


def test_nobody_at_the_address_cannot_be_checked(served, capsys):
    served.server.shutdown()
    served.server.server_close()
    assert audit(served.address) == 2
    assert "could not check: checkpoint" in capsys.readouterr().err
