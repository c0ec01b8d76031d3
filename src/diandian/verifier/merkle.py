"""The Merkle tree of the public log: hashes, compact ranges, and the two proofs.

*Source:* RFC 6962, section 2.1, SHA-256; the checks as written out in RFC 9162, sections 2.1.3.2
and 2.1.4.2. A tree is known by its size and root; leaf ``i`` is the entry with index ``i``.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
# The hash of the full subtree of 2**level leaves that begins at leaf index * 2**level.
HashAt = Callable[[int, int], bytes]


class ProofError(ValueError):
    """The proof does not show what it should; the text says what differs."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of an entry."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two neighbours."""
    return sha256(b"\x01" + left + right).digest()


def _folded(parts: Sequence[bytes]) -> bytes:
    """Return the root over full subtrees that shrink from left to right."""
    root = parts[-1]
    for left in reversed(parts[:-1]):
        root = node_hash(left, root)
    return root


class Frontier:
    """A growing tree that remembers only the roots of its full subtrees, largest first.

    ``size`` leaves need as many hashes as ``size`` has binary ones. ``hashes`` continues a tree.
    Raises: ValueError when the number of hashes does not fit the size.
    """

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self._hashes = list(hashes)
        if size < 0 or len(self._hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has another number of full subtrees")
        if any(len(item) != HASH_BYTES for item in self._hashes):
            raise ValueError(f"a hash has {HASH_BYTES} bytes")

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """Return what to keep, to continue the tree later."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        hashes, size = self._hashes, self.size
        while size & 1:
            leaf = node_hash(hashes.pop(), leaf)
            size >>= 1
        hashes.append(leaf)
        self.size += 1

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add the hashes of the next leaves, in bulk.

        Whole runs of 256 that begin at a multiple of 256 are hashed level by level.
        """
        start = 0
        while start < len(leaves):
            if self.size % 256 == 0 and len(leaves) - start >= 256:  # noqa: PLR2004
                self.append_tile(full_root(leaves[start : start + 256]))
                start += 256
            else:
                self.append(leaves[start])
                start += 1

    def append_tile(self, root: bytes) -> None:
        """Add 256 leaves by their root; they begin at a multiple of 256. Raises: ValueError."""
        if self.size % 256:
            raise ValueError("the leaves of a tile begin at a multiple of 256")
        hashes, count = self._hashes, self.size >> 8
        while count & 1:
            root = node_hash(hashes.pop(), root)
            count >>= 1
        hashes.append(root)
        self.size += 256

    def root(self) -> bytes:
        """Return the root of all leaves so far."""
        return _folded(self._hashes) if self._hashes else EMPTY_ROOT


def full_root(level: Sequence[bytes]) -> bytes:
    """Return the root of a power of two of hashes, in bulk."""
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return level[0]


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root over hashes of leaves."""
    frontier = Frontier()
    for leaf in leaf_hashes:
        frontier.append(leaf)
    return frontier.root()


def _split(count: int) -> int:
    """Return the largest power of two below ``count``, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _root_between(start: int, end: int, hash_at: HashAt) -> bytes:
    """Return the root of the leaves ``[start, end)``, where start is a boundary of the tree."""
    parts = []
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append(hash_at(level, start >> level))
        start += 1 << level
    return _folded(parts)


def root_at(size: int, hash_at: HashAt) -> bytes:
    """Return the root of the first ``size`` leaves of a tree whose hashes can be read."""
    return _root_between(0, size, hash_at) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, hash_at: HashAt) -> list[bytes]:
    """Return the hashes that lead from leaf ``index`` to the root of ``size`` leaves.

    Raises: ValueError when there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_root_between(middle, end, hash_at))
            end = middle
        else:
            path.append(_root_between(start, middle, hash_at))
            start = middle
    return path[::-1]


def consistency_proof(old_size: int, new_size: int, hash_at: HashAt) -> list[bytes]:
    """Return the hashes that show the old tree to be the beginning of the new one.

    From nothing, and from a tree to itself, nothing needs to be shown: the proof is empty.
    Raises: ValueError when the old tree is the larger one.
    """
    if not 0 <= old_size <= new_size:
        raise ValueError(f"a tree of {new_size} leaves does not continue one of {old_size}")
    if old_size in {0, new_size}:
        return []
    start, end, path, is_known = 0, new_size, [], True
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(_root_between(middle, end, hash_at))
            end = middle
        else:
            path.append(_root_between(start, middle, hash_at))
            start, is_known = middle, False
    if not is_known:
        path.append(_root_between(start, end, hash_at))
    return path[::-1]


def _require_hashes(*hashes: bytes) -> None:
    if any(len(item) != HASH_BYTES for item in hashes):
        raise ProofError(f"the proof holds something that is not a hash of {HASH_BYTES} bytes")


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that an inclusion proof leads to. Raises: ProofError on a wrong length."""
    _require_hashes(leaf, *proof)
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    node, last, root = index, size - 1, leaf
    for item in proof:
        if last == 0:
            raise ProofError("the proof has more hashes than the tree has levels")
        if node & 1 or node == last:
            root = node_hash(item, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, item)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofError("the proof has fewer hashes than the way to the root")
    return root


def verify_inclusion(
    leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the leaf stands at ``index`` of the tree. Raises: ProofError."""
    _require_hashes(root)
    if root_from_inclusion(leaf_hash, index, size, proof) != root:
        raise ProofError(f"entry {index} leads to another root than that of the {size} entries")


def _roots_from_consistency(
    old_size: int, old_root: bytes, new_size: int, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    hashes = list(proof)
    if old_size.bit_count() == 1:
        hashes.insert(0, old_root)
    if not hashes:
        raise ProofError("the proof is empty")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = hashes[0]
    for item in hashes[1:]:
        if last == 0:
            raise ProofError("the proof has more hashes than the tree has levels")
        if node & 1 or node == last:
            old, new = node_hash(item, old), node_hash(item, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, item)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofError("the proof has fewer hashes than the way to the root")
    return old, new


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the old tree is the beginning of the new one. Raises: ProofError."""
    _require_hashes(old_root, new_root, *proof)
    if not 0 <= old_size <= new_size:
        raise ProofError(f"a tree of {new_size} entries does not continue one of {old_size}")
    if old_size in {0, new_size}:
        if proof:
            raise ProofError("the proof must be empty here, and is not")
        if old_size == new_size and old_root != new_root:
            raise ProofError(f"two different roots of the same size {new_size}")
        if old_size == 0 and old_root != EMPTY_ROOT:
            raise ProofError("the root of the empty tree is another one")
        return
    old, new = _roots_from_consistency(old_size, old_root, new_size, proof)
    if old != old_root:
        raise ProofError(f"the first {old_size} entries have another root than before")
    if new != new_root:
        raise ProofError(f"the proof leads to another root of the {new_size} entries")
