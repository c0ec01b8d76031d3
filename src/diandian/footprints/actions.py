"""Writes of footprints: save an estimate, claim its lines, erase the answers."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings

from diandian.emissions.estimate import Estimate, without_person
from diandian.footprints.models import Footprint, LineClaim
from diandian.kernel import tokens
from diandian.scenes.models import Scene
from diandian.store.statements import Insert

_FOOTPRINTS = Insert(Footprint)
_CLAIMS = Insert(LineClaim)


def save(
    *,
    scene: Scene,
    values: Mapping[str, str | int | bool],
    estimate: Estimate,
    at: datetime,
    poster_mark: str = "",
) -> Footprint:
    """Keep a guest's answers and their estimate for thirty days, behind a new secret token."""
    return _FOOTPRINTS.one(
        Footprint(
            token=tokens.secret_token(),
            scene=scene,
            answers=dict(values),
            estimate=estimate.to_json(),
            mass_g=estimate.mass_g,
            low_g=estimate.low_g,
            high_g=estimate.high_g,
            poster_mark=poster_mark[:8],
            created_at=at,
            expires_at=at + timedelta(days=settings.FOOTPRINT_DAYS),
        )
    )


def claim_lines(claims: list[tuple[Footprint, str]], *, at: datetime) -> int:
    """Write who claims each line of each footprint; a claimed line breaks the transaction.

    Raises: IntegrityError when any line has a claimant. Returns the number of lines claimed.
    """
    rows = [
        LineClaim(
            footprint=footprint,
            line_key=line["key"],
            claimant_ref=claimant_ref,
            mass_g=line["mass_g"],
            claimed_at=at,
        )
        for footprint, claimant_ref in claims
        for line in footprint.estimate["lines"]
    ]
    _CLAIMS.run(rows)
    return len(rows)


def erase(footprint: Footprint, *, at: datetime) -> None:
    """Erase a person's answers and places; the grams stay, so that claims and totals still hold."""
    estimate = without_person(footprint.estimate)
    Footprint.objects.filter(id=footprint.id).update(answers={}, estimate=estimate, erased_at=at)
