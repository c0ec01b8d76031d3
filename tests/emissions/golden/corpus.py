"""The golden corpus: how it is laid out in files, one footprint a line.

Here lie the footprints of method m1, in ``m2`` those of m2.
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from diandian.emissions.estimate import Estimate
from diandian.emissions.replay import PER_LINE, WHOLE

HERE = Path(__file__).parent


FOLDERS = {"m1": HERE, "m2": HERE / "m2"}


def files(method: str) -> list[Path]:
    """Return the files of a method."""
    return sorted(FOLDERS[method].glob("*.jsonl"))


def digest(method: str) -> str:
    """Return one SHA-256 over names and bytes of all files of a method."""
    whole = sha256()
    for path in files(method):
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def written(estimate: Estimate) -> dict[str, Any]:
    """Return an estimate as the corpus keeps it: its inputs, and all that must come out again."""
    data = estimate.to_json()
    return {
        "inputs": data["inputs"],
        "whole": [data[name] for name in WHOLE],
        "lines": [[line[name] for name in PER_LINE] for line in data["lines"]],
    }


def read(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``written`` kept, named as in an estimate."""
    lines = [dict(zip(PER_LINE, line, strict=True)) for line in entry["lines"]]
    whole = dict(zip(WHOLE, entry["whole"], strict=True))
    return {"inputs": entry["inputs"], **whole, "lines": lines}


def text(columns: Mapping[str, Any], entries: list[dict[str, Any]]) -> str:
    """Return the text of a file."""
    rows = [columns, *entries]
    return "".join(
        json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows
    )


COLUMNS = {"whole": list(WHOLE), "lines": list(PER_LINE)}


def stated(*methods: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every footprint with its name, such as "m2/hotel.jsonl:12"; of all methods if none."""
    for path in (path for method in methods or FOLDERS for path in files(method)):
        first, *rows = path.read_text(encoding="utf-8").splitlines()
        assert json.loads(first) == COLUMNS, "the corpus is read by the columns that it states"
        for number, row in enumerate(rows, 2):
            yield f"{path.relative_to(HERE).as_posix()}:{number}", read(json.loads(row))
