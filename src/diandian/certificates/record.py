"""The certificate's record: every fact that page, paper and API may say, in one plain dict.

Integers and strings only, so that the signed bytes are the same everywhere.
*Source:* C1 of the registry design.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.conf import settings

from diandian.claims import wording
from diandian.claims.levels import allowed_style, claim_level
from diandian.kernel.mass import GRAMS_PER_KG
from diandian.kernel.money import Money, largest_remainder
from diandian.registry.models import CreditBatch, Project, Retirement
from diandian.registry.queries import RetiredRange, UpstreamState
from diandian.scenes.models import Scene

CATEGORIES = ("travel", "stay", "local", "food", "venue", "goods")
# Largest number of dots in one picture, and the scales a dot may have (design tokens, dot scale).
_SCALES_KG = ((400, 1), (4_000, 10), (8_000, 20), (40_000, 100), (200_000, 500), (400_000, 1_000))


class Shared:
    """Members that many records of one commit have in common, made once.

    A member that is the very same need not be looked through again when it is signed.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[int, ...], tuple[object, Any]] = {}

    def of(self, key: tuple[int, ...], source: object, make: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Return what was made of a source under a key, of another instance anew."""
        known = self._made.get(key)
        if known is None or known[0] is not source:
            known = self._made[key] = (source, make())
        return known[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a fulfilled order knows. ``estimate`` is None for a lump sum.

    ``log``: ``origin``, ``index`` and ``entry`` of the retirement in the public log.
    ``shared``: one for all orders of a commit.
    """

    code: str
    language: str
    display_name: str
    retirement: Retirement
    ranges: Sequence[RetiredRange]
    batch: CreditBatch
    upstream: UpstreamState
    scene: Scene | None
    estimate: Mapping[str, Any] | None
    supplier: Money
    fee: Money
    issued_at: datetime
    retire_by: date | None = None
    log: Mapping[str, Any] | None = None
    shared: Shared = field(default_factory=Shared)


def kg_per_dot(mass_g: int) -> int:
    """Return the kilograms that one dot stands for, so that a picture holds 400 dots at most."""
    kilograms = mass_g // GRAMS_PER_KG
    for up_to_kg, kg in _SCALES_KG:
        if kilograms <= up_to_kg:
            return kg
    kg = 10_000
    while kilograms > 400 * kg:
        kg *= 10
    return kg


def dots_of(mass_g: int, estimate: Mapping[str, Any] | None, kg: int) -> dict[str, int]:
    """Share the dots of a retirement among the categories of its estimate; they add up exactly."""
    total = -(-mass_g // (kg * GRAMS_PER_KG))
    weights = dict.fromkeys(CATEGORIES, 0)
    for line in (estimate or {}).get("lines", []):
        weights[line["category"]] += int(line["mass_g"])
    if sum(weights.values()) == 0:
        return {"goods": total}
    shares = largest_remainder(total, list(weights.values()))
    return {key: share for key, share in zip(weights, shares, strict=True) if share}


def instant(at: datetime | None) -> str | None:
    """Return an instant as records write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _plain(names: Mapping[str, str]) -> dict[str, str]:
    """Return names without the word joints that only screens use for breaking lines."""
    return {lang: text.replace("|", "") for lang, text in names.items()}


def _scene(scene: Scene) -> dict[str, Any]:
    return {
        "slug": scene.slug,
        "kind": scene.kind,
        "names": _plain(scene.names),
        "host_names": _plain(scene.host_names),
        "place_names": _plain(scene.venue_names),
        "city_names": scene.city_names,
        "country": scene.country,
        "starts_on": scene.starts_on.isoformat(),
        "ends_on": scene.ends_on.isoformat() if scene.ends_on else None,
    }


def range_of(piece: RetiredRange) -> dict[str, Any]:
    """Return a range as records write it."""
    return {
        "batch": piece.batch,
        "start_g": piece.start_g,
        "end_g": piece.end_g,
        "mass_g": piece.mass_g,
        "serial_first": piece.serial_first,
        "serial_last": piece.serial_last,
        "offset_first_g": piece.offset_first_g,
        "offset_last_g": piece.offset_last_g,
    }


def _recognition(ranges: Sequence[RetiredRange]) -> str:
    """Return the evidence that holds for every gram; one batch without it leaves none."""
    found = {piece.batch_row.recognition_evidence for piece in ranges}
    return "" if "" in found else "; ".join(sorted(found))


def level_of(record: Mapping[str, Any]) -> str:
    """Return the claim level that a record's own facts support, of the grams that stand."""
    # What nobody here has checked is no measure of what was covered.
    estimate = {} if record["own_factors"] else record["estimate"] or {}
    level = claim_level(
        retired=not record["retire_by"] and record["state"] != "held",
        mass_g=record.get("standing_g", record["mass_g"]),
        estimate_low_g=estimate.get("low_g"),
        estimate_high_g=estimate.get("high_g"),
        recognition_evidence=record["recognition_evidence"],
        boundary_complete=False,
        jurisdiction=record["claim"]["jurisdiction"],
        audience=record["claim"]["audience"],
    )
    return str(level)


def _claim(scene: Scene | None) -> dict[str, str]:
    """Return style and surface of the claim; its level follows from the whole record."""
    jurisdiction = scene.country if scene else ""
    audience = scene.audience if scene else "unknown"
    wished = scene.claim_style if scene else "contribution"
    return {
        "level": "",
        "style": str(allowed_style(wished, jurisdiction, audience)),
        "jurisdiction": jurisdiction,
        "audience": audience,
    }


def _own_factors(estimate: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return how many lines rest on factors of whoever asked, with the sentence about it."""
    count = wording.own_factor_lines(estimate)
    if not count:
        return None
    said = {lang: wording.own_factors_note(lang) for lang in wording.LANGUAGES}
    return {"lines": count, "says": said}


def upstream_of(custody: str, upstream: UpstreamState) -> dict[str, Any]:
    """Return where the tonnes came from, as records write it."""
    return {
        "custody": custody,
        "state": upstream.state,
        "registry": upstream.registry_url,
        "reference": upstream.reference,
        "retired_at": instant(upstream.retired_at),
        "evidence_sha256": upstream.evidence_sha256,
        "simulated": upstream.is_simulated,
    }


def retired_at(retirement: Retirement, upstream: UpstreamState) -> datetime:
    """Return when the last of both happened: ours, and the one at the origin."""
    return max(retirement.retired_at, upstream.retired_at or retirement.retired_at)


def _project(project: Project, vintage_year: int) -> dict[str, Any]:
    return {
        "code": project.code,
        "names": project.names,
        "programme": project.programme.code,
        "programme_names": project.programme.names,
        "category_names": project.category_names,
        "place_names": project.place_names,
        "supplier_names": project.supplier_names,
        "country": project.country,
        "methodology_code": project.methodology_code,
        "vintage_year": vintage_year,
    }


def build(facts: Facts) -> dict[str, Any]:
    """Build the record of a fulfilled order."""
    shared = facts.shared
    retirement, project, scene = facts.retirement, facts.retirement.project, facts.scene
    year = retirement.vintage_year
    retired = facts.upstream.state == "retired"
    kg = kg_per_dot(retirement.mass_g)
    upstream = facts.upstream
    record: dict[str, Any] = {
        "schema": "diandian/certificate/1",
        "code": facts.code,
        "version": 1,
        "lang": facts.language,
        "issued_at": instant(facts.issued_at),
        "state": "retired" if retired else "held",
        "retired_at": instant(retired_at(retirement, upstream)) if retired else None,
        "retire_by": facts.retire_by.isoformat() if facts.retire_by and not retired else None,
        "claim": _claim(facts.scene),
        "beneficiary": {"display_name": facts.display_name},
        "scene": scene and shared.of((scene.id,), scene, lambda: _scene(scene)),
        "purpose": retirement.purpose,
        "holder_kind": retirement.holder_kind,
        "mass_g": retirement.mass_g,
        "kg_per_dot": kg,
        "dots": dots_of(retirement.mass_g, facts.estimate, kg),
        "estimate": dict(facts.estimate) if facts.estimate else None,
        "own_factors": _own_factors(facts.estimate),
        "retirement": retirement.public_id,
        "subject_commit": retirement.subject_commit,
        "project": shared.of((project.id, year), project, lambda: _project(project, year)),
        "ranges": [range_of(piece) for piece in facts.ranges],
        "upstream": upstream_of(facts.batch.custody, upstream),
        "recognition_evidence": _recognition(facts.ranges),
        "money": {
            "currency": facts.supplier.currency,
            "total_minor": (facts.supplier + facts.fee).amount_minor,
            "supplier_minor": facts.supplier.amount_minor,
            "fee_minor": facts.fee.amount_minor,
        },
        "sample": retirement.is_sample,
        "simulated_registry": settings.TEST_MODE or upstream.is_simulated,
        "no_money_moved": settings.TEST_MODE,
        "verify_url": f"{settings.BASE_URL}/v/{facts.code}",
    }
    if facts.log is not None:
        record["log"] = dict(facts.log)
    record["claim"]["level"] = level_of(record)
    return record


def retired_since(
    earlier: Mapping[str, Any],
    *,
    replaced_sha256: str,
    retirement: Retirement,
    upstream: UpstreamState,
    at: datetime,
) -> dict[str, Any]:
    """Return the next version of a record whose tonnes were held and are now retired outside.

    Grams, serials, words of the estimate and the address stay; state, evidence and claim follow.
    ``replaced_sha256``: digest of the document that this one replaces.
    """
    assert earlier["retire_by"], "what is retired stays retired"
    assert upstream.state == "retired", "every tonne has its evidence"
    record: dict[str, Any] = {
        **earlier,
        "version": earlier["version"] + 1,
        "replaces": {"version": earlier["version"], "sha256": replaced_sha256},
        "issued_at": instant(at),
        "state": "retired" if earlier["state"] == "held" else earlier["state"],
        "retired_at": instant(retired_at(retirement, upstream)),
        "retire_by": None,
        "own_factors": earlier.get("own_factors"),
        "upstream": upstream_of(earlier["upstream"]["custody"], upstream),
        "simulated_registry": earlier["simulated_registry"] or upstream.is_simulated,
    }
    record["claim"] = {**earlier["claim"], "level": level_of(record)}
    return record
