"""Shorthand for an organiser who covers a scene, and for the guests who came to it."""

from types import SimpleNamespace

from diandian.flows import checkout, cover, invariants
from diandian.flows.quote import open_quote
from diandian.footprints import actions as footprints
from diandian.footprints import queries
from diandian.scenes.models import Scene
from tests.flows.conftest import make_project
from tests.web.world import open_scene

ENERGY_G, WASTE_G = 70_000, 30_000
SITE_G = ENERGY_G + WASTE_G


def inventory(*masses_g, high_g=None):
    lines = [
        {"key": f"energy.{number}", "owner": "organiser", "mass_g": mass_g, "claimable": True}
        for number, mass_g in enumerate(masses_g)
    ]
    total_g = sum(masses_g)
    return {"mass_g": total_g, "high_g": high_g or total_g * 13 // 10, "lines": lines}


def close(scene, document, world):
    footprints.save_inventory(scene, document, at=world.now)
    return footprints.close_inventory(scene, at=world.now)


def opened(world):
    """A conference with a closed inventory of 100 kg, and credits enough."""
    big = make_project("sample-wind", tonnes=20)
    scene = open_scene()
    close(scene, inventory(ENERGY_G, WASTE_G), world)
    yield SimpleNamespace(scene=scene, project=big.code)
    assert invariants.check() == []


def covering(event, world, **facts):
    return cover.open_cover_quote(
        Scene.objects.get(id=event.scene.id),
        organisation_ref="organisation:7",
        project_code=event.project,
        at=world.now,
        **facts,
    )


def place(quote, world, name="Tianfu Society"):
    return checkout.place_order(
        quote_token=quote.token,
        beneficiary_name=name,
        on_board=False,
        language="en",
        at=world.now,
    )


def cover_all(event, world, **facts):
    order = place(covering(event, world, **facts), world)
    assert world.pay(order) == "completed"
    return order


def guest_quote(event, world, footprint):
    fresh = queries.by_token(footprint.token)
    return open_quote(project_code=event.project, footprint=fresh, at=world.now)


def pay_anyway(order, world):
    """Let money arrive for an order that was given up."""
    number, at = world.payment(order).payment_no, world.later(minutes=30)
    world.deliver(world.peer.settle_anyway(number, at), at=at)


def buy(event, world, footprint):
    order = place(guest_quote(event, world, footprint), world, "Lin")
    assert world.pay(order) == "completed"
    return order


def left(event, *, for_everyone=False):
    return cover.residual_of(Scene.objects.get(id=event.scene.id), for_everyone=for_everyone)
