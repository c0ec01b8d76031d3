import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.verifier import merkle, tiles

pytestmark = pytest.mark.pure

SIZE = 66_000
LEAVES = [merkle.leaf_hash(b"%d" % number) for number in range(SIZE)]


def level_of_hashes(level):
    """Return the hashes of full subtrees of 256**level leaves."""
    found = LEAVES
    for _ in range(8 * level):
        pairs = zip(found[::2], found[1::2], strict=False)
        found = [merkle.node_hash(left, right) for left, right in pairs]
    return found


LEVELS = [level_of_hashes(level) for level in range(3)]


def written(old_size, new_size, files):
    """Write the tiles of a growth as a log would; hold that full ones are written once."""
    for tile in tiles.tiles_for(old_size, new_size):
        if tile.level == tiles.ENTRIES:
            data = tiles.encode_entries(
                [b"%d" % (tile.start + place) for place in range(tile.width)]
            )
        else:
            data = b"".join(LEVELS[tile.level][tile.start : tile.start + tile.width])
            assert len(data) == tile.width * 32
        assert tile.path not in files
        files[tile.path] = data
    return files


def reader(files):
    def read(path):
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    return read


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (tiles.tile_path(0, 1234067), "tile/0/x001/x234/067"),
        (tiles.tile_path(0, 0), "tile/0/000"),
        (tiles.tile_path(3, 1000, 17), "tile/3/x001/000.p/17"),
        (tiles.tile_path(63, 999, 255), "tile/63/999.p/255"),
        (tiles.entries_path(1234067), "tile/entries/x001/x234/067"),
        (tiles.entries_path(5, 1), "tile/entries/005.p/1"),
    ],
)
def test_paths_are_those_of_the_specification(path, expected):
    assert path == expected


@pytest.mark.parametrize("bad", [(64, 0, 1), (-1, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_there_is_no_other_tile(bad):
    with pytest.raises(ValueError):
        tiles.tile_path(*bad)


def test_a_tree_of_70000_has_the_tiles_of_the_specifications_example():
    found = tiles.tiles_for(0, 70_000)
    hashes = [tile for tile in found if tile.level != tiles.ENTRIES]
    full = [sum(tile.is_full for tile in hashes if tile.level == level) for level in range(3)]
    assert full == [273, 1, 0]
    partial = [(tile.level, tile.width) for tile in hashes if not tile.is_full]
    assert partial == [(0, 112), (1, 17), (2, 1)]
    bundles = [tile for tile in found if tile.level == tiles.ENTRIES]
    assert [bundles[-1].width, len(bundles)] == [112, 274]


def test_a_tree_of_256_has_a_full_tile_and_one_hash_above():
    paths = [tile.path for tile in tiles.tiles_for(0, 256)]
    assert paths == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]


def test_nothing_new_writes_nothing():
    assert tiles.tiles_for(300, 300) == []
    with pytest.raises(ValueError, match="does not grow"):
        tiles.tiles_for(3, 2)


@given(st.lists(st.integers(0, 900), min_size=1, max_size=6))
def test_any_growth_leaves_files_that_prove_every_head(steps):
    files, size, sizes = {}, 0, [0]
    for step in steps:
        written(size, size + step, files)
        size += step
        sizes.append(size)
    for head in sizes:
        found = tiles.HashReader(reader(files), head)
        assert merkle.root_at(head, found.hash_at) == merkle.root_of(LEAVES[:head])


def test_a_large_log_is_read_through_three_levels_of_tiles():
    files = written(0, SIZE, {})
    found = tiles.HashReader(reader(files), SIZE)
    root = merkle.root_of(LEAVES)
    for index in (0, 255, 256, 65_535, 65_536, SIZE - 1):
        proof = merkle.inclusion_proof(index, SIZE, found.hash_at)
        merkle.verify_inclusion(LEAVES[index], index, SIZE, proof, root)
    proof = merkle.consistency_proof(40_000, SIZE, found.hash_at)
    merkle.verify_consistency(40_000, merkle.root_of(LEAVES[:40_000]), SIZE, root, proof)


def test_where_a_partial_tile_is_gone_the_full_one_serves():
    files = written(0, 600, {})
    files = {path: data for path, data in files.items() if ".p/" not in path}
    found = tiles.HashReader(reader(files), 300)
    files["tile/1/000.p/1"] = b"".join(LEVELS[1][:1])
    assert merkle.root_at(300, found.hash_at) == merkle.root_of(LEAVES[:300])


def test_a_reader_tells_what_is_missing_or_of_a_wrong_length():
    files = written(0, 300, {})
    with pytest.raises(ValueError, match="no full subtree"):
        tiles.HashReader(reader(files), 300).hash_at(0, 300)
    files["tile/0/001.p/44"] += b"x"
    with pytest.raises(tiles.TileError, match=r"tile/0/001\.p/44 has 1409 bytes"):
        tiles.HashReader(reader(files), 300).hash_at(0, 299)
    del files["tile/0/001.p/44"]
    with pytest.raises(FileNotFoundError):
        tiles.HashReader(reader(files), 300).hash_at(0, 299)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_bundles_give_back_their_entries(entries):
    data = tiles.encode_entries(entries)
    assert tiles.decode_entries(data) == entries
    assert tiles.cut_entries(data, 1) == entries[:1]


@pytest.mark.parametrize("entries", [[], [b""] * 257, [b"x" * 65_536]])
def test_what_fits_no_bundle_is_refused(entries):
    with pytest.raises(ValueError):
        tiles.encode_entries(entries)


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\x00\x05abc", b"\x00\x01a\x00", b"\x00\x00" * 257]
)
def test_broken_bundles_are_refused(data):
    with pytest.raises(tiles.TileError):
        tiles.decode_entries(data)


def test_a_bundle_that_is_too_short_is_refused():
    with pytest.raises(tiles.TileError, match="1 entries instead of 2"):
        tiles.cut_entries(tiles.encode_entries([b"a"]), 2)


@given(st.binary(max_size=100))
def test_no_bytes_surprise_the_reader_of_bundles(data):
    try:
        entries = tiles.decode_entries(data)
    except tiles.TileError:
        return
    assert tiles.encode_entries(entries) == data
