"""The data as published, read by our own few lines: factor rows by edition, places by key."""

import csv
import tomllib
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import atan2, cos, floor, radians, sin, sqrt
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "src/diandian/emissions"
RADIUS_KM = 6371.0088
PER_CENT = {"A": 5, "B": 15, "C": 30, "D": 60}
ONLY_USE = ("TTW", "tailpipe", "operation (fuel", "operation (direct")


class RefusedError(Exception):
    """There is no honest number."""


@dataclass(frozen=True)
class Row:
    """One factor: kg of CO2e for one unit, and its doubt in per cent.

    ``how``: why another row was taken than the one asked for.
    """

    id: str
    region: str
    publisher: str
    unit: str
    scope: str
    everywhere: bool
    value: Fraction
    grade: str
    doubt: Fraction
    how: str = ""

    @property
    def name(self) -> tuple[str, str, str]:
        """Return what tells one row from another."""
        return self.id, self.region, self.publisher

    def worse(self) -> "Row":
        """Return the row standing in for another place, one grade worse."""
        grade = {"A": "B", "B": "C", "C": "D", "D": "D"}[self.grade]
        doubt = max(self.doubt, Fraction(PER_CENT[grade]))
        return replace(self, grade=grade, doubt=doubt, how="stands in")


@cache
def _publishers() -> dict[str, list[Row]]:
    found = {}
    for head in (FOLDER / "factor_sets").glob("*/set.toml"):
        publisher = tomllib.loads(head.read_text(encoding="utf-8"))["id"]
        with head.with_name("factors.csv").open(encoding="utf-8", newline="") as table:
            found[publisher] = [_row(line, publisher) for line in csv.DictReader(table)]
    return found


def _row(line: dict[str, str], publisher: str) -> Row:
    return Row(
        id=line["id"],
        region=line["region"],
        publisher=publisher,
        unit=line["unit"],
        scope=line["scope_included"],
        everywhere="GLO" in (line["proxy_for"], line["region"]),
        value=Fraction(line["value_kgco2e"]),
        grade=line["quality"],
        doubt=Fraction(line["uncertainty_pct"]),
    )


class Factors:
    """The rows of an edition in its order of asking, and its method.

    ``instead``: values by name, to try errors.
    """

    def __init__(
        self, edition: str, instead: dict[tuple[str, str, str], Fraction] | None = None
    ) -> None:
        head = tomllib.loads((FOLDER / f"editions/{edition}.toml").read_text(encoding="utf-8"))
        self.method: str = head["method_version"]
        self.rows: dict[str, list[Row]] = {}
        for publisher in head["publisher_sets"]:
            for row in _publishers()[publisher]:
                value = (instead or {}).get(row.name, row.value)
                self.rows.setdefault(row.id, []).append(replace(row, value=value))

    def find(self, factor: str, region: str) -> Row:
        """Return the row of the region, of its country, or a stand-in. Raises: RefusedError."""
        rows = self.rows.get(factor, [])
        country = region.replace("+", "-").split("-")[0]
        for wanted in (region, country):
            for row in rows:
                if row.region == wanted:
                    return row if wanted == region else replace(row, how="of the country")
        for row in rows:
            if row.everywhere:
                return row.worse()
        raise RefusedError(f"no factor {factor} for {region}")

    def has(self, factor: str, region: str) -> bool:
        """Tell whether ``find`` finds."""
        try:
            return bool(self.find(factor, region))
        except RefusedError:
            return False

    def use_and_supply(self, factor: str, region: str) -> list[Row]:
        """Return the row and, where it holds the use only, the row of the fuel's supply."""
        row = self.find(factor, region)
        return (
            [row, self.find(f"{factor}.wtt", region)] if row.scope.startswith(ONLY_USE) else [row]
        )


@dataclass(frozen=True)
class Spot:
    """A place."""

    key: str
    country: str
    region: str
    latitude: float
    longitude: float
    airport: str


@cache
def _spots() -> dict[str, Spot]:
    spots = {}
    for line in (FOLDER / "geo_data/places.tsv").read_text(encoding="utf-8").splitlines():
        key, _, country, region, latitude, longitude, *_, airports = line.split("\t")
        airport = airports.split(" ")[0]
        spots[key] = Spot(
            key, country, region or country, float(latitude), float(longitude), airport
        )
    return spots


def spot(key: str) -> Spot:
    """Return the place with a key."""
    return _spots()[key]


def airport_of(place: Spot) -> Spot:
    """Return the airport taken for a place. Raises: RefusedError."""
    if not place.airport:
        raise RefusedError("no airport")
    return spot(f"iata:{place.airport}")


def to_metre(km: Fraction) -> Fraction:
    """Return kilometres rounded to the metre, half up."""
    return Fraction(floor(km * 1000 + Fraction(1, 2)), 1000)


@cache
def great_circle(one: Spot, other: Spot) -> Fraction:
    """Return kilometres by the haversine formula, to the metre."""
    north = radians(other.latitude - one.latitude)
    east = radians(other.longitude - one.longitude)
    h = sin(north / 2) ** 2
    h += cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(east / 2) ** 2
    return to_metre(Fraction(2 * RADIUS_KM * atan2(sqrt(h), sqrt(1 - h))))
