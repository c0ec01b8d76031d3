"""The organiser's inventory on one page: every source, every row, what is missing, what to do."""

from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from diandian.emissions.errors import OutOfRangeError, UnknownChoiceError
from diandian.emissions.inventory.amounts import read_amount
from diandian.emissions.inventory.boundary import Declared
from diandian.emissions.inventory.categories import CATEGORIES, NZCE
from diandian.emissions.inventory.entries import LONGEST_NOTE
from diandian.emissions.inventory.errors import TextTooLongError
from diandian.emissions.inventory.narrowing import ADVICE, Narrowing
from diandian.flows import inventory as flow
from diandian.footprints import inventory, queries
from diandian.footprints.worksheet import Worksheet
from diandian.kernel.errors import N_, DiandianError, InputError, NotFoundError
from diandian.office.host import inventory_rows
from diandian.office.host.overview import scene_of
from diandian.office.host.pages import go, language, show, signed_in, words
from diandian.people import access
from diandian.people.errors import NotAllowedError
from diandian.people.queries import Visitor
from diandian.scenes.models import Scene

_RANKED = 6
_GRAMS_PER_KG = 1000
_LARGEST_NUMBER = 10**9


class ReasonMissingError(InputError):
    """A source that is zero or left out without a word why."""

    code = "reason_missing"
    message = N_("Please say why in a few words. The source is still open.")


class SourceUnknownError(NotFoundError):
    """A source that nobody knows."""

    code = "source_unknown"


def since_of(request: HttpRequest) -> int:
    """Return the revision that a posted form showed; 0, older than any, for anything else."""
    typed = request.POST.get("since", "")
    right = typed.isascii() and typed.isdigit()
    return min(int(typed[:9]), _LARGEST_NUMBER) if right else 0


def frame(visitor: Visitor, scene: Scene, standing: flow.Standing) -> dict[str, Any]:
    """Return what every page of an inventory shows."""
    return {
        "scene": scene,
        "name": words(scene.names),
        "standing": standing,
        "since": standing.sheet.revision,
        "writes": standing.is_writable and access.allows(visitor, scene.organisation_ref, "write"),
        "may_write": access.allows(visitor, scene.organisation_ref, "write"),
    }


@signed_in
def table(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Show the inventory; when posted, do what a button of it says."""
    scene = scene_of(visitor, slug)
    if request.method != "POST":
        return _page(request, visitor, scene)
    try:
        removed = _act(request, visitor, scene)
    except (NotFoundError, NotAllowedError):
        raise
    except DiandianError as error:
        return _page(request, visitor, scene, error)
    response = go("host_inventory", slug)
    if removed:
        response["Location"] += f"?removed={removed}"
    return response


def _act(request: HttpRequest, visitor: Visitor, scene: Scene) -> str:
    """Do what was asked for; return the key of an entry that was removed."""
    action, key = request.POST.get("action", ""), request.POST.get("key", "")[:40]
    if action == "remove":
        flow.remove_entry(visitor, scene, key, since=since_of(request))
        return key
    if action == "restore":
        flow.restore_entry(visitor, scene, key)
    elif action == "undeclare":
        flow.undeclare(visitor, scene, key)
    elif action == "next_version":
        flow.begin_next_version(visitor, scene)
    return ""


def _page(
    request: HttpRequest, visitor: Visitor, scene: Scene, error: DiandianError | None = None
) -> HttpResponse:
    standing = flow.standing_of(visitor, scene)
    sheet = standing.sheet
    found = inventory.computed(scene, sheet)
    only = request.GET.get("source", "")
    only = only if only in CATEGORIES else ""
    files = {row.digest: row for row in queries.evidence_of(scene)}
    sources = inventory.sources_of(scene)
    shown = frame(visitor, scene, standing) | {
        "groups": inventory_rows.groups(
            sheet, found, sources, files, only=only, page=_page_number(request)
        ),
        "only": only,
        "own": found.inventory.own,
        "guests": found.inventory.guests,
        "missing": [gettext(CATEGORIES[key].label) for key in found.missing],
        "nzce": [(gettext(NZCE[key]), mass_g) for key, mass_g in found.inventory.by_nzce().items()],
        "narrowing": [_advice(each, sheet) for each in found.inventory.narrowing()[:_RANKED]],
        "unproven": len(found.inventory.unproven),
        "broken": len(found.broken),
        "versions": queries.inventory_versions(scene),
        "removed": _removed(request, sheet),
        "errors": [error] if error else [],
    }
    return show(request, visitor, "office/host/inventory/table.html", shown, 409 if error else 200)


def _page_number(request: HttpRequest) -> int:
    typed = request.GET.get("page", "")
    right = typed.isascii() and typed.isdigit()
    return max(int(typed[:4]), 1) if right else 1


def _removed(request: HttpRequest, sheet: Worksheet) -> str:
    """Return the key of an entry that was just removed and can be brought back."""
    key = request.GET.get("removed", "")
    return key if key in sheet.removed else ""


def _advice(each: Narrowing, sheet: Worksheet) -> dict[str, str]:
    """Return one thing that would narrow the range, in words."""
    label = gettext(each.label)
    with suppress(KeyError, TypeError, ValueError):
        label %= each.line.params_in(language())
    return {
        "key": each.key if each.key in sheet.entries else "",
        "label": label,
        "advice": gettext(ADVICE[each.advice]),
        "part": each.variance_pct,
        "doubt": each.doubt_pct,
    }


# --- a source without entries -------------------------------------------------------------------


@signed_in
def source(request: HttpRequest, visitor: Visitor, slug: str, category: str) -> HttpResponse:
    """Ask what there is to say about a source without entries; when posted, keep it."""
    scene = scene_of(visitor, slug, "write")
    if category not in CATEGORIES:
        raise SourceUnknownError
    error = None
    if request.method == "POST":
        try:
            declared = _declared(request, category)
            flow.declare(visitor, scene, declared, since=since_of(request))
        except NotFoundError:
            raise
        except DiandianError as found:
            error = found
        else:
            return go("host_inventory", slug)
    standing = flow.standing_of(visitor, scene)
    if not standing.is_writable:
        return go("host_inventory", slug)
    known = standing.sheet.declared.get(category)
    shown = frame(visitor, scene, standing) | {
        "category": category,
        "label": gettext(CATEGORIES[category].label),
        "state": request.POST.get("state", known.state if known else "zero"),
        "reason": request.POST.get("reason", known.reason if known else "")[:LONGEST_NOTE],
        "expected": request.POST.get("expected_kg", "")[:40],
        "errors": [error] if error else [],
    }
    return show(request, visitor, "office/host/inventory/source.html", shown, 422 if error else 200)


def _declared(request: HttpRequest, category: str) -> Declared:
    state = request.POST.get("state", "")
    reason = " ".join(request.POST.get("reason", "")[:2000].split())
    if state not in {"zero", "left_out"}:
        raise UnknownChoiceError(field="state", given=state[:40])
    if not reason:
        raise ReasonMissingError(field="reason")
    if len(reason) > LONGEST_NOTE:
        raise TextTooLongError(field="reason", limit=LONGEST_NOTE)
    if state == "zero":
        return Declared(category, "zero", reason)
    expected = read_amount(request.POST.get("expected_kg", ""), field="expected_kg")
    if not expected:
        raise OutOfRangeError(field="expected_kg", given="0", minimum="0.001", maximum="10^12")
    return Declared(category, "left_out", reason, int(expected * _GRAMS_PER_KG))
