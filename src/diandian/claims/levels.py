"""Chooses the claim level from the evidence, never from a wish.

*Source:* claim levels of the market study, section b6; MEE Announcement 2019 No. 19 for L4;
Directive (EU) 2024/825 for the surface shown to consumers in the EU.
"""

from collections.abc import Set as AbstractSet
from enum import StrEnum

from diandian.claims.rule_pack import RulePack


class Level(StrEnum):
    """How much may be said, from nothing to the whole event."""

    MEASURED = "L0"
    FUNDED = "L1"
    CONTRIBUTED = "L2"
    COVERED = "L3"
    EVENT = "L4"


class Style(StrEnum):
    """Which family of words a scene uses; the stricter one is always allowed."""

    COMPENSATION = "compensation"
    CONTRIBUTION = "contribution"


# Where the words of the compensation family may be shown, and to whom. Whatever is not listed,
# above all an unknown audience, gets the contribution surface.
COMPENSATION_JURISDICTIONS = frozenset({"CN"})
COMPENSATION_AUDIENCES = frozenset({"guest", "company", "event", "venue"})
EVENT_AUDIENCE = "event"


def allowed_style(style: str, jurisdiction: str, audience: str) -> Style:
    """Return the style that may be shown: the wished one, or the stricter one in its place.

    >>> allowed_style("compensation", "NL", "guest")
    <Style.CONTRIBUTION: 'contribution'>
    """
    known = jurisdiction in COMPENSATION_JURISDICTIONS and audience in COMPENSATION_AUDIENCES
    return Style.COMPENSATION if style == Style.COMPENSATION and known else Style.CONTRIBUTION


def claim_level(  # noqa: PLR0913 - every piece of evidence is named at the call
    *,
    retired: bool,
    mass_g: int,
    estimate_low_g: int | None = None,
    estimate_high_g: int | None = None,
    ex_ante_g: int = 0,
    recognition_evidence: str = "",
    boundary_complete: bool = False,
    jurisdiction: str = "",
    audience: str = "",
    rule_pack: RulePack | None = None,
    items_met: AbstractSet[str] = frozenset(),
) -> Level:
    """Return the highest level that the evidence supports.

    ``mass_g``: grams paid for. ``ex_ante_g``: the part of it that is only promised; it covers
    nothing. ``estimate_*_g``: the interval of the declared boundary, or None without an estimate.
    ``items_met``: ids of the pack's rules that have evidence.
    """
    if ex_ante_g < 0 or mass_g < ex_ante_g:
        raise ValueError("0 <= ex_ante_g <= mass_g")
    if estimate_high_g is not None and not 0 <= (estimate_low_g or 0) <= estimate_high_g:
        raise ValueError("0 <= estimate_low_g <= estimate_high_g")
    if mass_g == 0:
        return Level.MEASURED
    if not retired or ex_ante_g > 0:
        return Level.FUNDED
    covers = estimate_high_g is not None and mass_g >= estimate_high_g
    if not (covers and boundary_complete and recognition_evidence.strip()):
        return Level.CONTRIBUTED
    if rule_pack is None or audience != EVENT_AUDIENCE:
        return Level.COVERED
    applies = rule_pack.event_claims and rule_pack.jurisdiction == jurisdiction
    return Level.EVENT if applies and rule_pack.blocking_ids <= items_met else Level.COVERED
