"""How fast an outsider audits the public log: a synthetic log, audited by the real program.

Beside it stands a baseline of the same run: the bare SHA-256 of the same bytes in the same files.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from diandian.kernel.mass import GRAMS_PER_TONNE
from diandian.verifier import entries, merkle, notes, tiles

if TYPE_CHECKING:
    from collections.abc import Iterator

ORIGIN = "bench.example/log"
AT = "2026-11-28T08:00:00Z"
BATCHES = 20
MOST_G = 500_000
# The mean of a retirement, with some air for the chance of it.
TONNES_EACH = 0.26


def opening(tonnes: int) -> Iterator[bytes]:
    """Yield the entries that come before all retirements."""
    head = {"schema": entries.SCHEMA, "origin": ORIGIN, "previous": None}
    yield entries.encode({"type": "open", "at": AT, **head})
    for number in range(BATCHES):
        batch = f"B-{number}"
        lanes = [["sale", 0, tonnes * GRAMS_PER_TONNE]]
        yield entries.encode(
            {
                "type": "issue",
                "at": AT,
                "batch": batch,
                "programme": "SIM",
                "project": f"project-{number}",
                "prefix": f"SIM-{number}-",
                "first": 1,
                "last": tonnes,
                "vintage": 2024,
                "custody": "external",
                "ex_ante": False,
                "lanes": lanes,
                "sample": True,
            }
        )
        yield entries.encode(
            {
                "type": "upstream",
                "at": AT,
                "batch": batch,
                "first": 1,
                "last": tonnes,
                "reference": f"UP-{number}",
                "retired_at": AT,
                "evidence": "ab" * 32,
                "simulated": True,
            }
        )


def used(count: int) -> Iterator[bytes]:
    """Yield retirements, and one cancellation among a hundred, over all batches in turn."""
    rng = random.Random(1)
    ends = [0] * BATCHES
    for number in range(count):
        at = rng.randrange(BATCHES)
        start, end = ends[at], ends[at] + rng.randrange(1_000, MOST_G, 1_000)
        ends[at] = end
        ranges = f'"ranges":[["B-{at}",{start},{end}]]'
        if number % 100 == 99:
            yield _cancel(ranges, number)
            continue
        commit = sha256(b"%d" % number).hexdigest()
        text = (
            f'{{"at":"{AT}","claim_from":"2026-11-27","claim_to":"2026-11-28","commit":"{commit}",'
            f'"purpose":"visit",{ranges},"replaces":null,"retirement":"{commit[:12]}{number:014d}",'
            '"sample":true,"type":"retire"}'
        )
        yield text.encode()


def _cancel(ranges: str, number: int) -> bytes:
    return f'{{"at":"{AT}",{ranges},"reason":"spoilt","ref":"c:{number}","type":"cancel"}}'.encode()


class Writer:
    """Writes the bundles of a log and its head, as it grows."""

    def __init__(self, folder: Path, signer: notes.Signer) -> None:
        self.folder = folder
        self._signer = signer
        self._frontier = merkle.Frontier()
        self._edge: list[bytes] = []
        self.bytes = 0

    def add(self, found: Iterator[bytes]) -> None:
        """Add entries."""
        for entry in found:
            self._edge.append(entry)
            if len(self._edge) == tiles.TILE_WIDTH:
                self._write(self._edge)
                self._edge = []

    def _write(self, bundle: list[bytes]) -> None:
        number = self._frontier.size // tiles.TILE_WIDTH
        path = self.folder / tiles.entries_path(number, len(bundle))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tiles.encode_entries(bundle))
        if len(bundle) == tiles.TILE_WIDTH:
            self._frontier.extend([merkle.leaf_hash(entry) for entry in bundle])
        self.bytes += sum(map(len, bundle))

    def publish(self) -> int:
        """Write the edge and the signed head; return the size."""
        frontier = merkle.Frontier(self._frontier.size, self._frontier.hashes)
        if self._edge:
            self._write(self._edge)
            frontier.extend([merkle.leaf_hash(entry) for entry in self._edge])
        head = notes.Checkpoint(ORIGIN, frontier.size, frontier.root())
        note = notes.sign(head.text(), [self._signer])
        (self.folder / "checkpoint").write_text(note, encoding="utf-8")
        return frontier.size


def hashed(folder: Path) -> float:
    """Return the seconds that the bare hashing of all entries takes."""
    began = time.perf_counter()
    for path in folder.glob("tile/entries/**/*"):
        if path.is_file():
            for entry in tiles.decode_entries(path.read_bytes()):
                sha256(entry).digest()
    return time.perf_counter() - began


def audited(folder: Path, key: str) -> tuple[float, float, dict[str, Any]]:
    """Run the program; return its seconds, those of the processor, and its report."""
    report = folder / "report.json"
    state = folder / "state"
    command = [sys.executable, "-m", "diandian.verifier.audit", str(folder), "--key", key]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(
        [*command, "--state", str(state), "--json", str(report)],
        check=False,
        capture_output=True,
        text=True,
    )
    took_s = time.perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(f"the audit ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took_s, cpu_s, json.loads(report.read_text(encoding="utf-8"))


def main() -> None:
    """Make a log, audit it, let it grow by a night, and audit what is new."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=200_000, help="retirements in the log")
    parser.add_argument("--night", type=int, default=5_000, help="retirements of one more night")
    parser.add_argument("--folder", type=Path, help="where the temporary files are made")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="diandian-bench-", dir=options.folder) as name:
        signer = notes.Signer(ORIGIN, Ed25519PrivateKey.generate())
        writer = Writer(Path(name), signer)
        count = options.entries + options.night
        source = used(count)
        writer.add(opening(max(10, int(count / BATCHES * TONNES_EACH) + MOST_G)))
        writer.add(islice(source, options.entries))
        size = writer.publish()
        print(f"{size:,} entries, {writer.bytes / 1e6:,.0f} MB", flush=True)
        bare_s = hashed(Path(name))
        full_s, cpu_s, report = audited(Path(name), signer.vkey())
        peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"full audit      {full_s:8.1f} s {size / full_s:12,.0f} entries/s")
        print(f"  of a processor{cpu_s:8.1f} s {size / cpu_s:12,.0f} entries/s")
        print(f"bare SHA-256    {bare_s:8.1f} s {size / bare_s:12,.0f} entries/s")
        print(f"peak memory     {peak_mb:8.0f} MB", flush=True)
        writer.add(source)
        writer.publish()
        night_s, _, grown = audited(Path(name), signer.vkey())
        print(f"a night later   {night_s:8.1f} s for {grown['new_entries']:,} new entries")
        state_mb = (Path(name) / "state").stat().st_size / 1e6
        result = {
            "bench": "audit",
            "entries": size,
            "megabytes": round(writer.bytes / 1e6),
            "full_s": round(full_s, 1),
            "full_cpu_s": round(cpu_s, 1),
            "entries_per_s": round(size / full_s),
            "bare_sha256_s": round(bare_s, 1),
            "peak_mb": round(peak_mb),
            "night_entries": grown["new_entries"],
            "night_s": round(night_s, 1),
            "state_mb": round(state_mb, 1),
            "batches": len(report["batches"]),
            "findings": len(report["findings"]) + len(grown["findings"]),
        }
        print(json.dumps(result))


if __name__ == "__main__":
    main()
