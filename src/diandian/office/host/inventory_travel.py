"""Guests' travel and nights: who answered, who came, and what stands for those who did not say."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from diandian.emissions.inventory.errors import AttendanceError
from diandian.emissions.inventory.travel import STATES, STRATA
from diandian.flows import inventory as flow
from diandian.footprints import inventory
from diandian.kernel.errors import N_, DiandianError, InputError, NotFoundError
from diandian.office.host.inventory import frame, since_of
from diandian.office.host.overview import scene_of
from diandian.office.host.pages import at, go, show, signed_in
from diandian.people.errors import NotAllowedError
from diandian.people.queries import Visitor
from diandian.scenes.models import Scene
from diandian.scenes.rules import MOST_GUESTS

_LONGEST = 9


class PeopleError(InputError):
    """Not a count of people."""

    code = "people"
    message = N_(
        "Please give a whole number of people, at most one million, or leave it empty. Nothing was"
        " saved."
    )


@signed_in
def travel(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Show answers and extrapolation; when posted, keep how many people came."""
    scene = scene_of(visitor, slug)
    if request.method != "POST":
        return _page(request, visitor, scene)
    try:
        flow.set_attendance(visitor, scene, _people(request), since=since_of(request))
    except (NotFoundError, NotAllowedError):
        raise
    except AttendanceError as error:
        return _page(request, visitor, scene, at(error.field or inventory.PEOPLE, error))
    except DiandianError as error:
        return _page(request, visitor, scene, error)
    return go("host_inventory_travel", slug)


def _people(request: HttpRequest) -> dict[str, int]:
    """Return people by stratum where these are given, else their total. Raises: PeopleError."""
    typed = {key: _count(request, key) for key in (inventory.PEOPLE, *STRATA)}
    by_stratum = {key: count for key in STRATA if (count := typed[key]) is not None}
    if by_stratum:
        return by_stratum
    total = typed[inventory.PEOPLE]
    return {} if total is None else {inventory.PEOPLE: total}


def _count(request: HttpRequest, key: str) -> int | None:
    typed = request.POST.get(key, "").strip().replace(",", "").replace(" ", "")
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) <= _LONGEST):
        raise PeopleError(field=key)
    if int(typed) > MOST_GUESTS:
        raise PeopleError(field=key)
    return int(typed)


def _page(
    request: HttpRequest, visitor: Visitor, scene: Scene, error: DiandianError | None = None
) -> HttpResponse:
    standing = flow.standing_of(visitor, scene)
    kept = standing.sheet.attendance
    guests = inventory.guests_of(scene, kept)
    raw = {key: str(kept.get(key, "")) for key in (inventory.PEOPLE, *STRATA)}
    if error is not None:
        raw = {key: request.POST.get(key, "")[:20] for key in raw}
    shown = frame(visitor, scene, standing) | {
        "strata": [
            (each, gettext(STRATA[each.key]), gettext(STATES[each.state]),
             [gettext(STRATA[key]) for key in each.borrowed])
            for each in guests.found.strata
        ],
        "fields": [(key, gettext(label), raw[key]) for key, label in STRATA.items()],
        "people": raw[inventory.PEOPLE],
        "answers": guests.answers,
        "own_g": sum(line.mass_g for line in guests.found.own),
        "others_g": sum(line.mass_g for line in guests.found.others),
        "uncounted": guests.found.uncounted_people,
        "refused": guests.refused,
        "pct": scene.organiser_pct,
        "errors": [error] if error else [],
    }  # fmt: skip
    return show(request, visitor, "office/host/inventory/travel.html", shown, 422 if error else 200)
