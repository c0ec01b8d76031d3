"""Makes programmes, projects and batches for tests; every serial and name here is invented."""

import itertools
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from diandian.registry import actions
from diandian.registry.ground import read_geojson
from diandian.registry.models import CreditBatch, Project
from diandian.registry.sites.facts import SiteFacts

TONNE = 1_000_000
AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=20)
_numbers = itertools.count(1)


def text(words: str) -> dict[str, str]:
    return {"zh-Hans": words, "en": words, "nl": words}


def make_programme(code: str = "SAMPLE", **facts):
    facts = {"names": text("Sample programme"), "level": "city", "is_simulated": True} | facts
    return actions.create_programme(code=code, **facts)


def make_project(code: str | None = None, **facts) -> Project:
    number = next(_numbers)
    facts = {
        "programme": make_programme(),
        "names": text(f"Sample project {number}"),
        "category_names": text("Sample category"),
        "place_names": text("Sample place"),
        "descriptions": text("Sample description"),
        "supplier_names": text("Sample supplier"),
        "supplier_ref": f"supplier-{number}",
        "kind": "solar",
        "methodology_code": "SAMPLE-01",
        "country": "CN",
        "region": "CN-SC",
        "latitude": Decimal("30.57"),
        "longitude": Decimal("104.06"),
        "is_sample": True,
    } | facts
    return actions.create_project(code=code or f"sample-{number}", **facts)


def make_batch(project: Project | None = None, tonnes: int = 1, **facts) -> CreditBatch:
    number = next(_numbers)
    facts = {
        "serial_text": f"S{number}-2025-000001~{tonnes:06d}",
        "vintage_year": 2025,
        "period_start": date(2025, 1, 1),
        "period_end": date(2025, 12, 31),
        "custody": "native",
        "verified_by": "Sample verifier",
        "verified_on": date(2026, 1, 15),
        "source_ref": f"issuance:{number}",
        "is_sample": True,
        "at": AT,
    } | facts
    return actions.issue(project=project or make_project(), **facts)


FACTS = SiteFacts(
    species_names=text("spruce"),
    planted_on=date(2019, 3, 12),
    methodology_code="CCER-14-001-V01",
    monitoring_plan="plan 7, 2019",
    is_sample=True,
)


def ground(west=102_200, south=31_900, wide=20):
    """A square; thousandths of a degree."""
    corners = [(west, south), (west + wide, south), (west + wide, south + wide)]
    corners += [(west, south + wide), (west, south)]
    ring = [[x / 1000, y / 1000] for x, y in corners]
    return read_geojson(json.dumps({"type": "Polygon", "coordinates": [ring]}).encode(), "CN")


def make_site(project=None, code="north-slope", boundary=None, facts=FACTS):
    return actions.enter_site(
        project=project or make_project(),
        code=code,
        boundary=boundary or ground(),
        facts=facts,
        actor_ref="test",
    )


def hold(project: Project, mass_g: int, owner_ref: str):
    return actions.hold(project_id=project.id, mass_g=mass_g, owner_ref=owner_ref, expires_at=LATER)


def request(owner_ref: str, **facts) -> actions.RetireRequest:
    facts = {
        "source_ref": f"{owner_ref}:retirement",
        "subject": {"display_name": "林晚", "order": owner_ref},
        "purpose": "trip",
        "is_sample": True,
    } | facts
    return actions.RetireRequest(owner_ref=owner_ref, **facts)
