"""Importing a table: a template, every problem by row and column, then all rows or none."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.errors import SheetError
from diandian.emissions.inventory.imports import template as filled_in_later
from diandian.emissions.inventory.sheet import MOST_BYTES, WHY
from diandian.flows import inventory as flow
from diandian.flows import inventory_files
from diandian.flows.inventory_files import Checked
from diandian.footprints import inventory
from diandian.kernel.errors import N_, DiandianError, InputError, NotFoundError
from diandian.office.host.inventory import frame
from diandian.office.host.inventory_words import names_in_tables
from diandian.office.host.overview import scene_of
from diandian.office.host.pages import go, show, signed_in
from diandian.people.errors import NotAllowedError
from diandian.people.queries import Visitor
from diandian.scenes.models import Scene
from diandian.ui.amounts import amount_words

_SHOWN = 500
_PREVIEWED = 50


class NoFileError(InputError):
    """The button was pressed without a file."""

    code = "no_file"
    message = N_("No file was chosen. Nothing was imported. Please choose a CSV or .xlsx file.")


@signed_in
def import_page(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Ask for a table; when posted, check it; when checked and meant, import all of it."""
    scene = scene_of(visitor, slug, "write")
    if request.method != "POST":
        return _page(request, visitor, scene)
    digest = request.POST.get("digest", "")[:64]
    try:
        if digest:
            inventory_files.import_checked(visitor, scene, digest, names_in_tables())
            return go("host_inventory", slug)
        checked = inventory_files.check_import(visitor, scene, _sent(request), names_in_tables())
    except (NotFoundError, NotAllowedError):
        raise
    except DiandianError as error:
        return _page(request, visitor, scene, error=error)
    return _page(request, visitor, scene, checked=checked)


def _sent(request: HttpRequest) -> bytes:
    sent = request.FILES.get("file")
    if sent is None:
        raise NoFileError(field="file")
    if (sent.size or 0) > MOST_BYTES:
        raise SheetError(field="file", why=WHY["large"])
    return bytes(sent.read())


def _page(
    request: HttpRequest,
    visitor: Visitor,
    scene: Scene,
    *,
    checked: Checked | None = None,
    error: DiandianError | None = None,
) -> HttpResponse:
    standing = flow.standing_of(visitor, scene)
    if not standing.is_writable:
        return go("host_inventory", scene.slug)
    shown: dict[str, Any] = frame(visitor, scene, standing) | {
        "checked": checked,
        "errors": [error] if error else [],
    }
    if checked is not None:
        problems, entries = checked.problems, checked.found.entries
        shown |= {
            "problems": problems[:_SHOWN],
            "more_problems": max(len(problems) - _SHOWN, 0),
            "count": len(entries),
            "entries": [
                (each.key.removeprefix("row "), gettext(ACTIVITIES[each.activity].label),
                 amount_words(each.amount, each.unit), each.note)
                for each in entries[:_PREVIEWED]
            ],
            "more_entries": max(len(entries) - _PREVIEWED, 0),
            "unknown": checked.found.unknown_columns,
        }  # fmt: skip
    bad = error is not None or (checked is not None and checked.problems)
    return show(request, visitor, "office/host/inventory/import.html", shown, 422 if bad else 200)


@signed_in
def template(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:  # noqa: ARG001 - a download
    """Answer a CSV with a row for each source of this kind of scene."""
    scene = scene_of(visitor, slug)
    text = filled_in_later(inventory.sources_of(scene))
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="inventory-{scene.slug}.csv"'
    return response
