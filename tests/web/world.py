"""A small world to click through: a scene, two projects with stock, offers."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.conf import settings

from diandian.flows import log_fill
from diandian.kernel.clock import business_day, now
from diandian.orders import actions as orders
from diandian.registry import actions as registry
from diandian.scenes import actions as scenes
from diandian.scenes.models import Scene

CHENGDU = "geonames:1815286"


def texts(zh: str, en: str, nl: str = "") -> dict[str, str]:
    return {"zh-Hans": zh, "en": en, "nl": nl or en}


def open_scene(slug: str = "tianfu-2026", **changes: object) -> Scene:
    today = business_day()
    facts = {
        "slug": slug,
        "kind": "conference",
        "names": texts("2026 |天府低碳建筑|年会", "Tianfu Low-Carbon Building Conference 2026"),
        "host_names": texts("天府建筑学会", "Tianfu Building Society"),
        "venue_names": texts(
            "锦水会展中心 3 号厅", "Jinshui Centre, Hall 3", "Jinshui-centrum, zaal 3"
        ),
        "place_key": CHENGDU,
        "starts_on": today - timedelta(days=1),
        "ends_on": today + timedelta(days=1),
        "stated_total_g": 92_000_000,
        "claim_style": "compensation",
        "audience": "guest",
        "is_sample": True,
    }
    scene = scenes.open_scene(scenes.NewScene(**facts | changes), actor_ref="test")
    scenes.add_measure(
        scene,
        category="food",
        names=texts("全素午餐、不发瓶装水", "Plant-based lunch, no bottled water"),
        avoided_g=3_700_000,
        confirmed=True,
    )
    scenes.add_inventory_line(
        scene,
        category="venue",
        names=texts("会场与餐饮", "Venue and catering", "Zaal en catering"),
        mass_g=8_000_000,
        mass_per_guest_g=9_000,
        covered=True,
        evidence="metered",
    )
    scenes.add_poster(scene, mark="p1", label="entrance")
    return scenes.publish(scene, actor_ref="test")


def open_shop(*, tonnes: int = 100) -> None:
    """Put two projects on sale; the second has two tonnes only."""
    programme = registry.create_programme(
        code="CDCER",
        names=texts("成都市核证减排量", "Chengdu certified emission reductions"),
        level="city",
        serial_parser="generic",
        is_simulated=True,
    )
    for place, (code, kind, zh, en, stock, price) in enumerate(
        (
            (
                "rooftop-solar",
                "solar",
                "园区屋顶光伏",
                "Rooftop solar on a business park",
                tonnes,
                6000,
            ),
            ("kitchen-waste", "biogas", "厨余垃圾资源化", "Biogas from kitchen waste", 2, 4800),
        )
    ):
        project = registry.create_project(
            programme=programme,
            code=code,
            names=texts(zh, en),
            category_names=texts("CDCER 其他项目", "CDCER Other Projects"),
            place_names=texts("成都", "Chengdu"),
            descriptions=texts("示例", "Sample"),
            supplier_names=texts("示例项目方", "Sample owner"),
            supplier_ref=f"supplier:{code}",
            kind=kind,
            methodology_code="CDCER-01",
            country="CN",
            region="CN-SC",
            latitude=Decimal("30.6"),
            longitude=Decimal("104.1"),
            is_sample=True,
        )
        first = 1000 * (place + 1)
        registry.issue(
            project=project,
            serial_text=f"CD-{place}-{first}~{first + stock - 1}",
            vintage_year=2025,
            period_start=date(2025, 1, 1),
            period_end=date(2025, 12, 31),
            custody="native",
            verified_by="Sample verifier",
            verified_on=date(2026, 3, 1),
            is_sample=True,
            source_ref=f"test:{code}",
            at=datetime(2026, 4, 1, tzinfo=UTC),
        )
        orders.set_offer(
            project=project,
            currency="CNY",
            price_per_tonne_minor=price,
            fee_basis_points=settings.FEE_BASIS_POINTS,
            fee_minimum_minor=settings.FEE_MINIMUM_MINOR,
            position=place,
            at=now(),
        )
    log_fill.fill()
