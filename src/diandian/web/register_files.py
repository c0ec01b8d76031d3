"""The public register as files; they speak no language: columns and codes are everybody's.

Totals come last, counted from the rows that were sent.
"""

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, StreamingHttpResponse

from diandian.kernel.clock import now
from diandian.registry import queries
from diandian.registry.recalls.marks import marks_of
from diandian.ui import cells
from diandian.web.register_filters import Filters, scenes_of
from diandian.web.retirement import logged, number_of

_STREAMED_ROWS = 500
COLUMNS = (
    "retirement",
    "retired_at",
    "mass_g",
    "project",
    "programme",
    "vintage_year",
    "serial_ranges",
    "purpose",
    "context_ref",
    "scene",
    "holder_kind",
    "claim_from",
    "claim_to",
    "upstream_state",
    "subject_commit",
    "sample",
    "recall_state",
    "recalled_g",
    "remedied_g",
    "replaces",
    "log_origin",
    "log_index",
    "url",
)


def _records(filters: Filters) -> Iterator[dict[str, Any]]:
    """Yield every matching record, newest first, some hundreds to a query."""
    lookups = filters.lookups()
    before_id: int | None = None
    while lookups is not None:
        found = queries.retirements(**lookups, before_id=before_id, limit=_STREAMED_ROWS)
        if not found:
            return
        scenes = scenes_of([row.context_ref for row in found])
        places = logged(found)
        met = marks_of(found)
        for row, record in zip(found, queries.public_records(found), strict=True):
            origin, index = places.get(row.public_id, ("", None))
            scene = scenes.get(str(record["context_ref"]))
            number = number_of(str(record["retirement"]))
            yield {
                **record,
                **met[row.id].public(),
                "scene": scene.slug if scene else "",
                "log_origin": origin,
                "log_index": index,
                "url": f"{settings.BASE_URL}/register/{number}",
            }
        before_id = found[-1].id


def _serials(record: dict[str, Any]) -> str:
    return "; ".join(
        f"{part['serial_first']}+{part['offset_first_g']}g"
        f" to {part['serial_last']}+{part['offset_last_g']}g"
        for part in record["ranges"]
    )


def _json_parts(filters: Filters) -> Iterator[str]:
    """Yield one JSON object in parts."""
    head = {
        "schema": "diandian/register/1",
        "made_at": now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "filters": {name: getattr(filters, name) for name in Filters.__slots__},
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "retirements": [\n'
    count, mass_g = 0, 0
    for record in _records(filters):
        yield (",\n" if count else "") + json.dumps(record, ensure_ascii=False)
        count, mass_g = count + 1, mass_g + record["mass_g"]
    yield "\n], " + json.dumps({"count": count, "mass_g": mass_g})[1:] + "\n"


def as_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Send the filtered register as a table."""
    rows = (
        {**record, "serial_ranges": _serials(record)} for record in _records(Filters.of(request))
    )
    return cells.as_csv("diandian-register", COLUMNS, rows)


def as_json(request: HttpRequest) -> StreamingHttpResponse:
    """Send the filtered register as JSON."""
    parts = _json_parts(Filters.of(request))
    return cells.download(parts, "diandian-register.json", "application/json")
