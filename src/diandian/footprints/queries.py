"""Reads of saved footprints, inventories and claims; only the secret token opens a footprint."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Sum

from diandian.footprints import rules
from diandian.footprints.errors import EvidenceNotFoundError, FootprintNotFoundError
from diandian.footprints.models import (
    Claimant,
    Evidence,
    Footprint,
    InventoryVersion,
    LineClaim,
    Part,
    SiteClaim,
)
from diandian.scenes.models import InventoryLine, Scene
from diandian.store.statements import Param, Select

_BARE = Select(lambda: Footprint.objects.filter(token=Param("token"), erased_at=None))
_WITH_SCENE = Select(
    lambda: Footprint.objects.filter(token=Param("token"), erased_at=None).select_related("scene")
)
_COVER_CLAIM = Select(
    lambda: LineClaim.objects.filter(
        footprint__id=Param("footprint_id"),
        part=Part.GUEST,
        claimant_kind__in=(Claimant.HOST, Claimant.SPONSOR),
    ).order_by("id")[:1]
)


@dataclass(frozen=True, slots=True)
class VisitSums:
    """Grams of a scene's footprints: each owner's part, what is claimed of it, the upper ends.

    ``sponsored_host_g``, ``sponsored_guest_g``: claimed by sponsors of either part; they are in no
    other sum of claims.
    """

    mass_g: int = 0
    high_g: int = 0
    host_g: int = 0
    host_claimed_g: int = 0
    guest_claimed_g: int = 0
    guest_claimed_by_host_g: int = 0
    sponsored_host_g: int = 0
    sponsored_guest_g: int = 0
    rooms_matched_g: int = 0

    @property
    def open_host_g(self) -> int:
        """Return what nobody claims of the organiser's parts."""
        return self.host_g - self.host_claimed_g - self.sponsored_host_g


def by_token(token: str) -> Footprint:
    """Return the footprint behind a secret link. Raises: FootprintNotFoundError."""
    footprint = _WITH_SCENE.first(token=token)
    if footprint is None:
        raise FootprintNotFoundError
    return footprint


def bare_by_token(token: str) -> Footprint:
    """Return a footprint whose scene is not read yet. Raises: FootprintNotFoundError."""
    footprint = _BARE.first(token=token)
    if footprint is None:
        raise FootprintNotFoundError
    return footprint


def cover_claim_on(footprint_id: int) -> str:
    """Return the reference of the cover that claims a guest's own part, or nothing."""
    found = _COVER_CLAIM.first(footprint_id=footprint_id)
    return found.claimant_ref if found else ""


def has_claims(claimant_ref: str, footprint_id: int | None = None) -> bool:
    """Tell whether an order claims anything; ``footprint_id``: of a guest's order."""
    if footprint_id is not None:
        rows = LineClaim.objects.filter(footprint_id=footprint_id, claimant_ref=claimant_ref)
        return rows.exists()
    covers = LineClaim.objects.exclude(claimant_kind=Claimant.GUEST)
    parts = covers.filter(claimant_ref=claimant_ref)
    return parts.exists() or SiteClaim.objects.filter(claimant_ref=claimant_ref).exists()


# --- inventories --------------------------------------------------------------------------------


def closed_inventory(scene: Scene) -> InventoryVersion | None:
    """Return a scene's newest closed inventory."""
    rows = InventoryVersion.objects.filter(scene=scene, closed_at__isnull=False)
    return rows.order_by("-number").first()


def last_closed_number(scene: Scene) -> int:
    """Return the number of a scene's newest closed inventory, 0 when there is none."""
    rows = InventoryVersion.objects.filter(scene=scene, closed_at__isnull=False)
    return rows.aggregate(last=Max("number"))["last"] or 0


def open_inventory(scene: Scene) -> InventoryVersion | None:
    """Return the version of a scene's inventory that is being written."""
    return InventoryVersion.objects.filter(scene=scene, closed_at=None).first()


