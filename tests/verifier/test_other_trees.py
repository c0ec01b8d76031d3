"""Other implementations of the tree agree with ours: pymerkle, and a package for Node."""

import json
import subprocess

import pymerkle
import pytest

from diandian.verifier import merkle
from tests.places import NODE_FOLDER, node_with

pytestmark = pytest.mark.pure

SIZE = 70
ENTRIES = [b"entry %d" % number for number in range(SIZE)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
RFC9162 = "@transmute/rfc9162"


def hash_at(level, index):
    return merkle.root_of(LEAVES[index << level : (index + 1) << level])


@pytest.fixture(scope="module")
def other():
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in ENTRIES:
        tree.append_entry(entry)
    return tree


def test_pymerkle_has_the_same_leaves_and_roots(other):
    assert [other.get_leaf(number + 1) for number in range(SIZE)] == LEAVES
    for size in range(1, SIZE + 1):
        assert other.get_root(size) == merkle.root_of(LEAVES[:size])


def test_pymerkle_proves_inclusion_by_the_same_hashes(other):
    for size in range(1, SIZE + 1):
        for index in {0, size // 3, size // 2, size - 1}:
            theirs = other.prove_inclusion(index + 1, size)
            ours = merkle.inclusion_proof(index, size, hash_at)
            assert sorted(theirs.path) == sorted([*ours, LEAVES[index]])
            pymerkle.verify_inclusion(LEAVES[index], merkle.root_of(LEAVES[:size]), theirs)


def test_pymerkle_proves_consistency_of_the_same_roots(other):
    """Its proofs from even sizes hold more hashes than the RFC's; from odd ones the same."""
    for new_size in range(2, SIZE + 1):
        for old_size in {1, new_size // 3 or 1, new_size // 2, new_size - 1}:
            theirs = other.prove_consistency(old_size, new_size)
            roots = [merkle.root_of(LEAVES[:size]) for size in (old_size, new_size)]
            pymerkle.verify_consistency(*roots, theirs)
            with pytest.raises(pymerkle.InvalidProof):
                pymerkle.verify_consistency(merkle.leaf_hash(b"other"), roots[1], theirs)
            if old_size % 2:
                ours = merkle.consistency_proof(old_size, new_size, hash_at)
                known = roots[:1] if old_size == 1 else []
                assert sorted(theirs.path) == sorted([*ours, *known])


SCRIPT = """
const { verifyInclusionProof, verifyConsistencyProof, hexToBin } =
  require("@transmute/rfc9162").RFC9162;
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
(async () => {
  const said = [];
  for (const one of cases) {
    const path = one.path.map(hexToBin);
    said.push(one.kind === "inclusion"
      ? await verifyInclusionProof(hexToBin(one.root), hexToBin(one.leaf),
          { log_id: "", tree_size: one.size, leaf_index: one.index, inclusion_path: path })
      : await verifyConsistencyProof(hexToBin(one.old), hexToBin(one.root),
          { log_id: "", tree_size_1: one.oldSize, tree_size_2: one.size, consistency_path: path }));
  }
  console.log(JSON.stringify(said));
})();
"""


def said_by_node(cases):
    node, reason = node_with(RFC9162)
    if not node:
        pytest.skip(reason)
    done = subprocess.run(
        [node, "-e", SCRIPT],
        input=json.dumps(cases),
        cwd=NODE_FOLDER,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def inclusion(index, size, leaf):
    path = [item.hex() for item in merkle.inclusion_proof(index, size, hash_at)]
    root = merkle.root_of(LEAVES[:size]).hex()
    return {
        "kind": "inclusion",
        "index": index,
        "size": size,
        "leaf": leaf.hex(),
        "root": root,
        "path": path,
    }


def consistency(old_size, size, old_root):
    path = [item.hex() for item in merkle.consistency_proof(old_size, size, hash_at)]
    # The RFC's verifier puts the root of a full subtree first by itself; this one wants it given.
    if old_size.bit_count() == 1:
        path.insert(0, old_root.hex())
    root = merkle.root_of(LEAVES[:size]).hex()
    return {
        "kind": "consistency",
        "oldSize": old_size,
        "size": size,
        "old": old_root.hex(),
        "root": root,
        "path": path,
    }


def test_node_accepts_our_proofs_of_inclusion_and_refuses_another_leaf():
    places = [(index, size) for size in (1, 2, 3, 7, 8, 33, 70) for index in range(size)]
    genuine = [inclusion(index, size, LEAVES[index]) for index, size in places]
    wrong = [inclusion(index, size, merkle.leaf_hash(b"other")) for index, size in places]
    assert said_by_node([*genuine, *wrong]) == [True] * len(places) + [False] * len(places)


def test_node_accepts_our_proofs_of_consistency_and_refuses_another_past():
    places = [(old, new) for new in (2, 3, 7, 8, 33, 70) for old in range(1, new)]
    genuine = [consistency(old, new, merkle.root_of(LEAVES[:old])) for old, new in places]
    wrong = [consistency(old, new, merkle.leaf_hash(b"other")) for old, new in places]
    assert said_by_node([*genuine, *wrong]) == [True] * len(places) + [False] * len(places)
