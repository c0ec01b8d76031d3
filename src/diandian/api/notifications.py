"""The address that gateways call: verify, keep, answer fast, in the gateway's own form."""

from datetime import timedelta
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from diandian.flows.payment_events import receive_notice
from diandian.ui import limits

BODY_LIMIT_BYTES = 65_536
# Gateways wait a few seconds for our answer, some five; what is not known by then the worker does.
_WITHIN = timedelta(milliseconds=800)


@require_POST
def receive(request: HttpRequest, gateway: str, merchant: str = "") -> HttpResponse:
    """Take a gateway's notice: 413 above 64 KiB, 404 for an address that is not in use.

    Of an address that sent many notices that were not believed, further such get 429; one that is
    believed is always taken.
    """
    try:
        body = _limited_body(request)
    except OSError:
        return _plain(HTTPStatus.BAD_REQUEST, b"unreadable")
    if body is None:
        return _plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"too large")
    ack = receive_notice(gateway, request.headers, body, merchant_key=merchant, within=_WITHIN)
    if ack.status >= HTTPStatus.BAD_REQUEST and limits.one_miss_too_many(request):
        return _plain(HTTPStatus.TOO_MANY_REQUESTS, b"too many")
    return _plain(ack.status, ack.body, ack.content_type)


def _limited_body(request: HttpRequest) -> bytes | None:
    """Read the body, never more than one byte above the limit; None when it is longer.

    Raises: OSError when it breaks off.
    """
    # Of a body in chunks nobody names the length, and Django would read none of it.
    is_chunked = "Transfer-Encoding" in request.headers and not request.META.get("CONTENT_LENGTH")
    stream = request.META["wsgi.input"] if is_chunked else request
    body = b""
    while len(body) <= BODY_LIMIT_BYTES:
        part: bytes = stream.read(BODY_LIMIT_BYTES + 1 - len(body))
        if not part:
            return body
        body += part
    return None


def _plain(status: int, body: bytes, content_type: str = "text/plain") -> HttpResponse:
    response = HttpResponse(body, status=status, content_type=content_type)
    response["Cache-Control"] = "no-store"
    return response
