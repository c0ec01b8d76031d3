"""Write the digest of a draft edition; refuse to touch one that is already frozen.

Usage: python tools/build_editions.py src/diandian/emissions/editions/2027.1.toml
"""

import sys
import tomllib
from pathlib import Path

from diandian.emissions.factor_set import edition_digest, publisher_sets


def main(arguments: list[str]) -> None:
    """Freeze each edition named on the command line."""
    digests = {info.id: info.sha256 for info in publisher_sets()}
    for path in map(Path, arguments):
        text = path.read_text(encoding="utf-8")
        head = tomllib.loads(text)
        digest = edition_digest(head, digests)
        if head.get("sha256", digest) != digest:
            raise SystemExit(f"{path.name} is frozen: make a new edition instead")
        if "sha256" not in head:
            path.write_text(f'{text.rstrip()}\nsha256 = "{digest}"\n', encoding="utf-8")
        print(head["id"], digest)


if __name__ == "__main__":
    main(sys.argv[1:])