def inventory_versions(scene: Scene) -> list[InventoryVersion]:
    """Return a scene's versions without their contents, the newest first."""
    rows = InventoryVersion.objects.filter(scene=scene).defer("document", "work")
    return list(rows.order_by("-number"))


def evidence_of(scene: Scene) -> list[Evidence]:
    """Return a scene's files, erased ones too, in the order in which they came."""
    return list(Evidence.objects.filter(scene=scene).order_by("id"))


def evidence_digests(scene: Scene) -> set[str]:
    """Return the digests of the files that are there."""
    rows = Evidence.objects.filter(scene=scene, erased_at=None)
    return set(rows.values_list("digest", flat=True))


def evidence(scene: Scene, digest: str) -> Evidence:
    """Return a file that is there. Raises: EvidenceNotFoundError."""
    row = Evidence.objects.filter(scene=scene, digest=digest[:64], erased_at=None).first()
    if row is None:
        raise EvidenceNotFoundError
    return row


def guests_estimates(scene: Scene) -> Iterator[tuple[dict[str, Any], int]]:
    """Return every estimate of a scene with the organiser's part of it, in per cent.

    Large scenes are read in parts.
    """
    rows = Footprint.objects.filter(scene=scene).order_by("id")
    return rows.values_list("estimate", "organiser_pct").iterator(chunk_size=500)


def has_host_parts(scene: Scene) -> bool:
    """Tell whether the organiser answers for a part of any guest's visit."""
    return Footprint.objects.filter(scene=scene, organiser_pct__gt=0).exists()


def has_open_inventory(scene: Scene) -> bool:
    """Tell whether an inventory of a scene is being written."""
    return InventoryVersion.objects.filter(scene=scene, closed_at=None).exists()


def last_inventory_number(scene: Scene) -> int:
    """Return the number of a scene's newest inventory, 0 when there is none."""
    rows = InventoryVersion.objects.filter(scene=scene).aggregate(last=Max("number"))
    return rows["last"] or 0


def stated_inventory(scene: Scene) -> dict[str, object]:
    """Return a document of the lines that the host stated before any inventory was closed."""
    return rules.stated_document(
        {"key": f"stated.{line.id}", "category": line.category, "mass_g": line.mass_g}
        for line in InventoryLine.objects.filter(scene=scene)
    )


# --- who claims ---------------------------------------------------------------------------------


def site_claims(scene: Scene) -> dict[str, list[tuple[int, int]]]:
    """Return start and grams of every claim on a scene's own lines, by line."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    rows = SiteClaim.objects.filter(scene=scene).values_list("line_key", "start_g", "mass_g")
    for line_key, start_g, mass_g in rows:
        found[line_key].append((start_g, mass_g))
    return found


def site_claimed_g(scene: Scene) -> dict[str, int]:
    """Return the grams of a scene's own lines that are claimed, by kind of claimant."""
    rows = SiteClaim.objects.filter(scene=scene).order_by().values_list("claimant_kind")
    return dict(rows.annotate(total=Sum("mass_g")))


def claimed_sources(scene: Scene) -> set[str]:
    """Return the sources of a scene's own lines of which anything is claimed."""
    claims = SiteClaim.objects.filter(scene=scene).select_related("version")
    keys: dict[int, set[str]] = defaultdict(set)
    versions = {}
    for claim in claims:
        keys[claim.version_id].add(claim.line_key)
        versions[claim.version_id] = claim.version
    return {
        rules.source_of(line)
        for number, version in versions.items()
        for line in version.document["lines"]
        if line["key"] in keys[number]
    }


