"""Runs the typesetter: one JSON value in, one PDF or PNG out, the same bytes for the same input.

A compiler is not safe to share between threads, so each thread keeps its own; all share one set of
fonts. The typesetter cannot be interrupted from Python. What bounds its time is its input: designs
are ours, data is limited in size before, and output in pages and bytes after; the typesetter itself
stops loops that do not end.
"""

import json
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import typst

import diandian
from diandian.kernel.errors import N_, DiandianError, Fixer
from diandian.ui import fonts

ROOT = Path(diandian.__file__).parent
PDF_STANDARDS: list[Any] = ["a-3a", "ua-1"]
MAX_INPUT_BYTES = 512 * 1024
MAX_OUTPUT_BYTES = 4 * 1024 * 1024
MAX_ATTACHMENT_BYTES = 256 * 1024
# At 72 points to the inch a page of 1080 points is 1080 pixels wide.
PNG_PPI = 72.0


class TypesettingError(DiandianError):
    """The document could not be made; the record behind it is untouched."""

    code = "typesetting_failed"
    message = N_(
        "The document could not be made just now. The record is safe and nothing was changed. "
        "Please try again later."
    )
    fixer = Fixer.DEVELOPER
    retryable = True

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail=detail)

    def text(self) -> str:
        """Return the sentence with the typesetter's own words, for logs."""
        return f"{self.message} [{self.params['detail']}]"


@cache
def _shared_fonts() -> typst.Fonts:
    folders = dict.fromkeys(str(path.parent) for path in fonts.font_files())
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=list(folders)
    )


_local = threading.local()


def _compiler() -> typst.Compiler:
    compiler: typst.Compiler | None = getattr(_local, "compiler", None)
    if compiler is None:
        compiler = typst.Compiler(
            root=str(ROOT), font_paths=_shared_fonts(), ignore_system_fonts=True
        )
        _local.compiler = compiler
    return compiler


def _printable(value: object) -> object:
    if isinstance(value, str):
        return fonts.printable(value)
    if isinstance(value, Mapping):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(item) for item in value]
    return value


def _inputs(data: Mapping[str, object], picture: str, attachment: bytes) -> dict[str, str]:
    text = json.dumps(_printable(data), ensure_ascii=False)
    if len(text) + len(picture) > MAX_INPUT_BYTES or len(attachment) > MAX_ATTACHMENT_BYTES:
        raise TypesettingError("the data is too large for one page")
    return {
        "data": text,
        "families": json.dumps(fonts.FAMILIES),
        "picture": picture,
        "attachment": attachment.decode(),
    }


def _run(design: Path, inputs: dict[str, str], **options: Any) -> bytes:  # noqa: ANN401 - theirs
    try:
        result = _compiler().compile(input=str(design), sys_inputs=inputs, **options)
    except typst.TypstError as error:
        raise TypesettingError(f"{design.name}: {error.message}") from error
    if not isinstance(result, bytes):
        pages = len(result) if result else 0
        raise TypesettingError(f"{design.name}: {pages} pages instead of one")
    if len(result) > MAX_OUTPUT_BYTES:
        raise TypesettingError(f"{design.name}: {len(result)} bytes are too many")
    return result


def render_pdf(
    design: Path,
    data: Mapping[str, object],
    *,
    created_at: datetime,
    picture: str = "",
    attachment: bytes = b"",
) -> bytes:
    """Return a tagged PDF/A-3a and PDF/UA-1 file made by one design from one JSON value.

    ``created_at`` is the document's date and must come from the data: then the bytes repeat.
    ``picture`` is SVG text that is the same for many documents; ``attachment`` is UTF-8 text that
    the design may attach.
    Raises: TypesettingError.
    """
    inputs = _inputs(data, picture, attachment)
    return _run(design, inputs, format="pdf", pdf_standards=PDF_STANDARDS, timestamp=created_at)


def render_png(design: Path, data: Mapping[str, object], *, picture: str = "") -> bytes:
    """Return a PNG of one page, one pixel a point. Raises: TypesettingError."""
    return _run(design, _inputs(data, picture, b""), format="png", ppi=PNG_PPI)
