"""Factor sets: frozen bundles of factors, found by looking, checked by digest before use.

A *publisher set* (``DESNZ25``) is one folder below ``factor_sets/``. An *edition* (``2026.1``) is
a file in ``editions/`` that lists publisher sets in the order in which they are asked; it is what
a certificate names, and names the method itself. A publisher set names none: it takes the method of
the day, or that of the estimate. Published ones are never edited, a correction is a new one.
*Source:* methodology, sections 2 and 12.
"""

from __future__ import annotations

import copy
import csv
import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from diandian.emissions.errors import (
    FactorMissingError,
    FactorSetBrokenError,
    UnknownFactorSetError,
)
from diandian.emissions.factor import factor_from_row
from diandian.kernel.canonical import digest_hex

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diandian.emissions.factor import EmissionFactor

HERE = Path(__file__).parent
METHOD_VERSION = "m2"  # of new calculations
EXACT_SUBREGION, COUNTRY, STAND_IN = 2, 3, 4  # steps of section 2; 1 is a value of one's own
WORLD = "GLO"
REMEMBERED = 20_000  # look-ups kept; callers may send any region


class FoundFactor(NamedTuple):
    """A factor with the step of section 2 that found it.

    ``reason`` is "" for the row that was asked for, "country_row" when the province has none,
    "stand_in" when a row of elsewhere stands in (then one grade worse).
    """

    factor: EmissionFactor
    step: int
    reason: str


@dataclass(frozen=True, slots=True)
class SetInfo:
    """What set.toml says about one publisher set; ``review_by`` is an ISO date."""

    id: str
    title: str
    publisher: str
    attribution: str
    licence: str
    validity: str
    review_by: str
    rows: int
    sha256: str


class FactorSet:
    """Rows in order of preference; immutable once made, so that look-ups may be remembered."""

    def __init__(
        self, head: Mapping[str, str], sha256: str, rows: Sequence[EmissionFactor]
    ) -> None:
        self.id = head["id"]
        self.sha256 = sha256
        self.names_method = "method_version" in head
        self.method_version = head.get("method_version", METHOD_VERSION)
        self.published_on = head.get("published_on", "")
        self._rows = tuple(rows)
        self._by_id: dict[str, list[EmissionFactor]] = {}
        for row in self._rows:
            self._by_id.setdefault(row.id, []).append(row)
        self._found: dict[tuple[str, str], FoundFactor] = {}

    def __repr__(self) -> str:
        return f"<FactorSet {self.id} {self.sha256[:8]}>"

    def by_method(self, method_version: str) -> FactorSet:
        """Return the set under a method; an edition stays as it is, since it names its own."""
        if self.names_method or self.method_version == method_version:
            return self
        other = copy.copy(self)  # rows and look-ups do not depend on the method
        other.method_version = method_version
        return other

    def rows(self) -> tuple[EmissionFactor, ...]:
        """Return every row, those of the preferred publisher sets first."""
        return self._rows

    def find(self, factor_id: str, region: str) -> FoundFactor:
        """Return the factor for a region by the steps of section 2.

        Raises: FactorMissingError when neither the region, its country nor a stand-in has one.
        """
        found = self._found.get((factor_id, region))
        if found is None:
            found = self._search(factor_id, region)
            if len(self._found) < REMEMBERED:
                self._found[factor_id, region] = found
        return found

    def has(self, factor_id: str, region: str) -> bool:
        """Tell whether ``find`` would succeed."""
        try:
            self.find(factor_id, region)
        except FactorMissingError:
            return False
        return True

    def _search(self, factor_id: str, region: str) -> FoundFactor:
        rows = self._by_id.get(factor_id, [])
        country = region[:2] if region[2:3] in {"-", "+"} else region
        for row in rows:
            if row.region == region:
                step = COUNTRY if region == country else EXACT_SUBREGION
                return FoundFactor(row, step, "")
        for row in rows:
            if row.region == country:
                return FoundFactor(row, COUNTRY, "country_row")
        for row in rows:
            if WORLD in {row.proxy_for, row.region}:
                return FoundFactor(row.one_grade_worse(), STAND_IN, "stand_in")
        raise FactorMissingError(factor_id=factor_id, region=region)

    def stand_in(self, factor_id: str, row_region: str) -> FoundFactor:
        """Return the row of a named other region as a stand-in, one grade worse.

        Only where the methodology names that row (homestays of Taiwan for the mainland).
        """
        found = self.find(factor_id, row_region)
        return FoundFactor(found.factor.one_grade_worse(), STAND_IN, "stand_in")


