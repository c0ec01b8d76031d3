"""Finds the fonts that print certificates and posters, and tells which characters they can print.

Look-up order: the folders of the setting ``CERT_FONT_DIRS`` (environment variable
``DIANDIAN_CERT_FONT_DIRS``), then the font packages installed with the product, then the system.
The first place that holds any usable font wins, so that one machine always prints the same way.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fontTools.ttLib import TTFont

ENVIRONMENT_NAME = "DIANDIAN_CERT_FONT_DIRS"
# (package, folder inside it): Latin first, then simplified Chinese, then rare hanzi.
_PACKAGES = (
    ("fontpkg_inter", "files"),
    ("justmytype_intl_cjk", "fonts/ofl/notosanssc"),
    ("noto_cjk_sans_otc", ""),
)
_SYSTEM_DIRS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_SUFFIXES = (".ttf", ".otf", ".ttc")
# The families that the designs may name, in order of preference. Nothing else is ever used, so a
# font that happens to lie on the machine cannot change what is printed.
FAMILIES = ("Inter", "Noto Sans SC", "Noto Sans CJK SC")
REPLACEMENT = "□"


class NoFontsError(RuntimeError):
    """No usable font was found in any of the three places."""


def _configured_dirs() -> list[Path]:
    text = os.environ.get(ENVIRONMENT_NAME, "")
    dirs = [Path(part) for part in text.split(os.pathsep) if part]
    if not dirs and settings.configured:
        dirs = [Path(part) for part in getattr(settings, "CERT_FONT_DIRS", ())]
    return dirs


def _package_dirs() -> list[Path]:
    found = []
    for package, folder in _PACKAGES:
        spec = find_spec(package)
        if spec is not None and spec.origin:
            found.append(Path(spec.origin).parent / folder)
    return found


def _files_in(folders: list[Path]) -> list[Path]:
    return [
        path
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in _SUFFIXES
    ]


@contextmanager
def _faces(path: Path) -> Iterator[list[TTFont]]:
    # Loaded when a font is opened first: its import would cost every start a tenth of a second.
    from fontTools.ttLib import TTCollection, TTFont  # noqa: PLC0415

    source = TTCollection(path, lazy=True) if path.suffix.lower() == ".ttc" else None
    faces = list(source.fonts) if source else [TTFont(path, lazy=True)]
    try:
        yield faces
    finally:
        for face in [source] if source else faces:
            face.close()


def _family(face: TTFont) -> str:
    names = face["name"]
    # 16 is the typographic family, 1 the legacy one.
    return str(names.getDebugName(16) or names.getDebugName(1) or "")


def _is_usable(path: Path) -> bool:
    with _faces(path) as faces:
        return any(_family(face) in FAMILIES for face in faces)


@cache
def font_files() -> tuple[Path, ...]:
    """Return the font files in use, from the first place that has a family of ``FAMILIES``.

    Raises: NoFontsError when none of the places has one.
    """
    for folders in (_configured_dirs(), _package_dirs(), list(_SYSTEM_DIRS)):
        usable = tuple(path for path in _files_in(folders) if _is_usable(path))
        if usable:
            return usable
    raise NoFontsError(f"no font of {FAMILIES} was found; set {ENVIRONMENT_NAME}")


@cache
def printable_code_points() -> frozenset[int]:
    """Return every code point that at least one font in use can print."""
    points: set[int] = set()
    for path in font_files():
        with _faces(path) as faces:
            for face in faces:
                if _family(face) in FAMILIES:
                    points.update(face.getBestCmap() or {})
    return frozenset(points)


def missing_characters(text: str) -> str:
    """Return the characters of a text that no font can print, each once, in order."""
    known = printable_code_points()
    return "".join(dict.fromkeys(c for c in text if ord(c) not in known and c not in "\n\t"))


def printable(text: str) -> str:
    """Return the text with every unprintable character shown as a hollow square."""
    missing = missing_characters(text)
    return text.translate({ord(c): REPLACEMENT for c in missing}) if missing else text
