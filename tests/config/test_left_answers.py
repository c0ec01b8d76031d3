"""Files of long answers that a worker left when it was killed: the next worker removes them."""

import os
import tempfile
from pathlib import Path

import pytest

from diandian.config.entrance import Entrance, sweep_answers

pytestmark = pytest.mark.pure
NOW = 1_800_000_000.0
HOUR = 3_600


def made(folder, name, *, age_seconds):
    path = folder / name
    path.write_bytes(b"left")
    os.utime(path, (NOW - age_seconds, NOW - age_seconds))
    return path


def test_old_ones_of_ours_go_and_nothing_else(tmp_path):
    old = made(tmp_path, "diandian-ab12.answer", age_seconds=2 * HOUR)
    kept = [
        made(tmp_path, "diandian-cd34.answer", age_seconds=HOUR - 1),
        made(tmp_path, "diandian-ef56.answers", age_seconds=2 * HOUR),
        made(tmp_path, "other-ab12.answer", age_seconds=2 * HOUR),
    ]
    (tmp_path / "below").mkdir()
    kept.append(made(tmp_path / "below", "diandian-ab12.answer", age_seconds=2 * HOUR))
    (tmp_path / "diandian-folder.answer").mkdir()
    os.utime(tmp_path / "diandian-folder.answer", (0, 0))
    link = tmp_path / "diandian-link.answer"
    link.symlink_to(kept[2])
    assert sweep_answers(tmp_path, at=NOW) == 1
    assert not old.exists()
    assert all(each.exists() for each in (*kept, link, tmp_path / "diandian-folder.answer"))
    assert sweep_answers(tmp_path, at=NOW) == 0


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner there")
def test_what_another_user_left_stays(tmp_path, monkeypatch):
    left = made(tmp_path, "diandian-ab12.answer", age_seconds=2 * HOUR)
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    assert sweep_answers(tmp_path, at=NOW) == 0
    assert left.exists()


def test_a_folder_that_is_not_there_stops_nobody(tmp_path):
    assert sweep_answers(tmp_path / "none", at=NOW) == 0


def test_a_worker_sweeps_when_it_starts(tmp_path, monkeypatch):
    left = made(tmp_path, "diandian-ab12.answer", age_seconds=0)
    os.utime(left, (0, 0))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    entrance = Entrance(lambda *_: [], 1)
    entrance.__rsgi_init__(None)
    entrance.__rsgi_del__(None)
    assert not Path(left).exists()
