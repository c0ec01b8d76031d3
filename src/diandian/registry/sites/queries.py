"""Reads the ground that stands."""

from diandian.kernel.errors import NotFoundError
from diandian.registry.models import ProjectSite


def site_by_code(project_code: str, code: str) -> ProjectSite:
    """Return a site of a project that was not withdrawn. Raises: NotFoundError."""
    rows = ProjectSite.objects.select_related("project").filter(withdrawn_at__isnull=True)
    found = rows.filter(project__code=project_code, code=code).first()
    if found is None:
        raise NotFoundError
    return found
