"""Everything of a life as one file: to take along, to read elsewhere, to bring back.

Its form: {"schema": "diandian/life/1", "region", "answers", "items", "diary"}; amounts are text, in
the units of the activities. A file that was changed by hand is read as if it were typed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from diandian.emissions.life.own_answers import SCHEMA
from diandian.kernel.errors import N_, InputError
from diandian.web.life import answers as said
from diandian.web.life import steps
from diandian.web.life.answers import Answers

LARGEST_BYTES = 1_000_000
Row = dict[str, str]


class NotOurFileError(InputError):
    """A file that does not hold what ours hold."""

    code = "not_our_file"
    message = N_(
        "This file is not one that was saved here. Nothing was added. Please choose a file that"
        " begins with “diandian-life”."
    )


@dataclass(frozen=True, slots=True)
class Held:
    """What a file holds, as texts that nobody has checked yet."""

    region: str
    items: list[Row]
    diary: list[Row]


def of_upload(request: HttpRequest) -> Held:
    """Return what an uploaded file holds. Raises: NotOurFileError."""
    sent = request.FILES.get("file")
    if sent is None or (sent.size or 0) > LARGEST_BYTES:
        raise NotOurFileError(field="file")
    try:
        found = json.loads(sent.read(LARGEST_BYTES).decode())
    except (ValueError, RecursionError) as error:
        raise NotOurFileError(field="file") from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise NotOurFileError(field="file")
    return Held(str(found.get("region", ""))[:10], _rows(found, "items"), _rows(found, "diary"))


def _rows(found: Mapping[str, Any], key: str) -> list[Row]:
    rows = found.get(key) or []
    if not isinstance(rows, list):
        raise NotOurFileError(field="file")
    kept = [row for row in rows if isinstance(row, dict)]
    return [{str(name): str(value)[:60] for name, value in row.items()} for row in kept]


def made_of(answers: Answers, diary: Sequence[Mapping[str, Any]] = ()) -> HttpResponse:
    """Return the file to save."""
    document: dict[str, Any] = {"schema": SCHEMA, "region": answers.region}
    if answers.values:
        document["answers"] = dict(answers.values)
    if answers.items:
        document["items"] = [
            item.to_json() | {"unit": item.entry.known.unit} for item in answers.items
        ]
    if diary:
        document["diary"] = list(diary)
    text = json.dumps(document, ensure_ascii=False, indent=1)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="diandian-life.json"'
    return response


def export(request: HttpRequest) -> HttpResponse:
    """Send the answers and items in the address as a file."""
    found = said.of_request(request)
    return made_of(found) if found else steps.leads_to(reverse("life"), "")
