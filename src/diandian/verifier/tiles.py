"""The files of a log: where hashes and entries lie, and how they are read again.

*Source:* C2SP tlog-tiles, v1. A tile holds up to 256 hashes of one level; a bundle holds the
entries of a tile of level 0. A full file never changes; a partial one has its width in its name.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from diandian.verifier.merkle import HASH_BYTES, node_hash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_LEVEL = 63
MAX_ENTRY_BYTES = 0xFFFF
MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
# In place of a level: the file holds entries.
ENTRIES = -1
_PREFIX_BYTES = 2
_CACHED_TILES = 64
# Returns the bytes of a file of the log by its path; FileNotFoundError where there is none.
Read = Callable[[str], bytes]


class TileError(ValueError):
    """A file of the log is not what its name says."""


def _numbered(index: int, width: int) -> str:
    if index < 0 or not 1 <= width <= TILE_WIDTH:
        raise ValueError(f"there is no tile {index} of width {width}")
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Return where a tile of hashes lies.

    >>> tile_path(0, 1234, 17)
    'tile/0/x001/234.p/17'
    """
    if not 0 <= level <= MAX_LEVEL:
        raise ValueError(f"there is no tile level {level}")
    return f"tile/{level}/{_numbered(index, width)}"


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """Return where a bundle of entries lies."""
    return f"tile/entries/{_numbered(index, width)}"


class Tile(NamedTuple):
    """One file: a tile of a level, or a bundle where ``level`` is ``ENTRIES``."""

    level: int
    number: int
    width: int

    @property
    def path(self) -> str:
        """Return where it lies."""
        if self.level == ENTRIES:
            return entries_path(self.number, self.width)
        return tile_path(self.level, self.number, self.width)

    @property
    def start(self) -> int:
        """Return which hash of its level, or which entry, is the first inside."""
        return self.number * TILE_WIDTH

    @property
    def is_full(self) -> bool:
        """Tell whether it can never change."""
        return self.width == TILE_WIDTH


def _between(level: int, old_count: int, new_count: int) -> Iterator[Tile]:
    for index in range(old_count // TILE_WIDTH, -(-new_count // TILE_WIDTH)):
        yield Tile(level, index, min(TILE_WIDTH, new_count - index * TILE_WIDTH))


def tiles_for(old_size: int, new_size: int) -> list[Tile]:
    """Return the files that a growth writes: bundles first, then tiles from level 0 upwards.

    The full ones that it fills, and of each level the partial one at the edge.
    """
    if not 0 <= old_size <= new_size:
        raise ValueError(f"a log of {old_size} entries does not grow to {new_size}")
    found: list[Tile] = []
    if old_size == new_size:
        return found
    found += _between(ENTRIES, old_size, new_size)
    level, old_count, new_count = 0, old_size, new_size
    while new_count and new_count != old_count:
        found += _between(level, old_count, new_count)
        level, old_count, new_count = level + 1, old_count // TILE_WIDTH, new_count // TILE_WIDTH
    return found


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """Return the bytes of a bundle: each entry behind its length in two bytes.

    Raises: ValueError when there are none or too many, or one is too long.
    """
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise ValueError(f"a bundle holds 1 to {TILE_WIDTH} entries")
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise ValueError(f"an entry has at most {MAX_ENTRY_BYTES} bytes")
    return b"".join(
        part for entry in entries for part in (len(entry).to_bytes(_PREFIX_BYTES, "big"), entry)
    )


def decode_entries(data: bytes) -> list[bytes]:
    """Return the entries of a bundle. Raises: TileError on a broken one."""
    entries, place, end = [], 0, len(data)
    while place < end:
        start = place + _PREFIX_BYTES
        place = start + int.from_bytes(data[start - _PREFIX_BYTES : start], "big")
        entries.append(data[start:place])
    if place != end:
        raise TileError("a bundle ends in the middle of an entry")
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise TileError(f"a bundle holds {len(entries)} entries")
    return entries


def cut_entries(data: bytes, width: int) -> list[bytes]:
    """Return the first ``width`` entries of a bundle. Raises: TileError where there are fewer."""
    entries = decode_entries(data)
    if len(entries) < width:
        raise TileError(f"a bundle holds {len(entries)} entries instead of {width}")
    return entries[:width]


def read_tile(read: Read, tile: Tile) -> bytes:
    """Return the bytes of a file; where a partial one is gone, those of the full one.

    Raises: FileNotFoundError when neither is there.
    """
    try:
        return read(tile.path)
    except FileNotFoundError:
        if tile.is_full:
            raise
        return read(tile._replace(width=TILE_WIDTH).path)


class HashReader:
    """Reads hashes of full subtrees out of the tiles of a log with ``size`` entries.

    What it returns is as true as the files: compare a root made of it with a signed one.
    """

    def __init__(self, read: Read, size: int) -> None:
        self._read = read
        self._size = size
        self._tiles: dict[tuple[int, int], bytes] = {}

    def _tile(self, level: int, index: int) -> bytes:
        data = self._tiles.get((level, index))
        if data is None:
            count = (self._size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH
            tile = Tile(level, index, min(TILE_WIDTH, count))
            data = read_tile(self._read, tile)
            if len(data) not in {tile.width * HASH_BYTES, TILE_WIDTH * HASH_BYTES}:
                raise TileError(f"{tile.path} has {len(data)} bytes, not {tile.width} hashes")
            if len(self._tiles) >= _CACHED_TILES:
                self._tiles.pop(next(iter(self._tiles)))
            self._tiles[level, index] = data
        return data

    def hash_at(self, level: int, index: int) -> bytes:
        """Return the hash of the ``index``-th full subtree of ``2**level`` leaves.

        Raises: ValueError beyond the size; TileError; FileNotFoundError.
        """
        if level < 0 or index < 0 or (index + 1) << level > self._size:
            raise ValueError(f"{self._size} entries have no full subtree {index} of level {level}")
        tile_level, inside = divmod(level, TILE_HEIGHT)
        first = index << inside
        data = self._tile(tile_level, first // TILE_WIDTH)
        place = first % TILE_WIDTH * HASH_BYTES
        ends = range(place, place + (HASH_BYTES << inside), HASH_BYTES)
        hashes = [data[end : end + HASH_BYTES] for end in ends]
        while len(hashes) > 1:
            pairs = zip(hashes[::2], hashes[1::2], strict=True)
            hashes = [node_hash(left, right) for left, right in pairs]
        return hashes[0]
