"""What was recalled, in public: a list, a page for each with numbers that add up, table and feed.

A recall stands here from its approval on. Retirements are named by number only; who holds them is
told on the certificates' own pages.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.kernel.errors import N_
from diandian.kernel.memory import ttl_cache
from diandian.registry.recalls import queries
from diandian.registry.recalls.errors import RecallNotFoundError
from diandian.registry.recalls.queries import Totals
from diandian.registry.serials import format_serial, gram_to_serial
from diandian.ui.cells import safe_cell
from diandian.web import context
from diandian.web.errors import not_found

PAGE_ROWS, _STREAMED_ROWS, _FEED_ROWS = 50, 1000, 50
KINDS = {
    "invalid": N_("The credits were not what they were said to be"),
    "reversal": N_("The carbon went back into the air"),
}
OUTCOMES = {
    "buffer": N_("from the buffer"),
    "replaced": N_("replaced"),
    "short": N_("short"),
}
COLUMNS = (
    "retirement",
    "step",
    "outcome",
    "affected_g",
    "remedied_g",
    "short_g",
    "replacement",
    "at",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A recall as pages show it. ``percent``: how much of it was worked off."""

    recall: Any
    why: str
    kind: str
    serials: str
    totals: Totals

    @property
    def percent(self) -> int:
        """Return the part of its retirements that have an answer, rounded down."""
        return self.totals.answered * 100 // max(1, self.totals.retirements)


@ttl_cache(5)
def _totals(recall_id: int, public_id: str) -> Totals:
    assert recall_id, "a recall that is on record"
    return queries.totals_of(queries.recall_by_public_id(public_id))


def _shown(recall: Any) -> Shown:  # noqa: ANN401 - a row of the registry
    return Shown(
        recall=recall,
        why=context.words(recall.texts),
        kind=gettext(KINDS[recall.kind]),
        serials=_serials(recall),
        totals=_totals(recall.id, recall.public_id),
    )


def _serials(recall: Any) -> str:  # noqa: ANN401 - a row of the registry
    """Return the recalled serials, as their registry writes them."""
    block = recall.batch.serial_block
    first, _ = gram_to_serial(block.first, recall.start_g)
    last, _ = gram_to_serial(block.first, recall.end_g - 1)
    if first == last:
        return format_serial(block, first)
    return f"{format_serial(block, first)} – {format_serial(block, last)}"


def recall_list(request: HttpRequest) -> HttpResponse:
    """Show every recall, newest first."""
    found = [_shown(recall) for recall in queries.recalls()]
    return render(request, "web/recalls/list.html", {"recalls": found})


def recall_page(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one recall: why, what it met, what was done, how far the work is."""
    try:
        recall = queries.recall_by_public_id(public_id, public_only=True)
    except RecallNotFoundError:
        return not_found(request)
    after = request.GET.get("after", "")
    after_id = int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else 0  # noqa: PLR2004 - fits the column
    steps = queries.steps_of(recall, after_id=after_id, limit=PAGE_ROWS + 1)
    rows = steps[:PAGE_ROWS]
    address = reverse("recall", args=[recall.public_id])
    shown = {
        "shown": _shown(recall),
        "rows": [(row, gettext(OUTCOMES[row.outcome])) for row in rows],
        "next_url": f"{address}?after={rows[-1].id}" if len(steps) > PAGE_ROWS else "",
        "first_url": address if after_id else "",
    }
    return render(request, "web/recalls/page.html", shown)


def latest_of(project: Any) -> list[Any]:  # noqa: ANN401 - a row of the registry
    """Return the recalls of a project, for its page."""
    return queries.recalls_of_project(project)


@ttl_cache(5)
def at_work() -> int:
    """Return how many recalls are being worked off, for the status page."""
    return len(queries.running_recalls())


# Table and feed ----------------------------------------------------------------------------------


class _Echo:
    """Gives back each line that a csv writer hands over."""

    def write(self, line: str) -> str:
        return line


def _csv_lines(recall: Any) -> Iterator[str]:  # noqa: ANN401 - a row of the registry
    writer = csv.writer(_Echo())
    # Spreadsheets take a file without this mark for the local code page.
    yield "\ufeff" + str(writer.writerow(COLUMNS))
    after_id = 0
    while rows := queries.steps_of(recall, after_id=after_id, limit=_STREAMED_ROWS):
        for row in rows:
            cells = (
                row.retirement.public_id,
                row.step,
                row.outcome,
                row.affected_g,
                row.remedied_g,
                row.short_g,
                row.replacement.public_id if row.replacement else "",
                row.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            )
            yield str(writer.writerow([safe_cell(cell) for cell in cells]))
        after_id = rows[-1].id


def as_csv(request: HttpRequest, public_id: str) -> HttpResponse | StreamingHttpResponse:
    """Send every step of a recall as a table."""
    try:
        recall = queries.recall_by_public_id(public_id, public_only=True)
    except RecallNotFoundError:
        return not_found(request)
    parts = (line.encode() for line in _csv_lines(recall))
    response = StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8")
    name = f"diandian-recall-{recall.public_id}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-cache"
    return response


def feed(_request: HttpRequest) -> HttpResponse:
    """Send the newest recalls as an Atom feed, in the visitor's language.

    *Source:* RFC 4287.
    """
    base, lang = settings.BASE_URL, context.language()
    found = queries.recalls()[:_FEED_ROWS]
    updated = max((_moment(recall) for recall in found), default="2026-01-01T00:00:00Z")
    entries = "".join(_entry(_shown(recall), base) for recall in found)
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{lang}">'
        f"<id>{escape(base)}/recalls</id><title>{escape(gettext('Recalls'))} · Diandian</title>"
        f"<updated>{updated}</updated>"
        f'<link rel="self" href="{escape(base)}/recalls/feed"/>'
        f'<link rel="alternate" href="{escape(base)}/recalls"/>'
        f"<author><name>Diandian</name></author>{entries}</feed>\n"
    )
    response = HttpResponse(text, content_type="application/atom+xml; charset=utf-8")
    response["Cache-Control"] = "public, max-age=60"
    return response


def _moment(recall: Any) -> str:  # noqa: ANN401 - a row of the registry
    return str((recall.finished_at or recall.approved_at).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _entry(shown: Shown, base: str) -> str:
    recall = shown.recall
    address = escape(f"{base}/recalls/{recall.public_id}")
    title = escape(f"{context.words(recall.batch.project.names)}: {shown.serials}")
    return (
        f"<entry><id>{address}</id><title>{title}</title><updated>{_moment(recall)}</updated>"
        f"<published>{recall.approved_at:%Y-%m-%dT%H:%M:%SZ}</published>"
        f'<link href="{address}"/><summary>{escape(shown.why)}</summary></entry>'
    )
