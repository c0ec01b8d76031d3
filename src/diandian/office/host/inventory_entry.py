"""One entry: which activity, how much of it, how well it is known, and the file that shows it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.activity import Activity, known_at
from diandian.emissions.inventory.categories import CATEGORIES
from diandian.emissions.inventory.entries import FIELDS, QUALITIES, STATED
from diandian.flows import inventory as flow
from diandian.flows import inventory_files
from diandian.footprints import evidence as files
from diandian.footprints import queries
from diandian.footprints.calculation import factors_of
from diandian.kernel.errors import ConflictError, DiandianError, NotFoundError
from diandian.office.host.inventory import frame, since_of
from diandian.office.host.inventory_words import raw_of, units_for
from diandian.office.host.overview import scene_of
from diandian.office.host.pages import at, go, show, signed_in
from diandian.people.errors import NotAllowedError
from diandian.people.queries import Visitor
from diandian.scenes.models import Scene
from diandian.ui.amounts import unit_word

_LONGEST = 400


def sent_file(request: HttpRequest) -> tuple[bytes, str] | None:
    """Return a posted file and its name, None where there is none. Raises: EvidenceFileError."""
    sent = request.FILES.get("file")
    if sent is None:
        return None
    if (sent.size or 0) > files.MOST_BYTES:
        files.refuse("large")
    return sent.read(), sent.name or ""


@signed_in
def new(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Ask which activity, then how much of it; when posted and right, add it."""
    scene = scene_of(visitor, slug, "write")
    name = request.GET.get("activity") or request.POST.get("activity", "")
    activity = ACTIVITIES.get(name)
    if activity is None:
        return _pick(request, visitor, scene)
    category = request.GET.get("category", "")
    raw = dict.fromkeys(FIELDS, "") | {
        "activity": activity.key,
        "category": category if category in activity.categories else activity.categories[0],
        "unit": activity.unit,
        "quality": "estimated",
        "owner": "organiser",
    }
    return _answer(request, visitor, scene, activity, raw)


@signed_in
def one(request: HttpRequest, visitor: Visitor, slug: str, key: str) -> HttpResponse:
    """Show one entry as it was typed; when posted and right, change it."""
    scene = scene_of(visitor, slug, "write")
    sheet = flow.standing_of(visitor, scene).sheet
    if key not in sheet.entries:
        return go("host_inventory", slug)
    raw = raw_of(sheet.entry(key))
    wanted = ACTIVITIES.get(request.GET.get("activity") or request.POST.get("activity", ""))
    activity = wanted or ACTIVITIES[raw["activity"]]
    if activity.key != raw["activity"]:
        raw |= {"activity": activity.key, "category": activity.categories[0], "unit": activity.unit}
    return _answer(request, visitor, scene, activity, raw, key)


def _pick(request: HttpRequest, visitor: Visitor, scene: Scene) -> HttpResponse:
    """Show the activities that can be counted here, by source."""
    only = request.GET.get("category", "")
    factors = factors_of(scene)
    by_source: dict[str, list[tuple[str, str, str]]] = {}
    for activity in ACTIVITIES.values():
        if not known_at(activity, factors, scene.region):
            continue
        for category in activity.categories:
            words = (activity.key, gettext(activity.label), unit_word(activity.unit))
            by_source.setdefault(category, []).append(words)
    shown = frame(visitor, scene, flow.standing_of(visitor, scene)) | {
        "sources": [
            (key, gettext(category.label), by_source[key])
            for key, category in CATEGORIES.items()
            if key in by_source and only in {"", key}
        ],
        "only": only if only in CATEGORIES else "",
    }
    return show(request, visitor, "office/host/inventory/pick.html", shown)


def _answer(
    request: HttpRequest,
    visitor: Visitor,
    scene: Scene,
    activity: Activity,
    raw: dict[str, str],
    key: str = "",
) -> HttpResponse:
    if request.method != "POST":
        return _form(request, visitor, scene, activity, raw, key=key)
    raw = _typed(request, activity)
    errors: list[DiandianError] = []
    try:
        raw["evidence"] = _evidence(request, visitor, scene, raw["evidence"])
        read = flow.put_entry(visitor, scene, raw, key=key, since=since_of(request))
        errors += [at(_PLACES.get(field, field), each) for field, each in read.errors.items()]
    except (NotFoundError, NotAllowedError):
        raise
    except DiandianError as error:
        errors = [at(_PLACES.get(getattr(error, "field", ""), getattr(error, "field", "")), error)]
    if not errors:
        return go("host_inventory", scene.slug)
    return _form(request, visitor, scene, activity, raw, key=key, errors=errors)


# Where a field of an entry stands on the page, where it is not its own.
_PLACES = {"activity": "amount", "owner": "owner_pct", "evidence": "file"}


def _typed(request: HttpRequest, activity: Activity) -> dict[str, str]:
    raw = {field: request.POST.get(field, "")[:_LONGEST] for field in FIELDS}
    raw["activity"] = activity.key
    if raw["owner"] == "split":
        raw["owner"] = f"split {request.POST.get('owner_pct', '')[:40]}"
    return raw


def _evidence(request: HttpRequest, visitor: Visitor, scene: Scene, chosen: str) -> str:
    """Return the digest of the file that was sent, else of the one that was chosen."""
    sent = sent_file(request)
    if sent is None:
        return chosen
    return inventory_files.keep_evidence(visitor, scene, *sent).digest


def _form(
    request: HttpRequest,
    visitor: Visitor,
    scene: Scene,
    activity: Activity,
    raw: dict[str, str],
    *,
    key: str = "",
    errors: list[DiandianError] | None = None,
) -> HttpResponse:
    standing = flow.standing_of(visitor, scene)
    if not standing.is_writable:
        return go("host_inventory", scene.slug)
    moved = any(isinstance(error, ConflictError) for error in errors or [])
    there = standing.sheet.entries.get(key)
    shown: dict[str, Any] = frame(visitor, scene, standing) | {
        "key": key,
        "raw": raw,
        "whose": _whose(raw["owner"]),
        "label": gettext(activity.label),
        "activity": activity.key,
        "known": known_at(activity, factors_of(scene), scene.region),
        "units": units_for(activity),
        "sources": [(each, gettext(CATEGORIES[each].label)) for each in activity.categories],
        "qualities": [(each, gettext(QUALITIES[each])) for each in STATED],
        "files": [row for row in queries.evidence_of(scene) if row.erased_at is None],
        "there": raw_of(there.entry) if moved and there else None,
        "other_url": _other(scene, key, raw["category"]),
        "errors": errors or [],
    }
    if errors and not moved:
        # What was typed against an older state is compared with that state again.
        shown["since"] = since_of(request)
    status = 409 if moved else 422 if errors else 200
    return show(request, visitor, "office/host/inventory/entry.html", shown, status)


def _whose(owner: str) -> tuple[str, str]:
    """Return who owns an entry, organiser, guest or split, and the percentage of a split."""
    if owner in {"", "organiser", "100"}:
        return "organiser", ""
    if owner in {"guest", "0"}:
        return "guest", ""
    return "split", owner.removeprefix("split").strip()


def _other(scene: Scene, key: str, category: str) -> str:
    """Return where another activity of the same source is chosen; only for a new entry."""
    if key:
        return ""
    return reverse("host_entry_new", args=[scene.slug]) + "?" + urlencode({"category": category})
