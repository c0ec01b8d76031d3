"""Signing in with a code by e-mail: no password to invent, lose or leak.

The same pages for addresses that we know and that we do not. A session is only ever begun here, and
its key is a new one then, so that nobody can plant one.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from diandian.flows import sign_in as flow
from diandian.kernel.clock import now
from diandian.kernel.errors import N_, DiandianError, InputError
from diandian.office.host import mail
from diandian.office.host.pages import PERSON, go, private, visitor_of
from diandian.people import queries
from diandian.people.errors import CodeGoneError, WrongCodeError
from diandian.ui import limits

_SAMPLE = "sample_code"
_LONGEST_NEXT = 120


class PleaseWaitError(InputError):
    """Too much from one network."""

    code = "please_wait"
    retryable = True
    message = N_(
        "Signing in was tried very often from your network. You were not signed in. Please wait a"
        " quarter of an hour and try again."
    )


def _next(request: HttpRequest) -> str:
    """Return the page of this desk to go to afterwards; addresses of others are forgotten."""
    wanted = (request.POST.get("next") or request.GET.get("next", ""))[:_LONGEST_NEXT]
    plain = wanted.replace("/", "").replace("-", "")
    own = wanted.startswith("/host/") and plain.isascii() and plain.isalnum()
    return wanted if own and not wanted.startswith("/host/sign") else reverse("host")


def ask(request: HttpRequest) -> HttpResponse:
    """Ask for the address; when posted, send a code and lead to where it is typed."""
    if request.method != "POST":
        if visitor_of(request):
            return private(go("host"))
        return _ask_page(request)
    if limits.too_many_codes(request):
        return _ask_page(request, PleaseWaitError(field="email"), status=429)
    try:
        row, code = flow.ask(request.POST.get("email", ""))
        mail.send_code(row.email, code)
    except DiandianError as error:
        return _ask_page(request, error, status=422)
    if mail.is_shown_instead():
        request.session[_SAMPLE] = {"token": row.token, "code": code}
    response = go("host_code", row.token)
    response["Location"] += "?" + urlencode({"next": _next(request)})
    return private(response)


def _ask_page(
    request: HttpRequest, error: DiandianError | None = None, status: int = 200
) -> HttpResponse:
    shown = {
        "email": request.POST.get("email", "")[:254],
        "next": _next(request),
        "errors": [error] if error else [],
        "no_mail": mail.is_shown_instead(),
    }
    return private(render(request, "office/host/sign_in.html", shown, status=status))


def code(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for the code; when it is right, begin the session and lead to the desk."""
    if request.method != "POST":
        try:
            queries.waiting_code(token, now())
        except CodeGoneError as error:
            return _code_page(request, token, error, status=410)
        return _code_page(request, token)
    if limits.too_many_wrong_codes(request):
        return _code_page(request, token, PleaseWaitError(field="code"), status=429)
    try:
        person = flow.sign_in(token, request.POST.get("code", ""))
    except WrongCodeError as error:
        limits.note_wrong_code(request)
        return _code_page(request, token, error, status=422)
    except CodeGoneError as error:
        return _code_page(request, token, error, status=410)
    request.session.pop(_SAMPLE, None)
    request.session.cycle_key()
    request.session[PERSON] = person.id
    response = go("host")
    response["Location"] = _next(request)
    return private(response)


def _code_page(
    request: HttpRequest, token: str, error: DiandianError | None = None, status: int = 200
) -> HttpResponse:
    sample = request.session.get(_SAMPLE) or {}
    own = mail.is_shown_instead() and sample.get("token") == token
    shown = {
        "token": token,
        "next": _next(request),
        "errors": [error] if error else [],
        "gone": isinstance(error, CodeGoneError),
        "sample_code": sample.get("code", "") if own else "",
    }
    return private(render(request, "office/host/code.html", shown, status=status))


@require_POST
def out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    request.session.flush()
    return private(go("host_sign_in"))
