import os
import socket
import stat

import pytest

from diandian.jobs import demo
from diandian.jobs.demo import check_port, is_prepared, read_options
from diandian.jobs.demo_folder import PASSWORD_FILE, DemoError, DemoFolder, adopt_environment

pytestmark = pytest.mark.pure


def opened(path, *, reset=False):
    folder = DemoFolder(path)
    folder.open(reset=reset)
    return folder


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a folder" / "demo"


def release(folder):
    os.close(folder._lock_fd)


def test_secrets_last_and_are_private(path):
    folder = opened(path)
    secret = folder.secret(PASSWORD_FILE)
    release(folder)
    again = opened(path)
    assert again.secret(PASSWORD_FILE) == secret
    assert len(secret) >= 16
    assert stat.S_IMODE((path / PASSWORD_FILE).stat().st_mode) == 0o600
    assert again.secret("another") != secret
    release(again)


def test_one_demo_at_a_time(path):
    first = opened(path)
    with pytest.raises(DemoError, match=f"process {os.getpid()}"):
        opened(path)
    release(first)
    release(opened(path))


def test_reset_empties_only_what_a_demo_made(path):
    folder = opened(path)
    (path / "inner").mkdir()
    (path / "inner" / "file").write_text("x")
    outside = path.parent / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    (path / "link").symlink_to(outside)
    release(folder)
    folder = opened(path, reset=True)
    assert not (path / "inner").exists()
    assert not (path / "link").is_symlink()
    assert (outside / "kept").exists()
    release(folder)


def test_folder_of_others_is_refused_and_untouched(path):
    path.mkdir(parents=True)
    (path / "thesis.txt").write_text("years of work")
    with pytest.raises(DemoError, match="Nothing in it was touched"):
        opened(path, reset=True)
    assert [item.name for item in path.iterdir()] == ["thesis.txt"]


def test_unwritable_place_is_explained(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DemoError, match="Nothing was started"):
        opened(tmp_path / "file" / "below")


def test_filling_that_was_cut_off_begins_from_nothing(path):
    folder = opened(path)
    folder.begin_filling()
    (path / "half.sqlite3").write_text("x")
    release(folder)
    folder = opened(path)
    assert not (path / "half.sqlite3").exists()
    folder.begin_filling()
    (path / "whole.sqlite3").write_text("x")
    folder.end_filling()
    release(folder)
    folder = opened(path)
    assert (path / "whole.sqlite3").exists()
    release(folder)


def test_prepared_folder_with_its_own_database_needs_no_work(path, monkeypatch):
    folder = opened(path)
    monkeypatch.setattr("diandian.jobs.demo._fingerprint", lambda: "this program")
    monkeypatch.setenv("DATABASE_URL", f"sqlite://{folder.path}/diandian.sqlite3")
    folder.remember("prepared", "this program")
    assert not is_prepared(folder)  # the database is gone
    (folder.path / "diandian.sqlite3").touch()
    assert is_prepared(folder)
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/db")
    assert not is_prepared(folder)
    monkeypatch.setenv("DATABASE_URL", f"sqlite://{folder.path}/diandian.sqlite3")
    folder.remember("prepared", "another version")
    assert not is_prepared(folder)
    release(folder)


def test_commands_on_a_demo_folder_use_its_key(path, monkeypatch):
    folder = opened(path)
    secret = folder.secret("secret-key")
    release(folder)
    monkeypatch.setenv("DIANDIAN_DATA_DIR", str(path))
    monkeypatch.delenv("DIANDIAN_SECRET_KEY")
    adopt_environment()
    assert os.environ["DIANDIAN_SECRET_KEY"] == secret
    monkeypatch.setenv("DIANDIAN_SECRET_KEY", "given")
    adopt_environment()
    assert os.environ["DIANDIAN_SECRET_KEY"] == "given"


def test_taken_port_is_explained():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(DemoError, match=f"Port {port} .* Nothing was started"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "80.5"])
def test_impossible_ports_are_refused(port, capsys):
    with pytest.raises(SystemExit):
        read_options(["--port", port])
    assert "is not a port" in capsys.readouterr().err


def test_a_program_that_changed_is_told_from_the_one_that_prepared(tmp_path, monkeypatch):
    (tmp_path / "inner").mkdir()
    source, compiled = tmp_path / "inner" / "one.py", tmp_path / "inner" / "one.pyc"
    source.write_text("a = 1\n")
    monkeypatch.setattr(demo, "_PACKAGE", tmp_path)
    first = demo._fingerprint()
    compiled.write_text("made by Python itself")
    assert demo._fingerprint() == first
    source.write_text("a = 10\n")
    changed = demo._fingerprint()
    assert changed != first
    (tmp_path / "two-1.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert demo._fingerprint() != changed
