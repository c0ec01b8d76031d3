"""The description of the API as OpenAPI 3.1: what the controllers say, and what types cannot say.

*Source:* OpenAPI 3.1.0; JSON Schema 2020-12 for the alternatives.
"""

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

from dmr.openapi import build_schema
from dmr.openapi.config import OpenAPIConfig
from dmr.openapi.mappers.schema_loader import load_schema
from dmr.openapi.objects import License, Operation, Parameter, PathItem, Schema
from dmr.openapi.openapi import OpenAPI
from dmr.routing import Router

_INTRODUCTION = """
Count what a visit emits, retire exactly that many kilograms, get a certificate anyone can check.

Money is in minor units and mass in grams, both whole numbers; decimals are text. Refusals are
problem details (RFC 9457) with a stable `code`; `title` and `detail` follow `Accept-Language` or
`?lang=` (zh-Hans, en, nl). Nobody signs in: who holds the id of a quote or an order may use it.
"""
_NULL = {"type": "null"}
_BY_SCENE = {
    "required": ["scene"],
    "properties": {"scene": {"type": "string"}, "factor_set": _NULL, "lines": _NULL},
}
_BY_LINES = {
    "required": ["lines"],
    "properties": {"lines": {"type": "array"}, "answers": _NULL, "scene": _NULL},
}
_NO_ESTIMATE = {
    "answers": _NULL,
    "factor_set": _NULL,
    "lines": _NULL,
    "scene": _NULL,
    "to_upper_bound": {"const": False},
}
_NO_MASS = {"mass_g": _NULL, "grams": _NULL}
_ALTERNATIVES: dict[str, list[dict[str, Any]]] = {
    "EstimateIn": [_BY_SCENE, _BY_LINES],
    "QuoteIn": [
        *({**way, "properties": way["properties"] | _NO_MASS} for way in (_BY_SCENE, _BY_LINES)),  # type: ignore[operator]
        *(
            {
                "required": [name],
                "properties": _NO_ESTIMATE | {name: {"type": "integer"}, other: _NULL},
            }
            for name, other in (("mass_g", "grams"), ("grams", "mass_g"))
        ),
    ],
    "LineIn": [
        {"required": ["factor", "region"], "not": {"required": ["own_factor"]}},
        {"required": ["own_factor"], "not": {"required": ["factor"]}},
    ],
}
PARAMETERS = {
    "lang": "The language of words for people; goes before Accept-Language.",
    "query": "Words to look for: Chinese, pinyin or English; for places also an IATA code.",
    "limit": "How many at most.",
    "kind": "A kind of scene, such as `conference`.",
    "from": "A place by name, by key, or by IATA code in capitals.",
    "to": "A place by name, by key, or by IATA code in capitals.",
    "mode": "The way of travelling.",
    "slug": "The scene's name in addresses.",
    "id": "The id that the API gave; that of an order is secret.",
    "code": "A certificate's code, however it was typed.",
    "version": "An earlier version of the certificate; without it, the newest.",
    "board": "`people`, `scenes`, or `scene:SLUG` for those who lit one scene.",
    "period": "This year, or all years.",
    "project": "A project's code.",
    "scene": "A scene's slug.",
    "vintage_year": "The year of the reduction.",
    "holder_kind": "Who holds the retirement.",
    "before": "`next_before` of the page before.",
    "gateway": "Another gateway to pay at; without it, the one of the attempt before.",
    "flow": "One of the gateway's ways to pay, as `payment.ways` names them.",
    "Idempotency-Key": (
        "Any text of up to 100 characters. The same key with the same body is the same order, with"
        " another body it is refused."
    ),
}
# Examples from the sample data, so that a demo answers them.
_EXAMPLES: dict[str, str] = {
    "slug": "tianfu26",
    "scene": "tianfu26",
    "query": "Chengdu",
    "from": "XIY",
    "to": "Chengdu",
    "mode": "rail",
    "board": "people",
    "project": "sample-rooftop-solar",
}
_ANSWERS = {"from": "XIY", "mode": "train", "nights": 2, "stay": "mid"}
_BODIES: dict[str, list[dict[str, Any]]] = {
    "EstimateIn": [
        {"scene": "tianfu26", "answers": _ANSWERS},
        {
            "factor_set": "2026.2",
            "lines": [
                {"factor": "transport.rail.high_speed", "region": "CN-SC", "amount": "1000"},
                {
                    "own_factor": {"value": "0.5", "unit": "kg", "source": "Supplier, 2026"},
                    "amount": "10",
                    "unit": "kg",
                },
            ],
        },
    ],
    "QuoteIn": [
        {"project": "sample-rooftop-solar", "mass_g": 124_000},
        {"project": "sample-rooftop-solar", "scene": "tianfu26", "answers": _ANSWERS},
    ],
}


def described(router: Router) -> OpenAPI:
    """Return the whole description of the addresses of a router."""
    schema = build_schema(
        router,
        config=OpenAPIConfig(
            title="Diandian API",
            version="1",
            openapi_version="3.1.0",
            description=_INTRODUCTION.strip(),
            license=License(name="Apache-2.0", identifier="Apache-2.0"),
        ),
    )
    for operation in _operations(schema):
        for parameter in operation.parameters or []:
            if isinstance(parameter, Parameter):
                parameter.description = PARAMETERS[parameter.name]
                # A factor set, too, is asked for by its id.
                example = _EXAMPLES.get(parameter.name)
                if operation.operation_id == "getFactorSet" and parameter.name == "id":
                    example = "2026.2"
                parameter.example = example
    for name, model in ((schema.components and schema.components.schemas) or {}).items():
        if isinstance(model, Schema):
            model.description = _as_markdown(model.description)
            model.examples = _BODIES.get(name)
            if name in _ALTERNATIVES:
                model.one_of = [load_schema(way) for way in _ALTERNATIVES[name]]
    return schema


def _operations(schema: OpenAPI) -> Iterator[Operation]:
    for item in (schema.paths or {}).values():
        assert isinstance(item, PathItem), "the routes are our own"
        yield from (operation for operation in (item.get, item.post) if operation)


def _as_markdown(text: str | None) -> str | None:
    """Return a docstring as the description is read."""
    return cleandoc(text).replace("``", "`") if text else text
