"""What is kept about a piece of forest; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from diandian.registry.ground import Boundary


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """What grows there since when, by which method, and where the plan of monitoring is."""

    species_names: dict[str, str]
    planted_on: date
    methodology_code: str
    monitoring_plan: str
    is_sample: bool = False


def boundary_of_site(corners: Iterable[Sequence[int]]) -> Boundary:
    """Return the boundary of stored corners, which were checked when they were entered."""
    return Boundary(tuple((int(x), int(y)) for x, y in corners))
