"""Closing an inventory, after a look at what is frozen; and its files."""

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext

from diandian.emissions.inventory.categories import CATEGORIES
from diandian.flows import inventory as flow
from diandian.flows import inventory_files
from diandian.footprints import evidence as kept
from diandian.footprints import inventory, queries
from diandian.footprints.errors import EvidenceNotFoundError
from diandian.kernel.errors import N_, DiandianError, InputError, NotFoundError
from diandian.office.host.inventory import frame, since_of
from diandian.office.host.inventory_entry import sent_file
from diandian.office.host.overview import scene_of
from diandian.office.host.pages import go, show, signed_in
from diandian.people.errors import NotAllowedError
from diandian.people.queries import Visitor
from diandian.scenes.models import Scene


class FreezeNotMeantError(InputError):
    """Closing freezes the numbers, so one tick more is asked for."""

    code = "freeze_not_meant"
    message = N_("Please tick that you have looked at it. The inventory is still open.")


@signed_in
def close(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Show what is frozen; when posted and meant, close the version."""
    scene = scene_of(visitor, slug, "write")
    if request.method != "POST":
        return _page(request, visitor, scene)
    try:
        if request.POST.get("meant") != "1":
            raise FreezeNotMeantError(field="meant")
        flow.close_version(visitor, scene, since=since_of(request))
    except (NotFoundError, NotAllowedError):
        raise
    except DiandianError as error:
        return _page(request, visitor, scene, error)
    return go("host_inventory", slug)


def _page(
    request: HttpRequest, visitor: Visitor, scene: Scene, error: DiandianError | None = None
) -> HttpResponse:
    standing = flow.standing_of(visitor, scene)
    if not standing.is_writable:
        return go("host_inventory", scene.slug)
    found = inventory.computed(scene, standing.sheet, fresh=True)
    why = found.why_not_closed()
    shown = frame(visitor, scene, standing) | {
        "own": found.inventory.own,
        "entries": len(standing.sheet.entries),
        "answers": found.guests.answers,
        "uncounted": found.inventory.uncounted_people,
        "missing": [gettext(CATEGORIES[key].label) for key in found.missing],
        "unproven": len(found.inventory.unproven),
        "number": standing.open.number if standing.open else 1,
        "why": gettext(why) if why else "",
        "errors": [error] if error else [],
    }
    return show(request, visitor, "office/host/inventory/close.html", shown, 409 if error else 200)


# --- files --------------------------------------------------------------------------------------


@signed_in
def evidence(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Show the files of a scene; when posted, keep one more or erase one."""
    scene = scene_of(visitor, slug)
    error = None
    if request.method == "POST":
        try:
            _act(request, visitor, scene)
        except (NotFoundError, NotAllowedError):
            raise
        except DiandianError as found:
            error = found
        else:
            return go("host_evidence", slug)
    standing = flow.standing_of(visitor, scene)
    used: dict[str, int] = {}
    for entry in standing.sheet.all_entries():
        used[entry.evidence] = used.get(entry.evidence, 0) + 1
    shown = frame(visitor, scene, standing) | {
        "files": [(row, used.get(row.digest, 0)) for row in queries.evidence_of(scene)],
        "errors": [error] if error else [],
    }
    status = 422 if error else 200
    return show(request, visitor, "office/host/inventory/evidence.html", shown, status)


def _act(request: HttpRequest, visitor: Visitor, scene: Scene) -> None:
    if request.POST.get("action") == "erase":
        inventory_files.erase_evidence(visitor, scene, request.POST.get("digest", "")[:64])
        return
    sent = sent_file(request)
    if sent is None:
        kept.refuse("none")
    inventory_files.keep_evidence(visitor, scene, *sent)


@signed_in
def evidence_file(request: HttpRequest, visitor: Visitor, slug: str, digest: str) -> HttpResponse:  # noqa: ARG001 - a download
    """Answer a file to save, never to open here."""
    scene = scene_of(visitor, slug)
    row, data = inventory_files.read_evidence(visitor, scene, digest)
    if data is None:
        raise EvidenceNotFoundError
    response = HttpResponse(data, content_type=kept.TYPES[row.kind])
    response["Content-Disposition"] = content_disposition(row.name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def content_disposition(name: str) -> str:
    """Return the header that makes browsers save a file, whatever its name holds."""
    header: str = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return header
