"""An organiser's order for what is left of a scene: the same checkout, in the organisation's name.

Access is asked here, and the trail says which person ordered for which organisation.
"""

from datetime import datetime

from diandian.audit import actions as audit
from diandian.flows import cover
from diandian.flows.checkout import PayBy, place_order
from diandian.kernel.clock import now
from diandian.orders import queries
from diandian.orders.errors import QuoteNotFoundError
from diandian.orders.models import Order, Quote
from diandian.people import access
from diandian.people.queries import Visitor
from diandian.scenes.models import Scene


def open_quote(
    visitor: Visitor,
    scene: Scene,
    *,
    project_code: str,
    share_percent: int,
    for_everyone: bool,
    to_upper_bound: bool,
    at: datetime | None = None,
) -> Quote:
    """Price what is left of a scene for the organisation that hosts it.

    Raises: as ``cover.open_cover_quote``; OrganisationNotFoundError, NotAllowedError.
    """
    access.require(visitor, scene.organisation_ref, "write")
    return cover.open_cover_quote(
        scene,
        organisation_ref=scene.organisation_ref,
        project_code=project_code,
        share_percent=share_percent,
        for_everyone=for_everyone,
        to_upper_bound=to_upper_bound,
        at=at or now(),
    )


def quote_of(visitor: Visitor, scene: Scene, token: str) -> Quote:
    """Return a quote made for this scene and its organisation.

    Raises: QuoteNotFoundError also for quotes of others, NotAllowedError.
    """
    access.require(visitor, scene.organisation_ref, "write")
    quote = queries.quote_by_token(token)
    if quote.scene_id != scene.id or quote.holder_ref != scene.organisation_ref:
        raise QuoteNotFoundError
    return quote


def place(visitor: Visitor, scene: Scene, quote: Quote, *, language: str, by: PayBy) -> Order:
    """Order a quote in the organisation's legal name. Idempotent by: the quote.

    Raises: as ``place_order``, NotAllowedError.
    """
    access.require(visitor, scene.organisation_ref, "write")
    assert quote.scene_id == scene.id, "a quote of this scene"
    assert quote.holder_ref == scene.organisation_ref, "a quote of this organisation"
    return order_for(
        visitor,
        quote,
        kind="host",
        action="scene.cover_ordered",
        language=language,
        by=by,
    )


def order_for(
    visitor: Visitor, quote: Quote, *, kind: str, action: str, language: str, by: PayBy
) -> Order:
    """Order a quote in the legal name of its organisation, and note who did. Idempotent by: it.

    ``kind``: what the key of the order begins with; ``action``: as the trail calls it. The caller
    has asked whether the visitor may. Raises: as ``place_order``.
    """
    order = place_order(
        quote_token=quote.token,
        beneficiary_name=visitor.organisation(quote.holder_ref).legal_name,
        on_board=False,
        language=language,
        by=by,
        idempotency_key=f"{kind}:{quote.token}",
        fresh_quote=quote,
    )
    audit.record(
        actor_ref=visitor.person.ref,
        action=action,
        subject_ref=f"scene:{quote.scene_id}",
        details={"order": order.ref, "organisation": quote.holder_ref},
    )
    return order
