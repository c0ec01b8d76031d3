"""Paper and pictures made once and kept on disk until their record changes or a week has passed.

A file is named by its code and the digest of what it was made of, so a new version never meets an
old file. Nothing here is a record: the folder may be emptied at any time, and the worker keeps it
below ``settings.RENDERED_MEGABYTES``.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from diandian.kernel.clock import now
from diandian.kernel.errors import N_, DiandianError, Fixer

_KEPT_SECONDS = 7 * 86_400
_MEGABYTE = 1_000_000
# Typesetting takes a whole core for a moment; guests who pay must not wait behind it.
_at_once = threading.BoundedSemaphore(2)
_PATIENCE_SECONDS = 20


class TooManyDrawingsError(DiandianError):
    """More papers are asked for than this machine can draw at once."""

    code = "too_many_drawings"
    message = N_(
        "Too many documents are being made just now. Nothing was changed."
        " Please try again in a minute."
    )
    fixer = Fixer.OPERATOR
    retryable = True


def _all() -> Path:
    return Path(settings.DATA_DIR) / "rendered"


def _folder(code: str) -> Path:
    return _all() / code[:2]


def _kept() -> list[tuple[float, int, Path]]:
    """Return when each file was made, its bytes and its path, the newest first."""
    found = []
    for path in _all().glob("*/*"):
        # Another process may have removed it since it was listed.
        with suppress(FileNotFoundError):
            stat = path.stat()
            found.append((stat.st_mtime, stat.st_size, path))
    return sorted(found, reverse=True)


def sweep() -> int:
    """Remove what is older than a week, then the oldest beyond the size; return how many files.

    Whatever is removed is made again when somebody asks for it. May run in several workers at once.
    """
    oldest = now().timestamp() - _KEPT_SECONDS
    room_bytes, removed = settings.RENDERED_MEGABYTES * _MEGABYTE, 0
    for made_at, size, path in _kept():
        room_bytes -= size
        if made_at < oldest or room_bytes < 0:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def keep(code: str, digest: str, name: str, make: Callable[[], bytes]) -> bytes:
    """Return a document from disk, or make it and keep it.

    ``code``: whose document, the same text that ``forget`` takes. ``digest``: of its source.
    Raises: TooManyDrawingsError, and whatever ``make`` raises.
    """
    assert code.isalnum(), "a code becomes part of a file name"
    path = _folder(code) / f"{code}-{digest[:16]}-{name}"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    if not _at_once.acquire(timeout=_PATIENCE_SECONDS):
        raise TooManyDrawingsError
    try:
        made = make()
    finally:
        _at_once.release()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    draft.write_bytes(made)
    draft.replace(path)
    return made


def forget(code: str) -> None:
    """Remove every document of a code, above all those with a name that was erased."""
    for path in _folder(code).glob(f"{code}-*"):
        path.unlink(missing_ok=True)
