"""A guest says that a journey or nights were counted in another scene first; nothing is sold twice.

This device's own orders are offered; any other result is named by its link, which only its guest
has. *Source:* methodology, section 10 (rule 9).
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from diandian.flows import elsewhere
from diandian.footprints.models import Footprint
from diandian.kernel.errors import DiandianError, InputError
from diandian.orders.errors import AlreadyMatchedError
from diandian.ui import limits
from diandian.web import context, device, errors, guest, results
from diandian.web.secret import secret_page

_LONGEST_LINK = 300


@secret_page
def page(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Ask which part was counted where; when posted and right, note it and show the result."""
    footprint = results.footprint_of(slug, token)
    where, _ = results.standing(footprint)
    if where not in {"open", "elsewhere"}:
        return results.back_to_result(slug, token)
    if request.method != "POST":
        return _page(request, footprint)
    try:
        if request.POST.get("action") == "take_back":
            elsewhere.take_back(footprint)
        else:
            link = request.POST.get("known") or request.POST.get("link", "")
            owner = elsewhere.owner_of_link(link[:_LONGEST_LINK])
            elsewhere.refer(footprint, owner, request.POST.get("part", ""))
    except AlreadyMatchedError as error:
        return redirect("order", error.order_token)
    except DiandianError as error:
        if _is_guess(error) and limits.one_miss_too_many(request):
            return errors.please_wait(request)
        return _page(request, footprint, error)
    response = results.back_to_result(slug, token)
    response.status_code = 303
    return response


def _is_guess(error: DiandianError) -> bool:
    return error.params.get("why") == elsewhere.WHY["unknown"]


def _page(
    request: HttpRequest, footprint: Footprint, error: DiandianError | None = None
) -> HttpResponse:
    sent = request.POST
    parts = elsewhere.parts_here(footprint)
    shown = {
        "scene": footprint.scene,
        "footprint": footprint,
        "parts": [
            (key, gettext(elsewhere.PARTS[key]), key == sent.get("part", next(iter(parts))))
            for key in parts
        ],
        "known": _known(request, footprint),
        "link": sent.get("link", "")[:_LONGEST_LINK],
        "references": results.references_of(footprint),
        "errors": [error] if error else [],
    }
    status = (422 if isinstance(error, InputError) else 409) if error else 200
    return render(request, "web/result/elsewhere.html", shown, status=status)


def _known(request: HttpRequest, footprint: Footprint) -> list[tuple[str, str]]:
    """Return this device's orders in other scenes of the same city: link and name."""
    found = []
    for order in device.orders_of(guest.guest_key_of(request)):
        other, scene = order.footprint, order.scene
        if other is None or scene is None or other.id >= footprint.id:
            continue
        if scene.id != footprint.scene_id and scene.place_key == footprint.scene.place_key:
            found.append((f"/o/{order.token}", context.words(scene.names)))
    return found
