"""What there is to choose from: projects on sale with price and stock, and sets of factors."""

from http import HTTPStatus
from typing import Literal

import msgspec
from dmr import modify

from diandian.api.base import ApiController, LangQuery, Query, refusals
from diandian.api.scenes import words
from diandian.emissions.factor_set import (
    METHOD_VERSION,
    factor_set,
    factor_sets,
    publisher_sets,
)
from diandian.kernel.memory import ttl_cache
from diandian.orders import offers
from diandian.orders.offers import OfferView


class ProjectOut(msgspec.Struct, kw_only=True):
    """A project on sale; ``available_g`` is what can still be held, as of seconds ago."""

    code: str
    name: str
    names: dict[str, str]
    category: str
    place: str
    supplier: str
    description: str
    programme: str
    country: str
    methodology_code: str
    vintage_year: int
    currency: str
    price_per_tonne_minor: int
    fee_basis_points: int
    fee_minimum_minor: int
    available_g: int
    sold_out: bool
    sample: bool


class ProjectsOut(msgspec.Struct, kw_only=True):
    """Projects in the operator's published order; what is sold out comes last."""

    projects: list[ProjectOut]


class FactorSetOut(msgspec.Struct, kw_only=True):
    """A frozen set of factors.

    ``kind``: "edition", which scenes use, or "publisher", one publisher's set alone.
    ``method_version``: by which method estimates with it are made now.
    """

    id: str
    kind: Literal["edition", "publisher"]
    title: str
    method_version: str
    published_on: str
    review_by: str
    rows: int
    sha256: str
    licence: str


class FactorSetsOut(msgspec.Struct, kw_only=True):
    """Editions, newest first, then publishers' sets."""

    factor_sets: list[FactorSetOut]


class FactorOut(msgspec.Struct, kw_only=True):
    """A factor: kg CO2e per unit."""

    id: str
    region: str
    unit: str
    value: str
    uncertainty_pct: str
    quality: str
    activity: str
    activity_zh: str
    factor_set: str
    source_org: str
    source_title: str
    source_year: str
    source_table: str


class FactorsOut(msgspec.Struct, kw_only=True):
    """The rows of one set, the preferred ones first."""

    id: str
    sha256: str
    factors: list[FactorOut]


@ttl_cache(2)
def _offers() -> list[OfferView]:
    return offers.on_sale()


def _project(view: OfferView) -> ProjectOut:
    project, offer = view.project, view.offer
    return ProjectOut(
        code=project.code,
        name=words(project.names),
        names=project.names,
        category=words(project.category_names),
        place=words(project.place_names),
        supplier=words(project.supplier_names),
        description=words(project.descriptions),
        programme=project.programme.code,
        country=project.country,
        methodology_code=project.methodology_code,
        vintage_year=view.vintage_year,
        currency=offer.currency,
        price_per_tonne_minor=offer.price_per_tonne_minor,
        fee_basis_points=offer.fee_basis_points,
        fee_minimum_minor=offer.fee_minimum_minor,
        available_g=view.available_g,
        sold_out=view.sold_out,
        sample=project.is_sample,
    )


class ProjectsController(ApiController):
    """Projects."""

    tags = ("Orders",)

    @modify(
        operation_id="listProjects",
        summary="Projects on sale, with price and stock",
        status_code=HTTPStatus.OK,
        extra_responses=refusals(422),
    )
    def get(self, parsed_query: Query[LangQuery]) -> ProjectsOut:  # noqa: ARG002 - for the description
        """Answer with what is on sale."""
        return ProjectsOut(projects=[_project(view) for view in _offers()])


class FactorSetsController(ApiController):
    """Sets of factors."""

    tags = ("Calculation",)

    @modify(
        operation_id="listFactorSets",
        summary="Sets of factors, each frozen by its digest",
        status_code=HTTPStatus.OK,
        extra_responses=refusals(422),
    )
    def get(self, parsed_query: Query[LangQuery]) -> FactorSetsOut:  # noqa: ARG002 - for the description
        """Answer with every set."""
        editions = [
            FactorSetOut(
                id=edition.id,
                kind="edition",
                title=f"Diandian {edition.id}",
                method_version=edition.method_version,
                published_on=edition.published_on,
                review_by="",
                rows=len(edition.rows()),
                sha256=edition.sha256,
                licence="",
            )
            for edition in factor_sets()
        ]
        publishers = [
            FactorSetOut(
                id=info.id,
                kind="publisher",
                title=info.title,
                method_version=METHOD_VERSION,
                published_on="",
                review_by=info.review_by,
                rows=info.rows,
                sha256=info.sha256,
                licence=info.licence,
            )
            for info in publisher_sets()
        ]
        return FactorSetsOut(factor_sets=editions + publishers)


class FactorSetController(ApiController):
    """One set of factors."""

    tags = ("Calculation",)

    @modify(
        operation_id="getFactorSet",
        summary="The factors of one set",
        status_code=HTTPStatus.OK,
        extra_responses=refusals(404, 422),
    )
    def get(self, parsed_query: Query[LangQuery]) -> FactorsOut:  # noqa: ARG002 - for the description
        """Answer with the rows of a set."""
        found = factor_set(str(self.kwargs["id"])[:60])
        factors = [
            FactorOut(
                value=f"{row.value:f}",
                uncertainty_pct=f"{row.uncertainty_pct:f}",
                **{name: getattr(row, name) for name in _PLAIN},
            )
            for row in found.rows()
        ]
        return FactorsOut(id=found.id, sha256=found.sha256, factors=factors)


_PLAIN = tuple(set(FactorOut.__struct_fields__) - {"value", "uncertainty_pct"})