def claimed_by_ref() -> dict[str, int]:
    """Return the grams that each order claims, of footprints and of sites."""
    found: dict[str, int] = defaultdict(int)
    orders = LineClaim.objects.exclude(claimant_kind=Claimant.REFERENCE)
    for rows in (orders, SiteClaim.objects.all()):
        grams = rows.order_by().values_list("claimant_ref").annotate(total=Sum("mass_g"))
        for claimant_ref, mass_g in grams:
            found[claimant_ref] += mass_g
    return found


def visit_sums(scene: Scene) -> VisitSums:
    """Return what a scene's footprints hold, and what of it is claimed by whom."""
    visits = Footprint.objects.filter(scene=scene).aggregate(
        mass_g=Sum("mass_g"), high_g=Sum("high_g"), host_g=Sum("host_g")
    )
    guests_part, hosts_part = Q(part=Part.GUEST), Q(part=Part.HOST)
    by_host, by_sponsor = Q(claimant_kind=Claimant.HOST), Q(claimant_kind=Claimant.SPONSOR)
    claims = LineClaim.objects.filter(footprint__scene=scene).aggregate(
        host_claimed_g=Sum("mass_g", filter=hosts_part & by_host),
        guest_claimed_g=Sum("mass_g", filter=guests_part & Q(claimant_kind=Claimant.GUEST)),
        guest_claimed_by_host_g=Sum("mass_g", filter=guests_part & by_host),
        sponsored_host_g=Sum("mass_g", filter=hosts_part & by_sponsor),
        sponsored_guest_g=Sum("mass_g", filter=guests_part & by_sponsor),
        rooms_matched_g=Sum(
            "mass_g",
            filter=Q(claimant_kind=Claimant.GUEST, line_key__startswith=f"{rules.ROOMS}."),
        ),
    )
    return VisitSums(**{name: grams or 0 for name, grams in (visits | claims).items()})


def last_footprint_id(scene: Scene) -> int:
    """Return the newest footprint's number, so that a cover can be computed again as it was."""
    return Footprint.objects.filter(scene=scene).aggregate(last=Max("id"))["last"] or 0


def open_visits(
    scene: Scene, *, up_to_id: int, for_everyone: bool, rooms: bool
) -> list[rules.Visit]:
    """Return unclaimed parts of a scene's footprints: the organiser's, then the guests' if asked.

    ``rooms``: False leaves guests' nights out, which a hotel's own inventory holds.
    """
    rows = Footprint.objects.filter(scene=scene, id__lte=up_to_id).order_by("id")
    mine = rows.filter(~_claimed(Part.HOST), host_g__gt=0).values_list("id", "host_g")
    visits = [rules.Visit(number, is_host_part=True, mass_g=mass_g) for number, mass_g in mine]
    if for_everyone:
        theirs = rows.filter(~_claimed(Part.GUEST), mass_g__gt=F("host_g") + F("elsewhere_g"))
        visits += _guest_parts(theirs, rooms=rooms)
    return visits


def _guest_parts(rows: QuerySet[Footprint], *, rooms: bool) -> list[rules.Visit]:
    if rooms:
        needed = rows.values_list("id", "mass_g", "host_g", "elsewhere_g")
        grams = [(row[0], row[1] - row[2] - row[3]) for row in needed]
    else:
        grams = [
            (row.id, sum(part[1] for part in _parts_without_rooms(row)))
            for row in rows.only("id", "estimate", "organiser_pct", "elsewhere").iterator(
                chunk_size=500
            )
        ]
    return [
        rules.Visit(number, is_host_part=False, mass_g=mass_g) for number, mass_g in grams if mass_g
    ]


def _parts_without_rooms(footprint: Footprint) -> list[tuple[str, int]]:
    return rules.parts_of(
        footprint.estimate,
        footprint.organiser_pct,
        host=False,
        rooms=False,
        elsewhere=footprint.elsewhere,
    )


def _claimed(part: Part) -> Exists:
    claims = LineClaim.objects.exclude(claimant_kind=Claimant.REFERENCE)
    return Exists(claims.filter(footprint=OuterRef("pk"), part=part))
