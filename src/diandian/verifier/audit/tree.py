"""Rebuilds the tree from the entries themselves, and says which of them do not fit its head."""

from collections.abc import Iterator
from hashlib import sha256

from diandian.verifier.audit.findings import Finding
from diandian.verifier.audit.replay import Replay
from diandian.verifier.audit.source import Source, SourceError
from diandian.verifier.merkle import (
    HASH_BYTES,
    Frontier,
    full_root,
    leaf_hash,
    root_at,
)
from diandian.verifier.notes import Checkpoint
from diandian.verifier.tiles import (
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    HashReader,
    Tile,
    TileError,
    cut_entries,
    read_tile,
)

_NAMED = 20


class Tree:
    """The tree of the entries read so far: a root for each full bundle, and the edge's leaves."""

    def __init__(self, roots: bytes = b"", edge: bytes = b"") -> None:
        self.roots = bytearray(roots)
        self.edge = [edge[at : at + HASH_BYTES] for at in range(0, len(edge), HASH_BYTES)]
        self._frontier = Frontier()
        for number in range(self.full):
            self._frontier.append_tile(self.bundle_root(number))

    @property
    def size(self) -> int:
        """Return how many entries it has."""
        return self._frontier.size + len(self.edge)

    @property
    def full(self) -> int:
        """Return how many full bundles it has."""
        return len(self.roots) // HASH_BYTES

    def bundle_root(self, number: int) -> bytes:
        """Return the root of a full bundle."""
        return bytes(self.roots[number * HASH_BYTES : (number + 1) * HASH_BYTES])

    def frontier(self) -> Frontier:
        """Return a copy to go on from."""
        copy = Frontier(self._frontier.size, self._frontier.hashes)
        copy.extend(self.edge)
        return copy

    def root(self) -> bytes:
        """Return the root of all entries."""
        return self.frontier().root()

    def add(self, leaves: list[bytes]) -> None:
        """Add leaves, which reach the end of their bundle at most."""
        self.edge += leaves
        if len(self.edge) == TILE_WIDTH:
            root = full_root(self.edge)
            self._frontier.append_tile(root)
            self.roots += root
            self.edge = []


