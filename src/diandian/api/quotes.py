"""Quotes: what exact grams of one project cost, for an hour; nothing is held or charged."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

import msgspec
from dmr import Body, modify
from dmr.openapi.objects import Link

from diandian.api.base import WRITES, ApiController, Word, refusals
from diandian.api.estimates import EstimateIn, EstimateOut, estimated, shown
from diandian.api.problems import FieldError
from diandian.emissions.estimate import Estimate
from diandian.flows.quote import open_quote
from diandian.kernel.errors import NotFoundError
from diandian.orders import rules
from diandian.orders.errors import UnknownOfferError
from diandian.orders.models import Quote

# Above the limit the flow refuses in its own words.
Grams = Annotated[int, msgspec.Meta(ge=1, extra_json_schema={"maximum": rules.ORDER_LIMIT_G})]


class ProjectNotFoundError(NotFoundError):
    """The named project is not on offer."""

    code = UnknownOfferError.code
    message = UnknownOfferError.message


class QuoteIn(EstimateIn, kw_only=True, forbid_unknown_fields=True):
    """A project, and one of: ``mass_g``, ``scene`` with ``answers``, or ``lines``.

    Masses are rounded up to the next whole kilogram. ``grams`` is another name of ``mass_g``.
    ``to_upper_bound``: retire the upper end of the estimate's range.
    """

    project: Word
    mass_g: Grams | None = None
    grams: Grams | None = None
    to_upper_bound: bool = False


class PriceOut(msgspec.Struct, kw_only=True):
    """A price in minor units of its currency: the supplier's part and our fee add up to it."""

    currency: str
    total_minor: int
    supplier_minor: int
    fee_minor: int


class QuoteOut(msgspec.Struct, kw_only=True):
    """A price offer. ``id`` is secret: who has it may order."""

    id: str
    mass_g: int
    project: str
    scene: str | None
    price: PriceOut
    expires_at: str
    estimate: EstimateOut | None


def instant(at: datetime) -> str:
    """Return an instant in UTC, to the second."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def price_out(quote: Quote) -> PriceOut:
    """Return the price of a quote."""
    return PriceOut(
        currency=quote.currency,
        total_minor=quote.total_minor,
        supplier_minor=quote.supplier_minor,
        fee_minor=quote.fee_minor,
    )


def _quoted(wish: QuoteIn) -> tuple[Quote, Estimate | None]:
    has_input = wish.scene is not None or wish.lines is not None
    given = [name for name in ("mass_g", "grams") if getattr(wish, name) is not None]
    if len(given) + has_input != 1:
        raise FieldError("mass_g", "one_of")
    if given:
        if wish.answers is not None or wish.factor_set is not None or wish.to_upper_bound:
            raise FieldError(given[0], "one_of")
        return open_quote(project_code=wish.project, mass_g=wish.mass_g or wish.grams), None
    estimate, scene = estimated(wish)
    quote = open_quote(
        project_code=wish.project,
        scene=scene,
        estimate=estimate.to_json(),
        to_upper_bound=wish.to_upper_bound,
    )
    return quote, estimate


class QuotesController(ApiController):
    """Quotes."""

    tags = ("Orders",)

    @modify(
        operation_id="openQuote",
        summary="Price an estimate or a mass; holds for an hour",
        status_code=HTTPStatus.CREATED,
        extra_responses=refusals(404, 409, 503, *WRITES),
        links={
            "order": Link(operation_id="placeOrder", request_body={"quote": "$response.body#/id"})
        },
    )
    def post(self, parsed_body: Body[QuoteIn]) -> QuoteOut:
        """Answer with a price offer."""
        try:
            quote, estimate = _quoted(parsed_body)
        except UnknownOfferError as error:
            raise ProjectNotFoundError from error
        return QuoteOut(
            id=quote.token,
            mass_g=quote.mass_g,
            project=parsed_body.project,
            scene=parsed_body.scene,
            price=price_out(quote),
            expires_at=instant(quote.expires_at),
            estimate=shown(estimate) if estimate else None,
        )
