"""Statement files on the disk: as they came, for a while, for whoever asks what a line was made of.

They may hold what gateways know of payers, which no table of ours does: so they lie in the data
folder for ``settings.STATEMENT_FILE_DAYS`` days, readable by its owner alone, and are then removed;
the digest stays. Zero days: none is ever written.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from diandian.footprints import evidence as files
from diandian.kernel.clock import now
from diandian.payments.statements import Statement

_FOLDER = "statements"


def keep(merchant_key: str, statement: Statement) -> None:
    """Put a statement on the disk, whole or not at all. Idempotent by: its digest."""
    if settings.STATEMENT_FILE_DAYS > 0:
        files.write(stored_path(merchant_key, statement.sha256), statement.raw)


def stored_path(merchant_key: str, sha256: str) -> str:
    """Return where a statement lies below the data folder."""
    assert files.is_digest(sha256), "a digest becomes part of a path"
    return f"{_FOLDER}/{merchant_key}/{sha256}"


def sweep(*, at: datetime | None = None) -> int:
    """Remove what is older than the setting allows. Returns how many. Safe in several workers."""
    oldest = (at or now()) - timedelta(days=settings.STATEMENT_FILE_DAYS)
    removed = 0
    for path in (Path(settings.DATA_DIR) / _FOLDER).glob("*/*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest.timestamp():
                path.unlink()
                removed += 1
    return removed
