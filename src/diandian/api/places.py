"""Places by name or code, and the distance between two of them."""

from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from django.utils.translation import gettext
from dmr import modify

from diandian.api.base import ApiController, LangQuery, Query, language, refusals
from diandian.emissions import geo
from diandian.emissions.place import Place
from diandian.kernel.errors import InputError

Km = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,5}(\.[0-9]{1,3})?$")]
Degrees = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,3}(\.[0-9]+)?$")]
Factor = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+)?$")]
Mode = Literal["air", "bicycle", "bus", "car", "coach", "ferry", "metro", "rail", "taxi", "walk"]
MOST_PLACES = 20


class PlaceOut(msgspec.Struct, kw_only=True):
    """A place. ``key`` is what other addresses take; ``label`` tells namesakes apart."""

    key: str
    name: str
    label: str
    names: dict[str, str]
    kind: str
    country: str
    region: str
    latitude: Degrees
    longitude: Degrees
    population: int
    nearest_airports: list[str]


class PlacesOut(msgspec.Struct, kw_only=True):
    """Places whose name is, or begins with, the query; the likeliest first."""

    places: list[PlaceOut]


class PlacesQuery(LangQuery, kw_only=True):
    """``query``: Chinese, pinyin or English, or an IATA code."""

    query: Annotated[str, msgspec.Meta(max_length=80)]
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_PLACES)] = 8


class DistanceQuery(LangQuery, kw_only=True):
    """``from`` and ``to``: a name, a key of a place, or an IATA code in capitals."""

    origin: Annotated[str, msgspec.Meta(min_length=1, max_length=80)] = msgspec.field(name="from")
    to: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    mode: Mode


class DistanceOut(msgspec.Struct, kw_only=True):
    """One way: ``great_circle_km`` times ``correction`` is ``distance_km``."""

    origin: PlaceOut = msgspec.field(name="from")
    to: PlaceOut
    mode: str
    great_circle_km: Km
    correction: Factor
    correction_reason: str
    distance_km: Km


def described(place: Place) -> PlaceOut:
    """Return what is said of a place."""
    lang = language()
    return PlaceOut(
        key=place.key,
        name=place.name(lang),
        label=place.label(lang),
        names=place.names,
        kind=place.kind,
        country=place.country,
        region=place.region,
        latitude=f"{place.latitude:f}",
        longitude=f"{place.longitude:f}",
        population=place.population,
        nearest_airports=list(place.nearest_airports),
    )


def resolved(text: str, field: str) -> Place:
    """Return the one place that a text means. Raises: InputError naming the field."""
    try:
        return geo.resolve_place(text)
    except InputError as error:
        error.field = field
        raise


class PlacesController(ApiController):
    """Places."""

    tags = ("Calculation",)

    @modify(
        operation_id="findPlaces",
        summary="Find a city, airport or scenic place",
        status_code=HTTPStatus.OK,
        extra_responses=refusals(422),
    )
    def get(self, parsed_query: Query[PlacesQuery]) -> PlacesOut:
        """Answer a search; nothing found is an empty list."""
        found = geo.find_places(parsed_query.query, parsed_query.limit)
        return PlacesOut(places=[described(place) for place in found])


class DistanceController(ApiController):
    """Distances."""

    tags = ("Calculation",)

    @modify(
        operation_id="getDistance",
        summary="Distance one way between two places, with the correction of the way of travelling",
        status_code=HTTPStatus.OK,
        extra_responses=refusals(422),
    )
    def get(self, parsed_query: Query[DistanceQuery]) -> DistanceOut:
        """Answer for two places; an ambiguous name is asked back with candidates."""
        origin = resolved(parsed_query.origin, "from")
        to = resolved(parsed_query.to, "to")
        found = geo.distance(origin, to, parsed_query.mode)
        return DistanceOut(
            origin=described(origin),
            to=described(to),
            mode=parsed_query.mode,
            great_circle_km=f"{found.great_circle_km:f}",
            correction=f"{found.correction:f}",
            correction_reason=gettext(found.correction_reason),
            distance_km=f"{found.distance_km:f}",
        )
