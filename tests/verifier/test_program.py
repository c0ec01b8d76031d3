import json
import subprocess
import sys

import pytest

from diandian.verifier.__main__ import main
from tests.certificates.documents import KEY, record, sign

pytestmark = pytest.mark.pure

HEX = KEY.public_key().public_bytes_raw().hex()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(sign(record()), ensure_ascii=False))
    return path


def test_a_genuine_file(file, capsys):
    assert main([str(file), "--key", HEX]) == 0
    shown = capsys.readouterr().out
    assert shown.count("ok   ") == 17
    assert "ok   log: this certificate names no entry of the public log" in shown
    assert "VALID" in shown


def test_without_a_key_nobody_vouches(file, capsys):
    assert main([str(file)]) == 3
    assert "NOT checked" in capsys.readouterr().out


def test_one_flipped_character_is_refused(file, capsys):
    file.write_text(file.read_text().replace("林晚", "林晓"))
    assert main([str(file), "--key", HEX]) == 1
    assert "FAIL signature" in capsys.readouterr().out


def test_a_signed_but_contradictory_record_is_refused(file, capsys):
    file.write_text(json.dumps(sign(record(money__fee_minor=61))))
    assert main([str(file), "--key", HEX]) == 1
    assert "FAIL money" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": 1, "a": 2}', b" " * 1_000_001],
    ids=["empty", "cut", "not utf-8", "deep", "twice", "large"],
)
def test_an_unreadable_file_is_told_apart(file, content, capsys):
    file.write_bytes(content)
    assert main([str(file), "--key", HEX]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_an_unreadable_key_or_a_missing_file(file, capsys):
    assert main([str(file), "--key", "nonsense"]) == 2
    assert main([str(file.with_name("none.json"))]) == 2


def test_it_runs_alone_without_django(file):
    program = (
        "import sys; from diandian.verifier.__main__ import main;"
        f"code = main([{str(file)!r}, '--key', {HEX!r}]);"
        "sys.exit(code or ('django' in sys.modules) * 9)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_it_needs_no_quick_encoder(file):
    program = (
        "import sys; sys.modules['msgspec'] = None;"
        "from diandian.verifier.__main__ import main;"
        f"sys.exit(main([{str(file)!r}, '--key', {HEX!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
