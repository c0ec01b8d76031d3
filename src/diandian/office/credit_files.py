"""Files of issuances at the desk: a template, a look at every row, then all of it or nothing."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from diandian.flows import issuance_files
from diandian.flows.issuance_files import Outcome
from diandian.flows.issuance_tables import MOST_BYTES, template, too_large
from diandian.kernel.errors import N_, DiandianError, InputError

_SHOWN = 200


class NoIssuanceFileError(InputError):
    """The button was pressed without a file."""

    code = "no_issuance_file"
    message = N_("No file was chosen. Nothing was entered. Please choose CSV, .xlsx or JSON.")


def answer(request: HttpRequest, actor_ref: str) -> tuple[dict[str, Any], int]:
    """Return what the page shows, and its status: nothing yet, a look, or what was entered."""
    if request.method != "POST":
        return {}, 200
    digest = request.POST.get("digest", "")[:64]
    try:
        if digest:
            outcome = issuance_files.enter_kept(digest, actor_ref=actor_ref)
        else:
            data = _sent(request)
            outcome = issuance_files.look_at(data)
            if outcome.new and not outcome.problems:
                issuance_files.keep(data, outcome.digest)
    except DiandianError as error:
        return {"errors": [error]}, 422
    is_done = bool(digest) and not outcome.problems
    return _shown(outcome, is_done=is_done), 422 if outcome.problems else 200


def _sent(request: HttpRequest) -> bytes:
    sent = request.FILES.get("file")
    if sent is None:
        raise NoIssuanceFileError(field="file")
    if (sent.size or 0) > MOST_BYTES:
        too_large()
    return bytes(sent.read())


def _shown(outcome: Outcome, *, is_done: bool) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "is_done": is_done,
        "may_enter": not is_done and outcome.new and not outcome.problems,
        "rows": outcome.rows[:_SHOWN],
        "more_rows": max(len(outcome.rows) - _SHOWN, 0),
        "problems": outcome.problems[:_SHOWN],
        "more_problems": max(len(outcome.problems) - _SHOWN, 0),
        "refused": sum(row.state == "refused" for row in outcome.rows),
    }


def template_file() -> HttpResponse:
    """Answer a CSV to fill in."""
    response = HttpResponse(template(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="issuances.csv"'
    return response
