import random
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.verifier import merkle

pytestmark = pytest.mark.pure

# Inputs and roots of the reference implementation of RFC 6962.
INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [merkle.leaf_hash(b"%d" % number) for number in range(700)]


def slow_root(leaves):
    """Return the root as the RFC defines it, by recursion."""
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return merkle.node_hash(slow_root(leaves[:half]), slow_root(leaves[half:]))


@cache
def hash_at(level, index):
    if level == 0:
        return LEAVES[index]
    return merkle.node_hash(hash_at(level - 1, 2 * index), hash_at(level - 1, 2 * index + 1))


@cache
def root(size):
    return slow_root(LEAVES[:size])


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference(size):
    leaves = [merkle.leaf_hash(bytes.fromhex(text)) for text in INPUTS[:size]]
    assert merkle.root_of(leaves).hex() == ROOTS[size]


def test_a_frontier_has_the_root_of_every_size():
    frontier = merkle.Frontier()
    for size, leaf in enumerate(LEAVES[:300]):
        assert (frontier.size, frontier.root()) == (size, root(size))
        assert len(frontier.hashes) == size.bit_count()
        frontier.append(leaf)


@given(st.lists(st.integers(0, 300), max_size=4))
def test_a_frontier_that_grows_in_bulk_is_the_same(steps):
    frontier, size = merkle.Frontier(), 0
    for step in steps:
        frontier.extend(LEAVES[size : size + step])
        size = min(size + step, len(LEAVES))
        frontier = merkle.Frontier(frontier.size, frontier.hashes)
    assert (frontier.size, frontier.root()) == (size, root(size))
    assert merkle.root_at(size, hash_at) == root(size)


@pytest.mark.parametrize(("size", "hashes"), [(-1, []), (3, [b"a" * 32]), (1, [b"short"])])
def test_a_frontier_that_does_not_fit_is_refused(size, hashes):
    with pytest.raises(ValueError):
        merkle.Frontier(size, hashes)


def test_every_entry_of_every_small_tree_is_shown_to_be_in_it():
    for size in range(1, 70):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, hash_at)
            merkle.verify_inclusion(LEAVES[index], index, size, proof, root(size))


def test_every_tree_up_to_300_continues_every_smaller_one():
    for new_size in range(301):
        for old_size in range(new_size + 1):
            proof = merkle.consistency_proof(old_size, new_size, hash_at)
            merkle.verify_consistency(old_size, root(old_size), new_size, root(new_size), proof)


def spoilt(proof, rng):
    """Return a proof with one bit, one place or one hash changed."""
    proof = list(proof)
    choice = rng.randrange(4) if proof else 3
    place = rng.randrange(len(proof)) if proof else 0
    if choice == 0:
        data = bytearray(proof[place])
        data[rng.randrange(32)] ^= 1 << rng.randrange(8)
        proof[place] = bytes(data)
    elif choice == 1:
        del proof[place]
    elif choice == 2 and len(proof) > 1:
        other = (place + 1) % len(proof)
        proof[place], proof[other] = proof[other], proof[place]
    else:
        proof.insert(place, rng.randbytes(32))
    return proof


@given(st.integers(1, 600), st.integers(0, 2**32))
def test_a_spoilt_inclusion_proof_is_refused(size, seed):
    rng = random.Random(seed)
    index = rng.randrange(size)
    proof = merkle.inclusion_proof(index, size, hash_at)
    with pytest.raises(merkle.ProofError):
        merkle.verify_inclusion(LEAVES[index], index, size, spoilt(proof, rng), root(size))
    with pytest.raises(merkle.ProofError):
        merkle.verify_inclusion(LEAVES[-1], index, size, proof, root(size))
    if size > 1:
        other = (index + 1 + rng.randrange(size - 1)) % size
        with pytest.raises(merkle.ProofError):
            merkle.verify_inclusion(LEAVES[index], other, size, proof, root(size))


@given(st.integers(2, 600), st.integers(0, 2**32))
def test_a_spoilt_consistency_proof_is_refused(new_size, seed):
    rng = random.Random(seed)
    old_size = rng.randrange(1, new_size)
    proof = merkle.consistency_proof(old_size, new_size, hash_at)
    old, new = root(old_size), root(new_size)
    for case in (
        (old_size, old, new_size, new, spoilt(proof, rng)),
        (old_size, rng.randbytes(32), new_size, new, proof),
        (old_size, old, new_size, rng.randbytes(32), proof),
        (new_size, new, old_size, old, proof),
    ):
        with pytest.raises(merkle.ProofError):
            merkle.verify_consistency(*case)


def test_the_words_say_what_differs():
    proof = merkle.consistency_proof(3, 7, hash_at)
    with pytest.raises(merkle.ProofError, match="first 3 entries have another root"):
        merkle.verify_consistency(3, root(4), 7, root(7), proof)
    with pytest.raises(merkle.ProofError, match="another root of the 7 entries"):
        merkle.verify_consistency(3, root(3), 7, root(6), proof)
    with pytest.raises(merkle.ProofError, match="two different roots of the same size 7"):
        merkle.verify_consistency(7, root(7), 7, root(6), [])
    with pytest.raises(merkle.ProofError, match="must be empty"):
        merkle.verify_consistency(7, root(7), 7, root(7), [root(1)])
    with pytest.raises(merkle.ProofError, match="empty tree"):
        merkle.verify_consistency(0, root(1), 7, root(7), [])
    with pytest.raises(merkle.ProofError, match="32 bytes"):
        merkle.verify_inclusion(LEAVES[0], 0, 2, [b"short"], root(2))
    with pytest.raises(merkle.ProofError, match="no leaf 2"):
        merkle.verify_inclusion(LEAVES[0], 2, 2, [], root(2))


def test_a_proof_has_exactly_as_many_hashes_as_the_way_to_the_root():
    way = merkle.inclusion_proof(5, 7, hash_at)
    with pytest.raises(merkle.ProofError, match="more hashes"):
        merkle.root_from_inclusion(LEAVES[5], 5, 7, [*way, LEAVES[0]])
    with pytest.raises(merkle.ProofError, match="fewer hashes"):
        merkle.root_from_inclusion(LEAVES[5], 5, 7, way[:-1])
    way = merkle.consistency_proof(3, 7, hash_at)
    with pytest.raises(merkle.ProofError, match="more hashes"):
        merkle.verify_consistency(3, root(3), 7, root(7), [*way, LEAVES[0]])
    with pytest.raises(merkle.ProofError, match="fewer hashes"):
        merkle.verify_consistency(3, root(3), 7, root(7), way[:-1])
    with pytest.raises(merkle.ProofError, match="is empty"):
        merkle.verify_consistency(3, root(3), 7, root(7), [])


def test_no_proof_is_made_of_what_is_not_there():
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_proof(3, 3, hash_at)
    with pytest.raises(ValueError, match="does not continue"):
        merkle.consistency_proof(4, 3, hash_at)
