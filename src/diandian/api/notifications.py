"""The address that gateways call: verify, keep, answer fast, in the gateway's own form."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from diandian.flows.payment_events import receive_notice

BODY_LIMIT_BYTES = 65_536


@require_POST
def receive(request: HttpRequest, gateway: str) -> HttpResponse:
    """Take a gateway's notice; 413 above 64 KiB, 404 for a gateway that is not in use."""
    body = _limited_body(request)
    if body is None:
        return _plain(413, b"too large")
    ack = receive_notice(gateway, request.headers, body)
    return _plain(ack.status, ack.body, ack.content_type)


def _limited_body(request: HttpRequest) -> bytes | None:
    """Read the body, never more than one byte above the limit; None when it is longer."""
    body: bytes = request.read(BODY_LIMIT_BYTES + 1)
    return body if len(body) <= BODY_LIMIT_BYTES else None


def _plain(status: int, body: bytes, content_type: str = "text/plain") -> HttpResponse:
    response = HttpResponse(body, status=status, content_type=content_type)
    response["Cache-Control"] = "no-store"
    return response
