"""Tables for spreadsheets: no cell is taken for a formula, and the file says that it is UTF-8."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.http import StreamingHttpResponse

# Spreadsheets take a file without this mark for the local code page.
_MARK = "\ufeff"


# With the full-width signs, which Chinese keyboards type and spreadsheets may take for the others.
_BEGIN_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(value: object) -> str:
    """Return a table cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_BEGIN_FORMULAS) else text


class _Echo:
    """Gives back each line that a csv writer hands over."""

    def write(self, line: str) -> str:
        return line


def lines(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Yield a table line by line, beginning with the names of its columns.

    A number stays one: only text can be taken for a formula.
    """
    writer = csv.writer(_Echo())
    yield _MARK + str(writer.writerow(columns))
    for row in rows:
        cells = (row[name] for name in columns)
        yield str(
            writer.writerow([each if type(each) is int else safe_cell(each) for each in cells])
        )


def download(parts: Iterable[str], name: str, content_type: str) -> StreamingHttpResponse:
    """Send a file part by part under a name; nobody keeps it for the next who asks."""
    response = StreamingHttpResponse((part.encode() for part in parts), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-cache"
    return response


def as_csv(
    name: str, columns: Sequence[str], rows: Iterable[Mapping[str, object]]
) -> StreamingHttpResponse:
    """Send rows as a table; ``name`` without its ending."""
    return download(lines(columns, rows), f"{name}.csv", "text/csv; charset=utf-8")
