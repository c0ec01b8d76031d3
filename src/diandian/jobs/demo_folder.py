"""The demo's data folder: made once, owned by one demo at a time, never anyone else's files.

A folder is ours when it holds the marker file; only such a folder is ever emptied.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from pathlib import Path

MARKER = ".diandian-demo"
LOCK = "demo.lock"
SECRET_KEY_FILE = "secret-key"  # noqa: S105 - a file's name
PASSWORD_FILE = "operator-password"  # noqa: S105 - a file's name
# Present while sample data go in: a start that was cut off then begins from nothing.
_FILLING = ".filling"


class DemoError(Exception):
    """The demo cannot start; the text says why, what was not done and what to do next."""


def project_dir() -> Path:
    """Return the checkout that this package runs from, or the current folder when installed."""
    checkout = Path(__file__).resolve().parents[3]
    return checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()


class DemoFolder:
    """A data folder, held by this process until it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self._lock_fd = -1

    def open(self, *, reset: bool) -> None:
        """Make and lock the folder; with ``reset`` begin from nothing. Raises: DemoError."""
        try:
            self._claim()
            self._take_lock()
            if reset or (self.path / _FILLING).exists():
                self._empty()
        except OSError as error:
            raise DemoError(
                f"The data folder {self.path} cannot be written ({error.strerror or error})."
                " Nothing was started.\nFree some space or rights there,"
                " or choose another folder: ./run demo --data FOLDER"
            ) from error

    def _claim(self) -> None:
        made_by_us = (self.path / MARKER).exists() or not self.path.exists()
        if not made_by_us and (not self.path.is_dir() or any(self.path.iterdir())):
            raise DemoError(
                f"{self.path} holds files that no demo made. Nothing in it was touched.\n"
                "Choose an empty or new folder: ./run demo --data FOLDER"
            )
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.path / MARKER).touch()

    def _take_lock(self) -> None:
        fd = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(fd, 32).decode(errors="replace").strip()
            os.close(fd)
            raise DemoError(
                f"Another demo (process {owner or '?'}) uses {self.path}. Nothing was started.\n"
                "Stop that one, or choose another folder: ./run demo --data FOLDER --port 8001"
            ) from None
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        # Kept open: the system lets go of the lock when this process ends, however it ends.
        self._lock_fd = fd

    def _empty(self) -> None:
        for item in self.path.iterdir():
            if item.name in {MARKER, LOCK}:
                continue
            if item.is_dir() and not item.is_symlink():
                shutil.rmtree(item)
            else:
                item.unlink()

    def secret(self, name: str) -> str:
        """Return a random text of this folder, made on first use, readable by its owner only."""
        path = self.path / name
        if not path.exists():
            part = self.path / f"{name}.part"
            part.unlink(missing_ok=True)
            fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(fd, "w") as file:
                file.write(secrets.token_urlsafe(12 if name == PASSWORD_FILE else 48) + "\n")
            part.replace(path)
        return path.read_text().strip()

    def begin_filling(self) -> None:
        """Remember that sample data are only partly there."""
        (self.path / _FILLING).touch()

    def end_filling(self) -> None:
        """Remember that sample data are complete."""
        (self.path / _FILLING).unlink()

    def note(self, name: str) -> str:
        """Return what was last remembered under a name, else an empty text."""
        path = self.path / f".{name}"
        return path.read_text() if path.exists() else ""

    def remember(self, name: str, value: str) -> None:
        """Remember a value for the next start."""
        (self.path / f".{name}").write_text(value)


def adopt_environment() -> None:
    """Let commands on a demo's folder use that demo's key, when none is given."""
    folder = os.environ.get("DIANDIAN_DATA_DIR", "")
    key = Path(folder) / SECRET_KEY_FILE
    if folder and (Path(folder) / MARKER).exists() and key.exists():
        os.environ.setdefault("DIANDIAN_SECRET_KEY", key.read_text().strip())
