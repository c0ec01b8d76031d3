"""The table of cities, airports and scenic places, kept compact and read only when first asked.

Rows stay bytes until somebody asks for one; names are a sorted list searched by halving. The
edition and the digests of both files stand in ``geo_data/geo.toml``.
*Source:* GeoNames (CC BY 4.0), airportsdata (MIT), see ``geo_data/SOURCE.md``.
"""

from __future__ import annotations

import hashlib
import tomllib
from array import array
from decimal import Decimal
from functools import cache, lru_cache
from itertools import accumulate

from diandian.emissions.errors import PlaceKeyError
from diandian.emissions.place import FOLDER, Place

SCANNED = 100  # names looked at for a beginning that is not a crowded one


class Lines:
    """Lines of a text kept as one block of bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        sizes = (len(line) + 1 for line in data.split(b"\n"))
        self._starts = array("I", accumulate(sizes, initial=0))
        self._count = len(self._starts) - 2 if data.endswith(b"\n") else len(self._starts) - 1

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> bytes:
        return self._data[self._starts[number] : self._starts[number + 1] - 1]

    def first_not_below(self, wanted: bytes) -> int:
        """Return the number of the first line that is not less than the wanted bytes."""
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            if self[middle] < wanted:
                low = middle + 1
            else:
                high = middle
        return low


class Table:
    """Places by row number, and row numbers by comparable name or key."""

    def __init__(self, places: bytes, names: bytes) -> None:
        self._places = Lines(places)
        self._names = Lines(names)
        self.place_at = lru_cache(maxsize=4096)(self._read)

    def __len__(self) -> int:
        return len(self._places)

    def _read(self, row: int) -> Place:
        fields = self._places[row].decode().split("\t")
        key, kind, country, region, latitude, longitude, population, english, zh, nl, ports = fields
        return Place(
            key=key,
            names={"zh-Hans": zh or english, "en": english, "nl": nl or english},
            country=country,
            region=region or country,
            latitude=Decimal(latitude),
            longitude=Decimal(longitude),
            kind=kind,
            population=int(population),
            nearest_airports=tuple(ports.split()),
        )

    def by_key(self, key: str) -> Place:
        """Return the place with a key such as "geonames:1815286". Raises: PlaceKeyError."""
        rows = self.exact(key) if ":" in key else []
        if not rows:
            raise PlaceKeyError(key=key[:60])
        return self.place_at(rows[0])

    def exact(self, name: str) -> list[int]:
        """Return the rows that bear a comparable name; a row's number is its rank by people."""
        wanted = name.encode() + b"\t"
        number = self._names.first_not_below(wanted)
        if number < len(self._names) and self._names[number].startswith(wanted):
            return _rows(self._names[number])
        return []

    def starting(self, name: str) -> list[int]:
        """Return rows whose names start with a comparable text, unordered; the best are among them.

        Crowded beginnings have a line of their own ("^ba"), made when the table was built.
        """
        crowd = self.exact(f"^{name}")
        if crowd:
            return crowd
        wanted = name.encode()
        number = self._names.first_not_below(wanted)
        found: list[int] = []
        for current in range(number, min(number + SCANNED, len(self._names))):
            line = self._names[current]
            if not line.startswith(wanted):
                break
            found += _rows(line)
        return found


def _rows(line: bytes) -> list[int]:
    return [int(row) for row in line.partition(b"\t")[2].split()]


def _checked(name: str, digest: str) -> bytes:
    data = (FOLDER / name).read_bytes().replace(b"\r\n", b"\n")
    if hashlib.sha256(data).hexdigest() != digest:
        raise RuntimeError(f"{name} is not the published edition: restore the file")
    return data


@cache
def edition() -> dict[str, str]:
    """Return the edition of the geodata: id, packages and digests."""
    found: dict[str, str] = tomllib.loads((FOLDER / "geo.toml").read_text(encoding="utf-8"))
    return found


@cache
def table() -> Table:
    """Return the table, read and checked once."""
    head = edition()
    places = _checked("places.tsv", head["places_sha256"])
    return Table(places, _checked("names.tsv", head["names_sha256"]))
