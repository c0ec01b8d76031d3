"""Calendar files to look again at a sold-out project, or to try something: we keep no addresses.

*Source:* RFC 5545 (lines end in CR LF and hold at most 75 bytes).
"""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from diandian.kernel.clock import business_day, now
from diandian.kernel.errors import NotFoundError
from diandian.registry import queries
from diandian.web import context
from diandian.web.errors import not_found

_DAYS_AHEAD = 14
_LINE_BYTES = 75


def _escaped(text: str) -> str:
    for mark in ("\\", ";", ","):
        text = text.replace(mark, "\\" + mark)
    return text.replace("\r", "").replace("\n", "\\n")


def _folded(line: str) -> str:
    """Break a line into pieces of at most 75 bytes, never inside a letter."""
    pieces, piece, size = [], "", 0
    for letter in line:
        width = len(letter.encode())
        if size + width > _LINE_BYTES:
            pieces.append(piece)
            piece, size = "", 1
        piece, size = piece + letter, size + width
    return "\r\n ".join([*pieces, piece])


def look_again(request: HttpRequest, code: str) -> HttpResponse:
    """Send an all-day reminder two weeks ahead, with the project's address."""
    try:
        project = queries.project_by_code(code)
    except NotFoundError:
        return not_found(request)
    address = settings.BASE_URL + reverse("project", args=[project.code])
    title = gettext("Look again: %(name)s") % {"name": context.words(project.names)}
    return calendar(project.code, title, address)


def calendar(name: str, title: str, address: str) -> HttpResponse:
    """Return an all-day reminder two weeks ahead. ``name``: of the file, and of the entry."""
    day = business_day() + timedelta(days=_DAYS_AHEAD)
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Diandian//Reminder//EN",
        "BEGIN:VEVENT",
        f"UID:{name}-{day.isoformat()}@diandian",
        f"DTSTAMP:{now():%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"SUMMARY:{_escaped(title)}",
        f"URL:{address}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    text = "".join(f"{_folded(line)}\r\n" for line in lines)
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="diandian-{name}.ics"'
    return response
