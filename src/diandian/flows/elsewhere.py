"""One person, two scenes, one journey: what was counted first there is a reference here.

Guests are not known, so a guest says so, by the link of the other result or order. The key is the
person (who has both links), the activity and the period; the earlier visit owns it. A reference
takes the place of a claim, so that neither the guest nor an organiser nor a sponsor buys it again.
*Source:* methodology, section 10 (rules 1 and 9).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

from django.db import IntegrityError, transaction

from diandian.emissions.activity import UNKNOWN
from diandian.footprints import actions, queries
from diandian.footprints.errors import CountedElsewhereError, FootprintNotFoundError
from diandian.footprints.models import Footprint
from diandian.kernel.clock import now
from diandian.kernel.errors import N_
from diandian.orders import queries as order_queries
from diandian.orders.errors import AlreadyMatchedError, OrderNotFoundError
from diandian.scenes.rules import meet

PARTS = {"travel": N_("The way there and back"), "stay": N_("Nights")}
WHY = {
    "unknown": N_("this link leads to no result and to no order with one"),
    "same": N_("this is the same scene; each visit to it counts for itself"),
    "later": N_("it was counted later; what was counted first counts"),
    "apart": N_("the two scenes are not in the same city on the same days"),
    "hosts": N_("an organiser answers for a part of it"),
    "nothing": N_("nothing of this was counted there"),
    "chain": N_("there it was a reference to a third scene already"),
    "origin": N_("the journey there began at another place"),
    "fewer": N_("fewer nights were counted there than here"),
    "part": N_("only the journey and the nights can be taken over"),
    "claimed": N_("somebody pays for it here already"),
}


def owner_of_link(link: str) -> Footprint:
    """Return the visit behind the link of a result or an order. Raises: CountedElsewhereError."""
    pieces = [piece for piece in link.split("?", maxsplit=1)[0].strip().split("/") if piece][-4:]
    token = pieces[-1][:40] if pieces else ""
    if len(pieces) > 1 and pieces[-2] == "o":
        try:
            found = order_queries.order_by_token(token).footprint
        except OrderNotFoundError:
            found = None
    else:
        try:
            found = queries.by_token(token)
        except FootprintNotFoundError:
            found = None
    if found is None:
        _refuse("unknown")
    return found


def refer(
    footprint: Footprint, owner: Footprint, part: str, *, at: datetime | None = None
) -> Footprint:
    """State that a part of a visit was counted in another scene first. Idempotent.

    ``part``: travel or stay. Locks: both footprints, in id order.
    Raises: CountedElsewhereError, AlreadyMatchedError.
    """
    if part not in PARTS:
        _refuse("part")
    with transaction.atomic():
        ids = [footprint.id, owner.id]
        rows = Footprint.objects.select_for_update(of=("self",), no_key=True).filter(id__in=ids)
        by_id = {row.id: row for row in rows.select_related("scene").order_by("id")}
        here, there = by_id[footprint.id], by_id[owner.id]
        live = order_queries.live_order_of_footprint(here.id)
        if live is not None:
            raise AlreadyMatchedError(order_token=live.token)
        _refuse_unfit(here, there, part)
        keys = set(_keys(here, part)) - set(here.elsewhere)
        try:
            with transaction.atomic():
                actions.refer(here, keys, there, at=at or now())
        except IntegrityError:
            _refuse("claimed")
    return here


def take_back(footprint: Footprint) -> Footprint:
    """Let everything count here again. Locks: the footprint. Raises: AlreadyMatchedError."""
    with transaction.atomic():
        here = Footprint.objects.select_for_update(no_key=True).get(id=footprint.id)
        live = order_queries.live_order_of_footprint(here.id)
        if live is not None:
            raise AlreadyMatchedError(order_token=live.token)
        actions.take_references_back(here)
    return here


def parts_here(footprint: Footprint) -> list[str]:
    """Return the parts of a visit that could have been counted elsewhere."""
    if footprint.organiser_pct:
        return []
    return [part for part in PARTS if set(_keys(footprint, part)) - set(footprint.elsewhere)]


def _refuse_unfit(here: Footprint, there: Footprint, part: str) -> None:
    mine, theirs = _lines(here, part), _lines(there, part)
    checks: tuple[tuple[str, bool], ...] = (
        ("same", here.scene_id == there.scene_id),
        ("later", there.id > here.id),
        ("apart", not meet(here.scene.place_and_days, there.scene.place_and_days)),
        ("hosts", bool(here.organiser_pct or there.organiser_pct)),
        ("nothing", not mine or not theirs),
        ("chain", any(line["key"] in there.elsewhere for line in theirs)),
    )
    for why, found in checks:
        if found:
            _refuse(why)
    if part == "travel" and _origin(here) != _origin(there):
        _refuse("origin")
    if part == "stay" and _most(theirs) < _most(mine):
        _refuse("fewer")


def _origin(footprint: Footprint) -> str:
    """Return from where somebody came; never equal to anything where they did not say."""
    typed = str(footprint.answers.get("from", ""))
    return typed if typed not in {"", UNKNOWN} else f"unknown of {footprint.id}"


def _lines(footprint: Footprint, part: str) -> list[Mapping[str, Any]]:
    return [
        line for line in footprint.estimate["lines"] if line["category"] == part and line["mass_g"]
    ]


def _keys(footprint: Footprint, part: str) -> list[str]:
    return [str(line["key"]) for line in _lines(footprint, part)]


def _most(lines: Iterable[Mapping[str, Any]]) -> Decimal:
    """Return the largest amount: nights, of which use and supply are two lines."""
    return max((Decimal(line["activity_amount"]) for line in lines), default=Decimal(0))


def _refuse(why: str) -> NoReturn:
    raise CountedElsewhereError(field="link", why=WHY[why])
