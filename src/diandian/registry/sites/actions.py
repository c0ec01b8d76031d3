"""Enters and withdraws pieces of new forest; no ground serves two projects.

*Source:* market study, b1-14.
"""

from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from diandian.audit.actions import record
from diandian.kernel.clock import now
from diandian.registry.errors import SiteDifferentError, SiteInUseError, SiteOverlapError
from diandian.registry.ground import Boundary, area_m2, share_ground
from diandian.registry.models import CreditBatch, Project, ProjectSite
from diandian.registry.sites.facts import SiteFacts, boundary_of_site
from diandian.store.transactions import joined

# Any number will do, as long as nobody else takes it.
_SITES_LOCK = 0x67726F75


def enter_site(
    *,
    project: Project,
    code: str,
    boundary: Boundary,
    facts: SiteFacts,
    actor_ref: str,
    at: datetime | None = None,
) -> ProjectSite:
    """Enter a piece of forest, unless its ground belongs to a site that stands already.

    Idempotent by: project, code and boundary. Locks: one writer of sites at a time.
    Raises: SiteOverlapError, SiteDifferentError.
    """
    assert code, "a site has a code"
    assert actor_ref, "somebody enters it"
    with joined():
        _take_turn()
        standing = ProjectSite.objects.filter(withdrawn_at__isnull=True).select_related("project")
        earlier = standing.filter(project=project, code=code).first()
        if earlier is not None:
            return _same_site(earlier, boundary, facts)
        _refuse_overlap(boundary, standing)
        west, south, east, north = boundary.box
        site = ProjectSite.objects.create(
            project=project,
            code=code,
            corners=[list(corner) for corner in boundary.corners],
            west=west,
            south=south,
            east=east,
            north=north,
            area_m2=area_m2(boundary),
            boundary_digest=boundary.digest,
            species_names=facts.species_names,
            planted_on=facts.planted_on,
            methodology_code=facts.methodology_code,
            monitoring_plan=facts.monitoring_plan,
            is_sample=facts.is_sample,
            entered_at=at or now(),
        )
        record(
            actor_ref=actor_ref,
            action="site.entered",
            subject_ref=f"project:{project.code}",
            details={"site": code, "boundary": boundary.digest, "area_m2": site.area_m2},
            at=at,
        )
        return site


def withdraw_site(site: ProjectSite, reason: str, *, actor_ref: str) -> bool:
    """Take back a site that was entered wrongly; its row stays. False when it was taken before.

    Locks: one writer of sites at a time, the project. Raises: SiteInUseError.
    """
    assert reason, "a withdrawal has a reason"
    with joined():
        _take_turn()
        Project.objects.select_for_update(no_key=True).get(id=site.project_id)
        used = CreditBatch.objects.filter(site=site).first()
        if used is not None:
            raise SiteInUseError(batch=used.public_id, site=site.code)
        rows = ProjectSite.objects.filter(id=site.id, withdrawn_at__isnull=True)
        if not rows.update(withdrawn_at=now()):
            return False
        record(
            actor_ref=actor_ref,
            action="site.withdrawn",
            subject_ref=f"project:{site.project.code}",
            details={"site": site.code, "reason": reason},
        )
    return True


def _take_turn() -> None:
    # SQLite has one writer anyway: its transactions begin IMMEDIATE.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SITES_LOCK])


def _same_site(earlier: ProjectSite, boundary: Boundary, facts: SiteFacts) -> ProjectSite:
    told = (facts.species_names, facts.planted_on, facts.methodology_code, facts.monitoring_plan)
    have = (
        earlier.species_names,
        earlier.planted_on,
        earlier.methodology_code,
        earlier.monitoring_plan,
    )
    if earlier.boundary_digest != boundary.digest or told != have:
        raise SiteDifferentError(site=earlier.code)
    return earlier


def _refuse_overlap(boundary: Boundary, standing: QuerySet[ProjectSite]) -> None:
    west, south, east, north = boundary.box
    near = standing.filter(west__lt=east, east__gt=west, south__lt=north, north__gt=south)
    for site in near:
        if share_ground(boundary, boundary_of_site(site.corners)):
            raise SiteOverlapError(site=site.code, project=site.project.code)
