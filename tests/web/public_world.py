"""Guests who already paid: what the public pages show, made by the product's own flows."""

from diandian.certificates import queries as certificates
from diandian.certificates.models import Certificate
from diandian.emissions.activity import parse
from diandian.flows import checkout, fulfil, payment_events
from diandian.flows.quote import open_quote
from diandian.footprints import actions as footprints
from diandian.footprints import calculation
from diandian.kernel.clock import now
from diandian.orders import queries as orders
from diandian.orders.models import Order
from diandian.payments.gateways.sandbox.gateway import peer_of
from diandian.payments.merchants import context_for
from diandian.scenes.models import Scene

ANSWERS = {"from": "Xi'an", "mode": "train", "nights": "2", "stay": "mid"}


def take_part(scene: Scene, answers: dict[str, str] | None = None):
    """Save a guest's footprint of a scene."""
    parsed = parse(calculation.questions_of(scene), answers or ANSWERS)
    assert not parsed.errors, parsed.errors
    estimate = calculation.calculate(scene, parsed.values)
    return footprints.save(scene=scene, values=parsed.values, estimate=estimate, at=now())


def order(
    scene: Scene,
    *,
    name: str = "",
    on_board: bool = False,
    guest_key: str = "",
    language: str = "en",
    project: str = "rooftop-solar",
) -> Order:
    """Place an order and leave its payment open."""
    quote = open_quote(project_code=project, footprint=take_part(scene))
    return checkout.place_order(
        quote_token=quote.token,
        beneficiary_name=name,
        on_board=on_board,
        language=language,
        guest_key=guest_key,
    )


def buy(scene: Scene, **facts: object) -> Certificate:
    """Order, pay in the sandbox and receive the certificate."""
    placed = order(scene, **facts)
    payment = orders.latest_payment(placed)
    token = payment.instruction["url"].rpartition("/")[2]
    for notice in peer_of(context_for("sandbox")).decide(token, "paid", now()):
        payment_events.receive_notice("sandbox", notice.headers, notice.body)
    fulfil.drain()
    found = certificates.of_order(placed.ref)
    assert found is not None, Order.objects.get(id=placed.id).state
    return found
