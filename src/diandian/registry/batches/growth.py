"""Whether issued growth was verified, and claimed once; reads only.

*Source:* market study, b1-14 and b3-04: only verified tonnes count, no forest serves twice.
"""

from django.db.models import Min, Q, QuerySet, Sum

from diandian.kernel.mass import GRAMS_PER_TONNE
from diandian.registry.batches.facts import WHY
from diandian.registry.errors import GrowthClaimedError, IssuanceError, NotVerifiedSoMuchError
from diandian.registry.models import CreditBatch, Project, ProjectSite


def site_of(project: Project, code: str) -> ProjectSite | None:
    """Return the site of this code, None where a project has none. Raises: IssuanceError."""
    sites = ProjectSite.objects.filter(project=project, withdrawn_at__isnull=True)
    if not code:
        if sites.exists():
            raise IssuanceError(field="site", why=WHY["site_needed"])
        return None
    found = sites.filter(code=code).first()
    if found is None:
        raise IssuanceError(field="site", why=WHY["site"])
    return found


def refuse_unproven(batch: CreditBatch) -> None:
    """Refuse tonnes beyond those verified, and growth that another issuance claims.

    What is only planned counts zero and is let in as a draft. The caller has locked the project.
    Raises: IssuanceError, GrowthClaimedError, NotVerifiedSoMuchError.
    """
    if batch.is_ex_ante:
        return
    if batch.site is not None:
        if batch.verified_g is None:
            raise IssuanceError(field="verified_tonnes", why=WHY["verified_needed"])
        _refuse_claimed(batch)
    if batch.verified_g is None:
        return
    before = _of_same_report(batch).aggregate(issued_g=Sum("total_g"), verified_g=Min("verified_g"))
    issued_g = batch.total_g + (before["issued_g"] or 0)
    least_g = min(batch.verified_g, before["verified_g"] or batch.verified_g)
    if issued_g > least_g:
        raise NotVerifiedSoMuchError(
            verified_t=least_g // GRAMS_PER_TONNE, issued_t=issued_g // GRAMS_PER_TONNE
        )


def _of_same_report(batch: CreditBatch) -> QuerySet[CreditBatch]:
    """Return what was issued before on the strength of the same report, or of the same period."""
    same = Q(verification_ref=batch.verification_ref)
    if not batch.verification_ref:
        same &= Q(
            period_start=batch.period_start, period_end=batch.period_end, site_id=batch.site_id
        )
    return CreditBatch.objects.filter(
        same, project_id=batch.project_id, is_ex_ante=False, verified_g__isnull=False
    )


def _refuse_claimed(batch: CreditBatch) -> None:
    """Refuse a period that touches another one of the site, unless both are one report's blocks."""
    touching = CreditBatch.objects.filter(
        site_id=batch.site_id,
        is_ex_ante=False,
        period_start__lte=batch.period_end,
        period_end__gte=batch.period_start,
    ).exclude(
        period_start=batch.period_start,
        period_end=batch.period_end,
        vintage_year=batch.vintage_year,
        verification_ref=batch.verification_ref,
    )
    other = touching.first()
    if other is not None:
        assert batch.site is not None, "asked for growth of a site"
        raise GrowthClaimedError(site=batch.site.code, batch=other.public_id)
