"""Erasing the person behind one order: by its secret link, on any device, without an account.

A certificate's code is known to many, so it alone erases nothing: the device that ordered, or the
order's link, does.
"""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from diandian.certificates import queries as certificates
from diandian.flows.erase import erase_order, is_erased
from diandian.kernel.errors import N_, InputError
from diandian.orders import queries
from diandian.orders.errors import OrderNotFoundError
from diandian.orders.models import Order
from diandian.ui import limits
from diandian.web import errors, guest
from diandian.web.secret import secret_page

_LONGEST_TYPED = 300


class OtherOrderError(InputError):
    """What was typed opens no order, or the order of another certificate."""

    code = "not_the_order_of_this_certificate"
    message = N_(
        "This is not the link of the order of this certificate. Nothing was erased."
        " Please copy the whole link that you kept when you ordered."
    )


@secret_page
def of_order(request: HttpRequest, token: str) -> HttpResponse:
    """Say what would be erased and what stays; when posted, erase it."""
    order = queries.order_by_token(token)
    if request.method == "POST":
        erase_order(order)
        return _see_other(request.path)
    code = certificates.code_of_order(order.ref)
    shown = {"order": order, "code": code, "erased": is_erased(order)}
    return render(request, "web/erase/order.html", shown)


@secret_page
def of_certificate(request: HttpRequest, code: str) -> HttpResponse:
    """Lead from a certificate to the order behind it: by this device's cookie or by its link."""
    certificate = certificates.by_code(code)
    order = queries.order_of_ref(certificate.order_ref) if certificate else None
    if certificate is None or order is None:
        raise OrderNotFoundError
    key = guest.guest_key_of(request)
    if key and key == order.guest_key:
        return _see_other(reverse("order_erase", args=[order.token]))
    shown: dict[str, object] = {"certificate": certificate, "erased": is_erased(order)}
    if request.method != "POST":
        return render(request, "web/erase/certificate.html", shown)
    if _opens(request.POST.get("link", ""), order):
        return _see_other(reverse("order_erase", args=[order.token]))
    if limits.one_miss_too_many(request):
        return errors.please_wait(request)
    shown["errors"] = [OtherOrderError(field="link")]
    return render(request, "web/erase/certificate.html", shown, status=422)


def _opens(typed: str, order: Order) -> bool:
    """Tell whether what was typed is the order's link, or the secret in it."""
    path = typed.strip()[:_LONGEST_TYPED].partition("?")[0].rstrip("/")
    token = path.removesuffix("/erase").rpartition("/")[2]
    return token == order.token


def _see_other(address: str) -> HttpResponse:
    response = HttpResponseRedirect(address)
    response.status_code = 303
    return response
