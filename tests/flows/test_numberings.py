"""A certificate of every numbering agrees with itself, from the first serial to the last."""

from datetime import date

import pytest

from diandian.certificates import queries as certificates
from diandian.flows import log_fill
from diandian.orders import actions as orders
from diandian.registry.serials import numberings, parse
from diandian.verifier import certificate as verifier
from tests.flows.conftest import NOW
from tests.registry.builders import make_batch, make_programme, make_project

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("key", sorted(numberings()))
def test_a_certificate_over_two_serials_agrees_with_itself(world, key):
    example = numberings()[key].EXAMPLE
    said = parse(key, example).stated
    start, end = said.period or (date(said.vintage_year or 2025, 1, 1),) * 2
    project = make_project(
        f"of-{key.replace('_', '-')}",
        programme=make_programme(code=key.upper(), serial_parser=key),
        registry_number=said.project,
        country=said.country or "CN",
    )
    make_batch(
        project,
        serial_text=example,
        vintage_year=start.year,
        period_start=start,
        period_end=end,
        verified_by="Verifier",
        at=NOW,
    )
    log_fill.fill()
    orders.set_offer(
        project=project,
        currency="CNY",
        price_per_tonne_minor=6000,
        fee_basis_points=700,
        fee_minimum_minor=60,
        position=1,
        at=NOW,
    )
    world.project = project
    order = world.order(1_250_000, is_vouched_for=True)
    assert world.pay(order) == "completed"
    record = certificates.record_of(certificates.of_order(order.ref))
    [part] = record["ranges"]
    assert part["serial_first"] != part["serial_last"]
    assert verifier.check(record) == []
    part["offset_last_g"] += 1
    assert [each.key for each in verifier.check(record)] == ["serials"]
