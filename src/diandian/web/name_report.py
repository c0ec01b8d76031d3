"""Reporting a name on the boards: without an account, and nothing about who reports is kept.

A report hides nothing: an operator decides at the desk, see ``flows/name_reports.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.kernel.clock import now
from diandian.kernel.errors import N_, InputError
from diandian.leaderboards import actions, queries, rules
from diandian.leaderboards.errors import NoSuchNameError
from diandian.leaderboards.models import Standing
from diandian.leaderboards.queries import StandingRow
from diandian.scenes.errors import SceneNotFoundError, SceneNotPublishedError
from diandian.ui import limits
from diandian.web import boards, context, errors
from diandian.web.scenes import unavailable

REASONS = {
    "insult": N_("It insults or threatens"),
    "private": N_("It gives somebody away, or is a child's full name"),
    "impostor": N_("Somebody pretends to be somebody else"),
    "advertising": N_("It advertises"),
    "other": N_("Something else"),
}
_REPORTED = N_(
    "Many names were reported from your network in the last quarter of an hour. Yours was not sent."
    " Please go back and send it again later."
)
# Digits that fit the column.
_LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class Board:
    """The board whose names are reported: the address of the form, and the rows with a name."""

    address: str
    back: str
    rows: Sequence[StandingRow]


def _board(request: HttpRequest) -> Board:
    """Return the board that the address names. Raises: the errors of ``published_scene``."""
    address, slug = reverse("name_report"), request.GET.get("scene", "")
    if slug:
        scene = context.published_scene(slug)
        rows = queries.scene_people(scene, boards.SHOWN)
        address, back = f"{address}?scene={scene.slug}", reverse("scene_board", args=[scene.slug])
    else:
        back = reverse("boards")
        period = "all" if request.GET.get("period") == "all" else "year"
        rows = queries.people(period, boards.SHOWN)
        if period == "all":
            address, back = f"{address}?period=all", f"{back}?period=all"
    return Board(address, back, [row for row in rows if row.name])


def _row(typed: str) -> Standing:
    """Return the row that was chosen. Raises: NoSuchNameError."""
    fits = typed.isascii() and typed.isdecimal() and len(typed) <= _LONGEST_NUMBER
    found = queries.named_row(int(typed)) if fits else None
    if found is None:
        raise NoSuchNameError(field="row")
    return found


def _send(request: HttpRequest) -> list[InputError]:
    """Keep a report for the operator, or return all that is wrong with it."""
    wrong: list[InputError] = []
    row, reason, note = None, "", ""
    try:
        row = _row(request.POST.get("row", ""))
    except InputError as error:
        wrong.append(error)
    try:
        reason = rules.clean_reason(request.POST.get("reason", ""))
    except InputError as error:
        wrong.append(error)
    try:
        note = rules.clean_note(request.POST.get("note", ""))
    except InputError as error:
        wrong.append(error)
    if row is not None and not wrong:
        # Whether it was one of too many is said to nobody: it changes nothing for them.
        actions.report_name(row, reason=reason, note=note, at=now())
    return wrong


def report(request: HttpRequest) -> HttpResponse:
    """Show the form; when posted and right, keep the report and say what happens next."""
    try:
        board = _board(request)
    except (SceneNotFoundError, SceneNotPublishedError) as error:
        return unavailable(request, error)
    wrong: list[InputError] = []
    if request.method == "POST":
        if limits.too_many_name_reports(request):
            return errors.please_wait(request, _REPORTED)
        wrong = _send(request)
        if not wrong:
            joined = "&" if "?" in board.address else "?"
            response = HttpResponseRedirect(f"{board.address}{joined}sent=1")
            response.status_code = 303
            return response
    shown = {
        "board": board,
        "reasons": [(key, gettext(text)) for key, text in REASONS.items()],
        "typed": {name: request.POST.get(name, "") for name in ("row", "reason", "note")},
        "errors": wrong,
        "sent": request.GET.get("sent") == "1",
        "longest": rules.LONGEST_NOTE,
    }
    status = 422 if wrong else 200
    return render(request, "web/boards/report.html", shown, status=status)
