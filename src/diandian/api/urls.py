"""Addresses of the API, version 1, and its description as OpenAPI 3.1."""

from functools import cache
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from dmr.routing import Router

from diandian.api import (
    catalogue,
    certificates,
    estimates,
    orders,
    places,
    problems,
    quotes,
    register,
    scenes,
)
from diandian.api.description import described
from diandian.api.notifications import receive

_ROUTES = [
    path("scenes", scenes.ScenesController.as_view()),
    path("scenes/<str:slug>", scenes.SceneController.as_view()),
    path("places", places.PlacesController.as_view()),
    path("distance", places.DistanceController.as_view()),
    path("factor-sets", catalogue.FactorSetsController.as_view()),
    path("factor-sets/<str:id>", catalogue.FactorSetController.as_view()),
    path("estimates", estimates.EstimatesController.as_view()),
    path("projects", catalogue.ProjectsController.as_view()),
    path("quotes", quotes.QuotesController.as_view()),
    path("orders", orders.OrdersController.as_view()),
    path("orders/<str:id>", orders.OrderController.as_view(), name="api_order"),
    path("orders/<str:id>/payments", orders.OrderPaymentsController.as_view()),
    path("certificates/<str:code>", certificates.CertificateController.as_view()),
    path("retirements", register.RetirementsController.as_view()),
    path("boards/<str:board>", register.BoardController.as_view()),
]


@cache
def description() -> dict[str, Any]:
    """Return the description, made when it is first asked for: it takes a second."""
    return described(Router("api/v1/", _ROUTES)).convert(skip_validation=True)


@csrf_exempt
def openapi(request: HttpRequest) -> HttpResponse:
    """Answer with the description."""
    if request.method not in {"GET", "HEAD"}:
        return problems.plain(405, "method_not_allowed", {"Allow": "GET, HEAD"})
    return HttpResponse(msgspec.json.encode(description()), content_type="application/json")


@csrf_exempt
def nothing_here(_request: HttpRequest) -> HttpResponse:
    """Answer 404 in the API's own form."""
    return problems.plain(404, "no_such_address")


urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/openapi.json", openapi, name="openapi"),
    path("v1/notifications/<str:gateway>", csrf_exempt(receive), name="notification"),
    path("v1/notifications/<str:gateway>/<str:merchant>", csrf_exempt(receive)),
    path("v1/", include(_ROUTES)),
    re_path(r"^.*$", nothing_here),
]