def bundles(start: int, size: int) -> Iterator[Tile]:
    """Yield the bundles that hold the entries from ``start`` on."""
    for number in range(start // TILE_WIDTH, -(-size // TILE_WIDTH)):
        yield Tile(ENTRIES, number, min(TILE_WIDTH, size - number * TILE_WIDTH))


def grow(source: Source, tree: Tree, size: int, replay: Replay, earlier: Tree) -> list[Finding]:
    """Read the entries up to ``size`` into tree and book; return what changed since the last run.

    ``earlier``: the tree of the last run. Raises: FileNotFoundError, SourceError.
    """
    found: list[Finding] = []
    start = tree.size
    if size == start:
        return found
    # A size is what its signer says: nothing is prepared for all of it.
    ahead = source.ahead(bundles(start, size))
    for tile, data in zip(bundles(start, size), ahead, strict=True):
        try:
            entries = cut_entries(data, tile.width)
        except TileError as error:
            found.append(Finding("tree", f"{tile.path}: {error}", (tile.start,)))
            break
        leaves = [sha256(b"\x00" + entry).digest() for entry in entries]
        known = len(tree.edge)
        fresh = leaves[known:]

        def frontier_at(place: int, fresh: list[bytes] = fresh) -> Frontier:
            frontier = tree.frontier()
            frontier.extend(fresh[:place])
            return frontier

        replay.take(tile.start + known, entries[known:], frontier_at)
        found += _changed(tile, leaves, earlier)
        tree.add(fresh)
    return found


def _changed(tile: Tile, leaves: list[bytes], earlier: Tree) -> list[Finding]:
    """Return what a bundle holds otherwise than in the last run."""
    if tile.number < earlier.full:
        if tile.is_full and full_root(leaves) == earlier.bundle_root(tile.number):
            return []
        last = tile.start + TILE_WIDTH - 1
        text = f"the entries {tile.start} to {last}, or some of them, are not those of the last run"
        return [Finding("tree", text, (tile.start,))]
    if tile.number > earlier.full:
        return []
    return [
        Finding("tree", f"the entry {index} is not that of the last run", (index,))
        for index, (old, new) in enumerate(zip(earlier.edge, leaves, strict=False), tile.start)
        if old != new
    ]


def read_again(source: Source, tree: Tree) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the index of the first entry and the entries of each bundle of the tree, once more.

    Raises: FileNotFoundError; SourceError when they are not those that were read before.
    """
    ahead = source.ahead(bundles(0, tree.size))
    for tile, data in zip(bundles(0, tree.size), ahead, strict=True):
        try:
            entries = cut_entries(data, tile.width)
        except TileError as error:
            raise SourceError(f"{tile.path}: {error}") from error
        leaves = [leaf_hash(entry) for entry in entries]
        same = (
            full_root(leaves) == tree.bundle_root(tile.number)
            if tile.is_full
            else (leaves == tree.edge)
        )
        if not same:
            raise SourceError(f"{tile.path} is not what it was when it was read first")
        yield tile.start, entries


def _leaves_of(source: Source, tile: Tile) -> list[bytes]:
    entries = cut_entries(read_tile(source.read, tile), tile.width)
    return [leaf_hash(entry) for entry in entries]


def _differing(source: Source, head: Checkpoint, tree: Tree, signed: HashReader) -> list[Finding]:
    """Return the entries that differ from the hashes under the head."""
    wrong: dict[int, tuple[bytes, bytes]] = {}
    for tile in bundles(0, head.size):
        if tile.is_full and signed.hash_at(TILE_HEIGHT, tile.number) == tree.bundle_root(
            tile.number
        ):
            continue
        for index, leaf in enumerate(_leaves_of(source, tile), tile.start):
            expected = signed.hash_at(0, index)
            if leaf != expected:
                wrong[index] = leaf, expected
        if len(wrong) >= _NAMED:
            break
    place_of = {expected: index for index, (_, expected) in wrong.items()}
    found = []
    for index, (leaf, expected) in wrong.items():
        other = place_of.get(leaf)
        if other is not None and wrong[other][0] == expected:
            if index < other:
                text = f"the entries {index} and {other} have changed places"
                found.append(Finding("tree", text, (index, other)))
            continue
        text = f"the bytes of entry {index} are not those under the signed head"
        found.append(Finding("tree", text, (index,)))
    return found


def rewritten(source: Source, tree: Tree, size: int) -> list[Finding]:
    """Return where the published hashes leave what was read before; ``tree`` is the earlier one."""
    signed = HashReader(source.read, size)
    try:
        if root_at(tree.size, signed.hash_at) == tree.root():
            return []
        full = tree.full
        numbers = (n for n in range(full) if signed.hash_at(TILE_HEIGHT, n) != tree.bundle_root(n))
        number = next(numbers, full)
        text = (
            f"the first {tree.size} entries are not those of the last run: the log was rewritten, "
            f"from entry {number * TILE_WIDTH} on or a little later"
        )
        if number == full:
            leaves = (
                signed.hash_at(0, full * TILE_WIDTH + place) for place in range(len(tree.edge))
            )
            wrong = [place for place, leaf in enumerate(leaves) if leaf != tree.edge[place]]
            place = full * TILE_WIDTH + (wrong[0] if wrong else 0)
            text = (
                f"the first {tree.size} entries are not those of the last run: the log was "
                f"rewritten from entry {place} on"
            )
            return [Finding("tree", text, (place,))]
        return [Finding("tree", text, (number * TILE_WIDTH,))]
    except (FileNotFoundError, TileError) as error:
        return [Finding("tree", f"the tiles cannot be read either: {error}")]


def diagnose(source: Source, head: Checkpoint, tree: Tree) -> list[Finding]:
    """Return why the entries do not lead to the root of the head, as exactly as can be told."""
    signed = HashReader(source.read, head.size)
    try:
        if root_at(head.size, signed.hash_at) == head.root:
            found = _differing(source, head, tree, signed)
        else:
            text = f"neither entries nor tiles lead to the signed root of {head.size} entries"
            found = [Finding("tree", text)]
    except (FileNotFoundError, TileError) as error:
        text = f"the entries do not lead to the signed root, and the tiles cannot be read: {error}"
        found = [Finding("tree", text)]
    return found or [Finding("tree", "the entries do not lead to the signed root")]
