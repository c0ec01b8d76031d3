"""Small logs with all their public files, and ways to spoil them."""

import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from diandian.verifier import entries, merkle, notes, tiles
from diandian.verifier.audit.program import main
from tests.verifier.log_bodies import LOG, TONNE, body

WITNESS = notes.Signer(
    "w.example", Ed25519PrivateKey.from_private_bytes(b"W" * 32), kind=notes.COSIGNATURE
)


class Log:
    """A log in the making: bodies or raw bytes in, files out."""

    def __init__(self, *bodies, origin=LOG.name):
        self.entries = []
        self.origin = origin
        self.add(*([] if origin != LOG.name else [body("open")]), *bodies)

    def add(self, *bodies):
        for item in bodies:
            self.entries.append(item if isinstance(item, bytes) else entries.encode(item))
        return self

    @property
    def root(self):
        return merkle.root_of(merkle.leaf_hash(entry) for entry in self.entries)

    def publish(self, folder: Path, *, signers=(LOG,), old_size=0):
        """Write the files of the log as it stands."""
        leaves = [merkle.leaf_hash(entry) for entry in self.entries]
        for tile in tiles.tiles_for(old_size, len(leaves)):
            if tile.level == tiles.ENTRIES:
                data = tiles.encode_entries(self.entries[tile.start : tile.start + tile.width])
            else:
                step = 256**tile.level
                data = b"".join(
                    merkle.root_of(leaves[place * step : (place + 1) * step])
                    for place in range(tile.start, tile.start + tile.width)
                )
            write(folder / tile.path, data)
        head = notes.Checkpoint(self.origin, len(leaves), self.root).text()
        write(folder / "checkpoint", notes.sign(head, signers, timestamp_s=1_790_000_000).encode())
        write(folder / "keys.txt", "".join(f"{one.vkey()}\n" for one in signers).encode())
        return folder


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def retirement(number):
    return f"R{number:05d}"


def retire(number, start_g, end_g, batch="B-1", **changes):
    commit = hashlib.sha256(b"%d" % number).hexdigest()
    return body(
        "retire",
        retirement=retirement(number),
        ranges=[[batch, start_g, end_g]],
        commit=commit,
        **changes,
    )


def issue(batch="B-1", **changes):
    return body("issue", **{"batch": batch, **changes})


def upstream(first, last, batch="B-1"):
    return body("upstream", batch=batch, first=first, last=last)


def busy(count, each_g=1000):
    """Return a log of one batch with so many retirements, all retired outside before."""
    log = Log(issue(), upstream(1, 9))
    for number in range(count):
        log.add(retire(number, number * each_g, (number + 1) * each_g))
    return log


def audit(folder, *options):
    """Run the program; the key is given unless the options say something about keys."""
    given = [] if "--key" in options or "--no-key" in options else ["--key", LOG.vkey()]
    return main([str(folder), *given, *(option for option in options if option != "--no-key")])


__all__ = ["LOG", "TONNE", "WITNESS", "Log", "audit", "body", "busy", "issue", "retire", "upstream"]
