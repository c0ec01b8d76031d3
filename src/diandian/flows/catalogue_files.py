"""Programmes and projects from a JSON file: looked at first, then all of them or none.

What is on record already must be the same; a catalogue is corrected by people who see both.
*Source:* design of the registry, section 3.1.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from django.db import transaction

from diandian.flows.issuance import open_programme, open_project
from diandian.registry.errors import CatalogueError
from diandian.registry.models import Programme, Project
from diandian.registry.serials import numberings

MOST_BYTES = 1_000_000
# Of which there is a picture.
KINDS = ("solar", "wind", "biogas", "forest", "biochar", "other")
LEVELS = ("international", "national", "provincial", "city")
_LANGUAGES = ("zh-Hans", "en", "nl")
_MOST_WORDS = 3000
# Ends of lines, and the spaces that keep a number and its unit together.
_SPACES = "\n\u00a0\u202f\u3000"


@dataclass(frozen=True, slots=True)
class Listed:
    """A programme or project of the file; ``state``: "new" or "known"."""

    kind: str
    code: str
    state: str


# --- values -------------------------------------------------------------------------------------


def _refuse(where: str, why: str) -> NoReturn:
    raise CatalogueError(field="file", where=where, why=why)


def _texts(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or set(value) != set(_LANGUAGES):
        _refuse(where, "it needs a text in zh-Hans, en and nl")
    for text in value.values():
        if not isinstance(text, str) or not 0 < len(text.strip()) <= _MOST_WORDS:
            _refuse(where, "a text is missing or too long")
        if not all(sign.isprintable() or sign in _SPACES for sign in text):
            _refuse(where, "a text has signs that nobody can see")
    return {language: value[language].strip() for language in _LANGUAGES}


def _matching(form: str, said: str) -> Callable[[object, str], str]:
    pattern = re.compile(form)

    def read(value: object, where: str) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value) or not value.isprintable():
            _refuse(where, said)
        return value

    return read


def _one_of(words: tuple[str, ...]) -> Callable[[object, str], str]:
    def read(value: object, where: str) -> str:
        if value not in words:
            _refuse(where, f"it is none of {', '.join(words)}")
        return str(value)

    return read


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        _refuse(where, "it is not true or false")
    return value


def _degrees(most: int) -> Callable[[object, str], Decimal]:
    def read(value: object, where: str) -> Decimal:
        try:
            found = Decimal(value if isinstance(value, str) else "")
        except InvalidOperation:
            _refuse(where, 'it is not a number of degrees in quotes, such as "30.574500"')
        if not found.is_finite() or abs(found) > most:
            _refuse(where, f"it is not within {most} degrees")
        return found.quantize(Decimal("0.000001"))

    return read


_PLAIN = r"[^\x00-\x1f\x7f]"
_URL = _matching(r"https?://[^\s\"'<>]{1,190}", "it is not an address with https://")
_PROGRAMME: dict[str, tuple[Callable[[object, str], Any], object]] = {
    "names": (_texts, ...),
    "level": (_one_of(LEVELS), ...),
    "serial_parser": (_one_of(tuple(sorted(numberings()))), "generic"),
    "retires_whole_units": (_flag, True),
    "registry_url": (_URL, ""),
    "is_simulated": (_flag, False),
}
_PROJECT: dict[str, tuple[Callable[[object, str], Any], object]] = {
    **dict.fromkeys(
        ("names", "category_names", "place_names", "descriptions", "supplier_names"),
        (_texts, ...),
    ),
    "supplier_ref": (_matching(r"[A-Za-z0-9._:-]{1,60}", "it is not a reference"), ...),
    "kind": (_one_of(KINDS), ...),
    "methodology_code": (_matching(_PLAIN + "{1,60}", "it is missing or too long"), ...),
    "registry_number": (_matching(_PLAIN + "{0,40}", "it is too long"), ""),
    "country": (_matching("[A-Z]{2}", "it is not a country's two letters"), ...),
    "region": (_matching("[A-Z]{2}-[A-Z0-9]{1,3}", "it is not a region such as CN-SC"), ...),
    "latitude": (_degrees(90), ...),
    "longitude": (_degrees(180), ...),
    "is_active": (_flag, True),
    "is_sample": (_flag, False),
}
_CODE = _matching(r"[A-Z0-9][A-Z0-9._-]{0,19}", "a programme's code is of A-Z, 0-9, . _ -")
_SLUG = _matching(r"[a-z0-9][a-z0-9-]{0,39}", "a project's code is of a-z, 0-9 and -")


def _facts(entry: object, where: str, columns: Mapping[str, Any], own: set[str]) -> dict[str, Any]:
    if not isinstance(entry, dict):
        _refuse(where, "it is not an object")
    unknown = sorted(set(entry) - set(columns) - own)
    if unknown:
        _refuse(where, f"it has no member {unknown[0][:40]!r}")
    facts = {}
    for name, (read, default) in columns.items():
        if name in entry:
            facts[name] = read(entry[name], f"{where}.{name}")
        elif default is ...:
            _refuse(f"{where}.{name}", "it is missing")
        else:
            facts[name] = default
    return facts


# --- files --------------------------------------------------------------------------------------


def look_at(data: bytes, *, actor_ref: str) -> list[Listed]:
    """Say what a file would enter; nothing is entered. Raises: CatalogueError."""
    with transaction.atomic():
        listed = _enter(_parsed(data), actor_ref)
        transaction.set_rollback(True)
    return listed


@transaction.atomic
def enter(data: bytes, *, actor_ref: str) -> list[Listed]:
    """Enter every programme and project of a file, or none.

    Idempotent by: their codes; the same file again changes nothing. Raises: CatalogueError.
    """
    return _enter(_parsed(data), actor_ref)


def _parsed(data: bytes) -> dict[str, list[object]]:
    if len(data) > MOST_BYTES:
        _refuse("file", "it is larger than 1 MB")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        _refuse("file", "it is not JSON")
    if not isinstance(found, dict) or not set(found) <= {"programmes", "projects"}:
        _refuse("file", "it is not an object with programmes and projects")
    parts = {name: found.get(name, []) for name in ("programmes", "projects")}
    if not all(isinstance(part, list) for part in parts.values()) or not any(parts.values()):
        _refuse("file", "its programmes and projects are not lists, or empty")
    return parts


def _enter(parts: Mapping[str, list[object]], actor_ref: str) -> list[Listed]:
    listed = []
    for at, entry in enumerate(parts["programmes"]):
        where = f"programmes[{at}]"
        facts = _facts(entry, where, _PROGRAMME, {"code"})
        code = _CODE(entry.get("code"), f"{where}.code")  # type: ignore[attr-defined]
        earlier = Programme.objects.filter(code=code).first()
        _same(earlier, facts, where)
        if earlier is None:
            open_programme(code=code, actor_ref=actor_ref, **facts)
        listed.append(Listed("programme", code, "known" if earlier else "new"))
    for at, entry in enumerate(parts["projects"]):
        where = f"projects[{at}]"
        facts = _facts(entry, where, _PROJECT, {"code", "programme"})
        code = _SLUG(entry.get("code"), f"{where}.code")  # type: ignore[attr-defined]
        issuer = str(entry.get("programme"))  # type: ignore[attr-defined]
        programme = Programme.objects.filter(code=issuer).first() if issuer.isprintable() else None
        if programme is None:
            _refuse(f"{where}.programme", "no programme has this code")
        known = Project.objects.filter(code=code).first()
        _same(known, facts | {"programme_id": programme.id}, where)
        if known is None:
            open_project(programme=programme, code=code, actor_ref=actor_ref, **facts)
        listed.append(Listed("project", code, "known" if known else "new"))
    return listed


def _same(earlier: object, facts: Mapping[str, object], where: str) -> None:
    if earlier is None:
        return
    for name, value in facts.items():
        if getattr(earlier, name) != value:
            _refuse(f"{where}.{name}", "it is on record already with something else there")
