"""Pieces of new forest into the book: boundary, plans, and the trail, in one commit.

*Source:* market study, b1-14.
"""

from django.db import transaction

from diandian.registry import actions as registry_actions
from diandian.registry import queries
from diandian.registry.ground import area_m2, read_geojson
from diandian.registry.models import ProjectSite
from diandian.registry.sites.facts import SiteFacts
from diandian.registry.sites.queries import site_by_code


def area_of(data: bytes, project_code: str) -> int:
    """Return the area of a boundary as it would be entered, in square metres.

    Raises: SiteShapeError, NotFoundError.
    """
    return area_m2(read_geojson(data, queries.project_by_code(project_code).country))


@transaction.atomic
def enter(
    project_code: str, code: str, data: bytes, facts: SiteFacts, *, actor_ref: str
) -> ProjectSite:
    """Enter the boundary of a site from a GeoJSON file; ground that serves already is refused.

    Idempotent by: project, code and boundary. Locks: one writer of sites at a time.
    Raises: SiteShapeError, SiteOverlapError, SiteDifferentError, NotFoundError.
    """
    project = queries.project_by_code(project_code)
    return registry_actions.enter_site(
        project=project,
        code=code,
        boundary=read_geojson(data, project.country),
        facts=facts,
        actor_ref=actor_ref,
    )


@transaction.atomic
def withdraw(project_code: str, code: str, *, reason: str, actor_ref: str) -> None:
    """Take back a site that was entered wrongly and credited for nothing.

    Raises: NotFoundError when none of this code stands, SiteInUseError.
    """
    site = site_by_code(project_code, code)
    registry_actions.withdraw_site(site, reason, actor_ref=actor_ref)
