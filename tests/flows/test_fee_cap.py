"""What a gateway divides off where the supplier collects bounds our fee before anything is sold."""

import pytest

from diandian.flows import checkout, ways
from diandian.flows import issuance as issuing
from diandian.flows.checkout import PayBy
from diandian.flows.split_terms import FeeOverCapError
from diandian.payments.errors import AmountOutOfRangeError
from diandian.payments.models import Payment
from diandian.payments.ways import Offered
from tests.flows.settling import SUPPLIER, supplier_collects

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def collecting(world, settings, tmp_path):
    supplier_collects(tmp_path, settings)


def test_36_what_the_fee_floor_puts_over_the_ratio_is_not_sold(world):
    enough, small = world.quote(24_000), world.quote(23_000)  # 60 fen of 204, of 198
    assert ways.offered(ways.due(enough, SUPPLIER), None).ways
    assert ways.offered(ways.due(small, SUPPLIER), None) == Offered((), "fee")
    for by in (PayBy(), PayBy("sandbox", "page")):
        with pytest.raises(AmountOutOfRangeError):
            checkout.place_order(
                quote_token=small.token,
                beneficiary_name="Lin",
                on_board=False,
                language="en",
                by=by,
                at=world.now,
            )
    assert not Payment.objects.exists()
    assert world.stock().held_g == 0
    assert world.order(24_000)


def test_36_a_fee_rate_over_the_ratio_is_refused_before_it_is_offered(world, settings):
    terms = {"project_code": world.project.code, "price_per_tonne_minor": 7000, "position": 0}
    settings.FEE_BASIS_POINTS = 4286  # of the supplier's part: 3000.3 of 10000 of the whole
    with pytest.raises(FeeOverCapError):
        issuing.put_on_sale(**terms, actor_ref="ann", at=world.now)
    settings.FEE_BASIS_POINTS = 4285
    assert issuing.put_on_sale(**terms, actor_ref="ann", at=world.now).fee_basis_points == 4285
