"""The auditor in one file, as somebody runs it who installed nothing of the product."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.verifier.audit.logs import LOG, busy

pytestmark = pytest.mark.pure

BUILDER = Path(__file__).resolve().parents[3] / "tools" / "auditor.py"
# What `pip install cryptography msgspec` brings: themselves, and what cryptography stands on.
BROUGHT = ("cryptography", "msgspec", "cffi", "_cffi_backend")
# No site-packages, no folder of this project: only the standard library and the given folder.
ALONE = """
import runpy, sys
folder, *sys.argv = sys.argv[1:]
sys.path.append(folder)
for name in ("django", "diandian", "psycopg"):
    try:
        __import__(name)
    except ImportError:
        continue
    raise SystemExit(f"{name} can be imported here: this proves nothing")
if sys.argv[0] == "-m":
    sys.path.insert(0, sys.argv.pop(1))
    runpy.run_module(sys.argv.pop(1), run_name="__main__")
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def build(target):
    subprocess.run([sys.executable, "-I", "-S", BUILDER, target], check=True, capture_output=True)
    return target


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build(tmp_path_factory.mktemp("built") / "diandian-audit.pyz")


@pytest.fixture
def packages(tmp_path):
    folder = tmp_path / "packages"
    folder.mkdir()
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for path in Path(place).iterdir():
            if path.name.partition(".")[0] in BROUGHT:
                (folder / path.name).symlink_to(path)
    return folder


def alone(packages, *arguments):
    command = [sys.executable, "-I", "-S", "-c", ALONE, packages, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_audits_where_nothing_of_the_product_is_installed(program, packages, tmp_path):
    folder = busy(20).publish(tmp_path / "log")
    done = alone(packages, program, folder, "--key", LOG.vkey())
    assert (done.returncode, done.stderr) == (0, "")
    assert "CLEAN" in done.stdout


def test_it_finds_what_the_installed_one_finds(program, packages, tmp_path):
    folder = busy(20).publish(tmp_path / "log")
    note = folder / "checkpoint"
    note.write_text(note.read_text().replace("\n", "\n1", 1))
    done = alone(packages, program, folder, "--key", LOG.vkey())
    assert done.returncode == 1
    assert "FOUND" in done.stdout


def test_every_module_in_it_can_be_imported_there(program, packages):
    with zipfile.ZipFile(program) as archive:
        names = [name for name in archive.namelist() if name.startswith("diandian/")]
    modules = [name.removesuffix(".py").replace("/", ".") for name in names]
    ours = [name for name in modules if not name.endswith(("__init__", "__main__"))]
    assert len(ours) > 20
    imports = ALONE.partition('if sys.argv[0] == "-m"')[0] + (
        "sys.path.insert(0, sys.argv[0])\nfor name in sys.argv[1:]:\n    __import__(name)\n"
        "assert 'django' not in sys.modules\n"
    )
    command = [sys.executable, "-I", "-S", "-c", imports, packages, program, *ours]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_certificate_is_checked_out_of_the_same_file(program, packages, tmp_path):
    (tmp_path / "certificate.json").write_text("no certificate")
    done = alone(packages, "-m", program, "diandian.verifier", tmp_path / "certificate.json")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_what_is_missing_is_named_with_the_way_to_get_it(program, packages, tmp_path):
    folder = busy(20).publish(tmp_path / "log")
    (packages / "msgspec").unlink()
    done = alone(packages, program, folder)
    # Not 1: that would say that the log has a fault.
    assert done.returncode == 2
    assert "msgspec" in done.stderr
    assert "pip install 'cryptography>=" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_same_sources_make_the_same_bytes(program, tmp_path):
    assert build(tmp_path / "again.pyz").read_bytes() == program.read_bytes()
