"""The published files of a log, in the data folder: written whole, full ones once and for ever.

A web server may serve the folder as it is. The database is the source; what stands here can be
built again from it, and is compared with it. *Source:* C2SP tlog-tiles.
"""

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from diandian.kernel.memory import ttl_cache
from diandian.verifier.merkle import leaf_hash, root_of
from diandian.verifier.notes import Checkpoint, NoteError, split
from diandian.verifier.tiles import (
    ENTRIES,
    TILE_WIDTH,
    Tile,
    encode_entries,
    read_tile,
    tile_path,
    tiles_for,
)

CHECKPOINT = "checkpoint"
_HASH_BYTES = 32


class DamagedFilesError(Exception):
    """A published file is not what the entries make of it."""


def folder_of(number: int) -> Path:
    """Return the folder of a log. ``number``: 1 for the first log of this installation."""
    base = Path(settings.DATA_DIR) / "log"
    return base if number == 1 else base / str(number)


@ttl_cache(1)
def published_sizes(base: Path) -> dict[str, int]:
    """Return how many entries are published of each log below a folder, by its name.

    As of a second ago at most, so never more than was committed. Without what cannot be read, and
    no signature is looked at: the signer judges.
    """
    sizes: dict[str, int] = {}
    for path in (base / CHECKPOINT, *base.glob(f"[0-9]*/{CHECKPOINT}")):
        with suppress(OSError, NoteError):
            shown = Checkpoint.parse(split(path.read_bytes())[0])
            sizes[shown.origin] = max(shown.size, sizes.get(shown.origin, 0))
    return sizes


class LogFiles:
    """The files below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, path: str) -> bytes:
        """Return the bytes of a file. Raises: FileNotFoundError."""
        return (self.folder / path).read_bytes()

    def published(self) -> str | None:
        """Return the head that everybody can fetch now, if any was published."""
        try:
            return self.read(CHECKPOINT).decode()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise DamagedFilesError(CHECKPOINT) from error

    def publish(self, note: str) -> None:
        """Put a head in place of the one before."""
        self._write(CHECKPOINT, note.encode())

    def grow(self, old_size: int, new_size: int, entries: Iterable[bytes]) -> None:
        """Write every file that a growth changes. ``entries``: from the last full bundle on.

        Idempotent. Raises: DamagedFilesError where a full file stands that says otherwise.
        """
        tiles = tiles_for(old_size, new_size)
        bundles = [tile for tile in tiles if tile.level == ENTRIES]
        for bundle, items in zip(bundles, _portions(entries), strict=True):
            assert len(items) == bundle.width, "every entry is there"
            self._keep(bundle, encode_entries(items))
            hashes = Tile(0, bundle.number, bundle.width)
            self._keep(hashes, b"".join(leaf_hash(item) for item in items))
        for tile in tiles:
            if tile.level > 0:
                below = range(tile.start, tile.start + tile.width)
                self._keep(tile, b"".join(self._full_root(tile.level - 1, each) for each in below))

    def differences(self, size: int, entries: Iterable[bytes]) -> Iterator[str]:
        """Yield the path of each file of a log of this size that is not what its entries make."""
        level, hashes = 0, []
        for number, items in enumerate(_portions(entries)):
            hashes += [leaf_hash(item) for item in items]
            yield from self._differs(Tile(ENTRIES, number, len(items)), encode_entries(items))
        assert len(hashes) == size, "every entry is there"
        while hashes:
            for start in range(0, len(hashes), TILE_WIDTH):
                part = hashes[start : start + TILE_WIDTH]
                yield from self._differs(
                    Tile(level, start // TILE_WIDTH, len(part)), b"".join(part)
                )
            ends = range(TILE_WIDTH, len(hashes) + 1, TILE_WIDTH)
            hashes = [root_of(hashes[end - TILE_WIDTH : end]) for end in ends]
            level += 1

    def _differs(self, tile: Tile, data: bytes) -> Iterator[str]:
        try:
            there = read_tile(self.read, tile)
        except OSError:
            there = b""
        # Of a full file in place of a partial one only the beginning is meant.
        if there != data and (tile.is_full or not there.startswith(data)):
            yield tile.path

    def _full_root(self, level: int, number: int) -> bytes:
        data = self.read(tile_path(level, number))
        if len(data) != TILE_WIDTH * _HASH_BYTES:
            raise DamagedFilesError(tile_path(level, number))
        hashes = (data[place : place + _HASH_BYTES] for place in range(0, len(data), _HASH_BYTES))
        return root_of(hashes)

    def _keep(self, tile: Tile, data: bytes) -> None:
        if not tile.is_full:
            self._write(tile.path, data)
            return
        try:
            there = self.read(tile.path)
        except FileNotFoundError:
            self._write(tile.path, data)
        else:
            if there != data:
                raise DamagedFilesError(tile.path)
        self._remove_partial(tile)

    def _remove_partial(self, tile: Tile) -> None:
        """Remove the partial files that a full one follows; readers fall back to the full one."""
        folder = self.folder / f"{tile.path}.p"
        if folder.is_dir():
            # Somebody else may be doing the same; what stays does no harm.
            with suppress(OSError):
                for each in folder.iterdir():
                    each.unlink(missing_ok=True)
                folder.rmdir()

    def _write(self, path: str, data: bytes) -> None:
        """Write a file whole: whoever reads sees all of it, or what was there before."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)


def _portions(entries: Iterable[bytes]) -> Iterator[list[bytes]]:
    portion: list[bytes] = []
    for entry in entries:
        portion.append(entry)
        if len(portion) == TILE_WIDTH:
            yield portion
            portion = []
    if portion:
        yield portion
