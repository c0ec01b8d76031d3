"""What must hold of claims, at every commit: no more than there is, and no gram twice.

Read from all rows: not for every request. That one part of a line has one claimant, a constraint
says. *Source:* methodology, section 10 (rules 1 and 6); market study, M1.
"""

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from diandian.audit.breaches import Breach, asked
from diandian.footprints import rules
from diandian.footprints.models import Footprint, InventoryVersion, LineClaim, Part, SiteClaim


def check() -> list[Breach]:
    """Return every breach of F1 to F3 that the tables can show."""
    return asked(_visits_hold, _runs_apart, _inventories_add_up)


def _visits_hold() -> Iterator[Breach]:
    """F1: of neither owner's part of a footprint more is claimed than it holds."""
    rows = Footprint.objects.annotate(
        guest_claimed_g=_claimed(Part.GUEST), host_claimed_g=_claimed(Part.HOST)
    )
    too_much = Q(guest_claimed_g__gt=F("mass_g") - F("host_g")) | Q(host_claimed_g__gt=F("host_g"))
    for row in rows.filter(too_much).only("id"):
        yield Breach("F1", f"footprint:{row.id}", "more of it is claimed than there is")


def _claimed(part: Part) -> Coalesce:
    claims = LineClaim.objects.filter(footprint=OuterRef("pk"), part=part).order_by()
    return Coalesce(Subquery(claims.values("footprint").annotate(g=Sum("mass_g")).values("g")), 0)


def _runs_apart() -> Iterator[Breach]:
    """F2: claims on a line of a site do not overlap, and lie within the line as it was bought."""
    lines = {
        version.id: rules.claimable(version.document)
        for version in InventoryVersion.objects.filter(claims__isnull=False).distinct()
    }
    reached: dict[tuple[int, str], int] = defaultdict(int)
    rows = SiteClaim.objects.order_by("scene_id", "line_key", "start_g", "id")
    for row in rows.iterator(chunk_size=2000):
        key, end_g = (row.scene_id, row.line_key), row.start_g + row.mass_g
        if row.start_g < reached[key]:
            yield Breach("F2", f"site_claim:{row.id}", "overlaps another claim on its line")
        if end_g > lines[row.version_id].get(row.line_key, 0):
            yield Breach("F2", f"site_claim:{row.id}", "claims more than its line holds")
        reached[key] = max(reached[key], end_g)


def _inventories_add_up() -> Iterator[Breach]:
    """F3: a closed inventory's lines make its total."""
    for version in InventoryVersion.objects.filter(closed_at__isnull=False):
        problem = rules.problem_of(version.document)
        if not problem and version.mass_g != version.document["mass_g"]:
            problem = "its total differs from its document"
        if problem:
            yield Breach("F3", f"inventory:{version.id}", problem)