def _digest(path: Path) -> str:
    # Unix line ends, whatever the working copy made of them.
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def read_publisher_set(folder: Path) -> tuple[SetInfo, tuple[EmissionFactor, ...]]:
    """Read one folder of a publisher set.

    Raises: FactorSetBrokenError when a byte of factors.csv differs from what was frozen, or a row
    lacks what a factor must have.
    """
    info = SetInfo(**tomllib.loads((folder / "set.toml").read_text(encoding="utf-8")))
    path = folder / "factors.csv"
    if _digest(path) != info.sha256:
        raise FactorSetBrokenError(set_id=info.id, why="its digest differs")
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = tuple(factor_from_row(row) for row in csv.DictReader(lines))
    except ValueError as error:
        raise FactorSetBrokenError(set_id=info.id, why=str(error)) from error
    if len(rows) != info.rows or any(row.factor_set != info.id for row in rows):
        raise FactorSetBrokenError(set_id=info.id, why="its rows are not its own")
    return info, rows


@cache
def _publisher_sets() -> dict[str, tuple[SetInfo, tuple[EmissionFactor, ...]]]:
    folders = sorted((HERE / "factor_sets").glob("*/set.toml"))
    read = [read_publisher_set(path.parent) for path in folders]
    return {info.id: (info, rows) for info, rows in read}


def publisher_sets() -> tuple[SetInfo, ...]:
    """Return the particulars of every publisher set, for the method page and for reviews due."""
    return tuple(info for info, _ in _publisher_sets().values())


def edition_digest(head: Mapping[str, object], digests: Mapping[str, str]) -> str:
    """Return the SHA-256 that names an edition: its order of sets and the bytes of each."""
    order = head["publisher_sets"]
    assert isinstance(order, list)  # a developer's error
    content = {name: head[name] for name in ("id", "method_version", "published_on")}
    return digest_hex(content | {"publisher_sets": [[name, digests[name]] for name in order]})


def read_edition(path: Path) -> FactorSet:
    """Read one edition file and the sets that it lists.

    Raises: FactorSetBrokenError when the digest differs or a listed set is missing.
    """
    head = tomllib.loads(path.read_text(encoding="utf-8"))
    sets = _publisher_sets()
    unknown = [name for name in head["publisher_sets"] if name not in sets]
    if unknown:
        raise FactorSetBrokenError(set_id=head["id"], why=f"it lists unknown sets {unknown}")
    digests = {name: info.sha256 for name, (info, _) in sets.items()}
    if edition_digest(head, digests) != head["sha256"]:
        raise FactorSetBrokenError(set_id=head["id"], why="its digest differs")
    rows = [row for name in head["publisher_sets"] for row in sets[name][1]]
    return FactorSet(head, head["sha256"], rows)


@cache
def factor_sets() -> tuple[FactorSet, ...]:
    """Return the editions, newest first, each checked against its digest."""
    editions = [read_edition(path) for path in (HERE / "editions").glob("*.toml")]
    by_number = {tuple(map(int, edition.id.split("."))): edition for edition in editions}
    return tuple(by_number[number] for number in sorted(by_number, reverse=True))


@cache
def factor_set(set_id: str) -> FactorSet:
    """Return an edition ("2026.1") or a single publisher set ("DESNZ25").

    Raises: UnknownFactorSetError.
    """
    for edition in factor_sets():
        if edition.id == set_id:
            return edition
    if set_id not in _publisher_sets():
        raise UnknownFactorSetError(set_id=set_id)
    info, rows = _publisher_sets()[set_id]
    return FactorSet({"id": info.id}, info.sha256, rows)


def newest() -> FactorSet:
    """Return the edition that new scenes start with."""
    return factor_sets()[0]
