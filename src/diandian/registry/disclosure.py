"""What a buyer may know about the ground and the batches of a project; reads only.

*Source:* market study, b1-14, b3-04 and b4-01: public, and understandable to non-specialists.
"""

from dataclasses import dataclass
from datetime import date

from diandian.registry.ground import outline
from diandian.registry.models import CreditBatch, Project, ProjectSite
from diandian.registry.serials import GRAMS_PER_CREDIT, format_range
from diandian.registry.sites.facts import boundary_of_site

_SQUARE_METRES_PER_HECTARE = 10_000
WIDE, HIGH = 1200, 800


@dataclass(frozen=True, slots=True)
class SiteShown:
    """A piece of new forest. ``outline``: its corners in a frame of WIDE by HIGH, north up.

    Units: square metres; coordinates in 1e-7 degrees (of the middle of its box).
    """

    code: str
    outline: tuple[tuple[int, int], ...]
    area_m2: int
    latitude: int
    longitude: int
    species_names: dict[str, str]
    planted_on: date
    methodology_code: str
    monitoring_plan: str
    verified_g: int
    periods: tuple[tuple[date, date], ...]

    @property
    def area_ha(self) -> int:
        """Return whole hectares."""
        return self.area_m2 // _SQUARE_METRES_PER_HECTARE


@dataclass(frozen=True, slots=True)
class BatchShown:
    """A batch with its serials as its registry writes them. Units: tonnes."""

    batch: CreditBatch
    serials: str
    issued_t: int
    verified_t: int | None


def sites(project: Project) -> list[SiteShown]:
    """Return the ground of a project, and what grew there as far as it was verified."""
    rows = ProjectSite.objects.filter(project=project, withdrawn_at__isnull=True)
    grown: dict[int, list[CreditBatch]] = {}
    for batch in CreditBatch.objects.filter(site__in=rows, is_ex_ante=False).order_by("id"):
        assert batch.site_id is not None, "filtered above"
        grown.setdefault(batch.site_id, []).append(batch)
    return [_site(row, grown.get(row.id, [])) for row in rows]


def _site(row: ProjectSite, batches: list[CreditBatch]) -> SiteShown:
    boundary = boundary_of_site(row.corners)
    return SiteShown(
        code=row.code,
        outline=tuple(outline(boundary, WIDE, HIGH)),
        area_m2=row.area_m2,
        latitude=(row.south + row.north) // 2,
        longitude=(row.west + row.east) // 2,
        species_names=row.species_names,
        planted_on=row.planted_on,
        methodology_code=row.methodology_code,
        monitoring_plan=row.monitoring_plan,
        verified_g=sum(batch.total_g for batch in batches),
        periods=tuple(sorted({(batch.period_start, batch.period_end) for batch in batches})),
    )


def batches(project: Project) -> list[BatchShown]:
    """Return what is on file about every batch of a project, oldest first."""
    rows = CreditBatch.objects.filter(project=project).select_related("serial_block", "site")
    return [
        BatchShown(
            batch=row,
            serials=format_range(row.serial_block, row.serial_block.first, row.serial_block.last),
            issued_t=row.total_g // GRAMS_PER_CREDIT,
            verified_t=None if row.verified_g is None else row.verified_g // GRAMS_PER_CREDIT,
        )
        for row in rows
    ]
