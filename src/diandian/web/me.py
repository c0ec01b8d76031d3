"""What this device has here, and the ways to change or erase it; no account, one signed cookie.

Nothing is shown to a device that ordered nothing: there is no list to guess at.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.certificates.models import Certificate, CertificateState
from diandian.certificates.names import clean_display_name
from diandian.certificates.queries import record_of
from diandian.claims import wording
from diandian.flows.erase import erase_guest, leave_boards
from diandian.kernel.errors import N_, InputError
from diandian.leaderboards import actions as leaderboards
from diandian.leaderboards import queries as boards
from diandian.orders.models import Order
from diandian.ui import rendered
from diandian.web import context, device, guest

_NAME_FIELD = "display_name"


class NotSureError(InputError):
    """Erasing cannot be undone, so it is confirmed."""

    code = "erase_not_confirmed"
    message = N_("Nothing was erased. Please tick the box first, since this cannot be undone.")


@dataclass(frozen=True, slots=True)
class Kept:
    """One order of this device in the list."""

    order: Order
    certificate: Certificate | None
    url: str
    title: str
    name: str
    state: str


def _kept(order: Order, certificate: Certificate | None, lang: str) -> Kept:
    scene = context.words(order.scene.names) if order.scene else ""
    if certificate is None:
        url, state = reverse("order", args=[order.token]), gettext("see how the order stands")
        return Kept(order, None, url, scene or gettext("Order"), order.beneficiary_name, state)
    record = record_of(certificate)
    revoked = certificate.state == CertificateState.REVOKED
    return Kept(
        order=order,
        certificate=certificate,
        url=reverse("certificate", args=[certificate.code]),
        title=scene or wording.title(record, lang),
        name=record["beneficiary"]["display_name"],
        state=gettext("revoked") if revoked else wording.state_line(record, lang),
    )


def _shown(guest_key: str) -> list[Kept]:
    orders = device.orders_of(guest_key)
    certificates = device.certificates_of(orders)
    lang = context.language()
    return [_kept(order, certificates.get(order.ref), lang) for order in orders]


def _page(
    request: HttpRequest, guest_key: str, errors: list[InputError], typed: str = ""
) -> HttpResponse:
    own = boards.own_row(guest_key, "all")
    shown = {
        "kept": _shown(guest_key),
        "own": own,
        "errors": errors,
        "board_name": typed or (own.row.name if own else ""),
        "done": request.GET.get("done", "") if request.method == "GET" else "",
    }
    response = render(request, "web/me/page.html", shown, status=422 if errors else 200)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def _rename(request: HttpRequest, guest_key: str) -> str:
    leaderboards.rename(guest_key, clean_display_name(request.POST.get(_NAME_FIELD, "")))
    return "renamed"


def _leave(_: HttpRequest, guest_key: str) -> str:
    leave_boards(guest_key)
    return "left"


def _erase(request: HttpRequest, guest_key: str) -> str:
    if request.POST.get("sure") != "1":
        raise NotSureError(field="sure")
    for code in erase_guest(guest_key):
        rendered.forget(code)
    return "erased"


_DEEDS: dict[str, Callable[[HttpRequest, str], str]] = {
    "rename": _rename,
    "leave": _leave,
    "erase": _erase,
}


def me(request: HttpRequest) -> HttpResponse:
    """Show this device's certificates; rename, leave the boards or erase on request."""
    key = guest.guest_key_of(request)
    deed = _DEEDS.get(request.POST.get("do", "")) if request.method == "POST" else None
    if deed is None or not key:
        return _page(request, key, [])
    try:
        done = deed(request, key)
    except InputError as error:
        return _page(request, key, [error], request.POST.get(_NAME_FIELD, ""))
    response = HttpResponseRedirect(f"{reverse('me')}?done={done}")
    response.status_code = 303
    if done == "erased":
        response.delete_cookie(guest.COOKIE, samesite="Lax")
    return response
