"""Files that show a number: what may be one, by its content, and where it lies on the disk.

They lie below the data folder, which no web server serves, one folder a scene, named by their
SHA-256; the name that somebody gave a file never becomes part of a path. Files of one scene are
never shared with another, so that erasing one takes nothing from anybody else.
"""

import hashlib
import io
import os
import re
import threading
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from django.conf import settings

from diandian.footprints.errors import EvidenceFileError
from diandian.kernel.clock import now
from diandian.kernel.errors import N_

MOST_BYTES = 5_000_000
LONGEST_NAME = 80
CHECKED_SECONDS = 86_400  # a checked import waits a day for its button
_MOST_PARTS = 500
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
WHY = {
    "empty": N_("it is empty"),
    "large": N_("it is larger than 5 MB"),
    "kind": N_("it is no PDF, PNG, JPEG, Excel workbook (.xlsx), CSV or plain text"),
    "macros": N_("it holds macros"),
    "many": N_("a scene keeps at most 200 files"),
    "none": N_("no file was chosen"),
}
TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "txt": "text/plain",
}
_MAGIC = ((b"%PDF-", "pdf"), (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"))


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be evidence. ``digest``: its SHA-256. ``name``: safe to offer as a name."""

    digest: str
    name: str
    kind: str
    data: bytes


def refuse(why: str) -> NoReturn:
    """Raise EvidenceFileError for a key of WHY."""
    raise EvidenceFileError(field="file", why=WHY[why])


def check(data: bytes, name: str) -> Checked:
    """Look at a file's size and content. Nothing in it is unpacked. Raises: EvidenceFileError."""
    if not data:
        refuse("empty")
    if len(data) > MOST_BYTES:
        refuse("large")
    kind = _kind(data, name)
    return Checked(hashlib.sha256(data).hexdigest(), safe_name(name, kind), kind, data)


def _kind(data: bytes, name: str) -> str:
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data.startswith(b"PK"):
        return _workbook(data)
    if not _is_text(data):
        refuse("kind")
    # Both are plain text; only the word for it follows the name.
    return "csv" if name.lower().endswith(".csv") else "txt"


def _workbook(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            parts = {part.filename.lower() for part in book.infolist()[: _MOST_PARTS + 1]}
    # The last is zipfile's word for an encrypted part and for an unknown compression.
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError):
        refuse("kind")
    if not {"[content_types].xml", "xl/workbook.xml"} <= parts or len(parts) > _MOST_PARTS:
        refuse("kind")
    if any(part.endswith("vbaproject.bin") for part in parts):
        refuse("macros")
    return "xlsx"


def _is_text(data: bytes) -> bool:
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for codec in ("utf-16",) if marked else ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            return not _CONTROLS.search(data.decode(codec))
    return False


def safe_name(name: str, kind: str) -> str:
    """Return a file's name without folders and signs nobody sees, ending in its true kind.

    >>> safe_name("../../bill.html", "txt"), safe_name("", "pdf"), safe_name("a.JPEG", "jpg")
    ('bill.html.txt', 'evidence.pdf', 'a.JPEG')
    """
    word = name.replace("\\", "/").rpartition("/")[2]
    word = "".join(sign for sign in word if sign.isprintable() and sign not in '<>:"|?*').strip(
        ". "
    )
    stem, dot, ending = word.rpartition(".")
    own = {"jpg": {"jpg", "jpeg"}, "txt": {"txt"}}.get(kind, {kind})
    if dot and stem and ending.lower() in own:
        return f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}"
    return f"{word[: LONGEST_NAME - len(kind) - 1] or 'evidence'}.{kind}"


# --- on the disk --------------------------------------------------------------------------------


def is_digest(text: str) -> bool:
    """Tell whether a text is the SHA-256 of something, in lower case."""
    return bool(_DIGEST.fullmatch(text))


def path_of(scene_id: int, digest: str, *, checked: bool = False) -> str:
    """Return where a file lies below the data folder. ``checked``: an import that still waits."""
    assert is_digest(digest), "a digest becomes part of a path"
    return f"evidence/{scene_id}/{'checked/' if checked else ''}{digest}"


def write(stored_path: str, data: bytes) -> None:
    """Put a file on the disk, whole or not at all. Idempotent: the digest is its name."""
    path = _below(stored_path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    with draft.open("wb") as out:
        os.fchmod(out.fileno(), 0o600)
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)


def read(stored_path: str, digest: str) -> bytes | None:
    """Return a file that still is what its digest says; None when it is gone or altered."""
    try:
        data = _below(stored_path).read_bytes()
    except FileNotFoundError:
        return None
    return data if hashlib.sha256(data).hexdigest() == digest else None


def remove(stored_path: str) -> None:
    """Take a file off the disk. Idempotent."""
    _below(stored_path).unlink(missing_ok=True)


def sweep_checked(scene_id: int) -> int:
    """Remove a scene's checked imports that nobody came back for. Returns how many."""
    return sweep(f"evidence/{scene_id}/checked")


def sweep(stored_folder: str) -> int:
    """Remove the files of a folder that nobody came back for. Returns how many."""
    oldest, removed = now().timestamp() - CHECKED_SECONDS, 0
    for path in _below(stored_folder).glob("*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()
                removed += 1
    return removed


def _below(stored_path: str) -> Path:
    return Path(settings.DATA_DIR) / stored_path
