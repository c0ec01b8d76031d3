"""The register in the data model of the Climate Action Data Trust, as one JSON or as tables."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from diandian.kernel.clock import now
from diandian.registry.cad_trust.export import Export, Owner, export
from diandian.ui import cells
from diandian.web.errors import not_found

TABLES = ("projects", "locations", "issuances", "units")
NOTES = (
    (
        "Units are whole credits of one tonne; we sell grams. A credit of which some grams are"
        " certified here stays Held until it is retired at its registry, and unitTags says how many"
        " grams. The grams themselves are in /register.json."
    ),
    (
        "A credit that is retired at its registry is Retired, whether or not all of its grams are"
        " certified yet; unitTags says how many are."
    ),
    (
        "A credit that was recalled keeps its status, since nothing is un-retired; unitTags says"
        " how many of its grams were recalled, why, and what became of all that is certified under"
        " the recall."
    ),
    (
        "coveredByNDC is Unknown, and so is a corresponding adjustment where its batch says none,"
        " because no programme has told us."
    ),
    (
        "Ids are made from our address and our own numbers; a warehouse that takes these records"
        " gives its own. Labels, estimations, ratings and co-benefits are missing: we have none."
    ),
)


def _export() -> Export:
    name = settings.OPERATOR_NAME or "Diandian"
    return export(Owner(name, settings.BASE_URL))


def as_json(_request: HttpRequest) -> HttpResponse:
    """Send every table as one JSON."""
    found = _export()
    answer = {
        "schema": "cad-trust/1",
        "made_at": now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "notes": NOTES,
        **{name: getattr(found, name) for name in TABLES},
    }
    response = JsonResponse(answer, json_dumps_params={"ensure_ascii": False})
    response["Content-Disposition"] = 'attachment; filename="cad-trust.json"'
    response["Cache-Control"] = "no-cache"
    return response


def as_csv(request: HttpRequest, name: str) -> HttpResponseBase:
    """Send one table; its first row names the fields."""
    if name not in TABLES:
        return not_found(request)
    rows = getattr(_export(), name)
    columns = list(rows[0]) if rows else []
    return cells.as_csv(f"cad-trust-{name}", columns, rows)
