"""Translations without GNU gettext: collect the texts, merge translations, compile what is read.

English is the source language, so the English catalogue stays empty and only marks the language as
present. Usage: ``messages.py update | merge FILE.json ... | compile | missing``.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from polib import POEntry, POFile

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "diandian"
LOCALE = PACKAGE / "locale"
SOURCE_LANGUAGE = "en"
# Rules as Django's own catalogues have them, so that the two merge.
PLURAL_FORMS = {
    "zh_Hans": "nplurals=1; plural=0;",
    "nl": "nplurals=2; plural=(n != 1);",
    "en": "nplurals=2; plural=(n != 1);",
}
_PLAIN = ("_", "N_", "gettext", "gettext_lazy", "gettext_noop")
_PLURAL = ("ngettext", "ngettext_lazy")
_CONTEXT = ("pgettext", "pgettext_lazy")
_CONTEXT_PLURAL = ("npgettext", "npgettext_lazy")
_KEYWORDS = dict.fromkeys((*_PLAIN, *_PLURAL, *_CONTEXT, *_CONTEXT_PLURAL))


@dataclass(frozen=True, order=True)
class Text:
    """What identifies one text to translate; ``context`` and ``plural`` may be empty."""

    msgid: str
    plural: str = ""
    context: str = ""


@dataclass
class Found:
    """Where a text stands, and what the author tells the translator."""

    files: set[str] = field(default_factory=set)
    comments: list[str] = field(default_factory=list)


def _text(function: str, arguments: object) -> Text | None:
    given = arguments if isinstance(arguments, tuple) else (arguments,)
    names = (
        ("context",) * (function in _CONTEXT + _CONTEXT_PLURAL)
        + ("msgid",)
        + ("plural",) * (function in _PLURAL + _CONTEXT_PLURAL)
    )
    parts = [part for part in given[: len(names)] if isinstance(part, str) and part]
    # A variable in place of a literal has no text to collect.
    if len(parts) < len(names):
        return None
    return Text(**dict(zip(names, parts, strict=True)))


def texts_in(source: str, *, template: bool = False) -> Iterator[tuple[Text, list[str]]]:
    """Yield each text of a Python file or Django template, with the translator's comments."""
    if template:
        from django.utils.translation.template import templatize  # noqa: PLC0415 - needs no settings

        source = str(templatize(source))
    stream = BytesIO(source.encode())
    found = extract_python(stream, _KEYWORDS, ["Translators:"], {"encoding": "utf-8"})
    for _, function, arguments, comments in found:
        text = _text(str(function), arguments)
        if text is not None:
            yield text, [str(line) for line in comments or ()]


def collect() -> dict[Text, Found]:
    """Return every text of the package."""
    # templatize asks Django for its settings only to know the charset of tag names.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diandian.config.settings")
    collected: dict[Text, Found] = {}
    files = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.html"), *PACKAGE.rglob("*.txt")]
    for path in sorted(files):
        if "migrations" in path.parts or (path.suffix != ".py" and "templates" not in path.parts):
            continue
        source = path.read_text(encoding="utf-8")
        for text, comments in texts_in(source, template=path.suffix != ".py"):
            found = collected.setdefault(text, Found())
            found.files.add(path.relative_to(ROOT).as_posix())
            found.comments += [line for line in comments if line not in found.comments]
    return collected


def catalogue_path(language: str) -> Path:
    """Return the .po file of a language folder name."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def languages() -> list[str]:
    """Return the languages that have a folder, and those the product is made with."""
    present = (
        {path.name for path in LOCALE.iterdir() if path.is_dir()} if LOCALE.is_dir() else set()
    )
    return sorted(present | set(PLURAL_FORMS))


def open_catalogue(language: str) -> POFile:
    """Return the catalogue of a language, a new one where there is none."""
    import polib  # noqa: PLC0415 - a tool of developers; compiling at set-up must do without it

    path = catalogue_path(language)
    catalogue: POFile = polib.pofile(str(path)) if path.exists() else polib.POFile()
    catalogue.wrapwidth = 100
    catalogue.metadata = {
        "Project-Id-Version": "diandian",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURAL_FORMS.get(language, "nplurals=2; plural=(n != 1);"),
    }
    return catalogue


def _key(entry: POEntry) -> Text:
    return Text(entry.msgid, entry.msgid_plural or "", entry.msgctxt or "")


def _new_entry(text: Text, language: str) -> POEntry:
    import polib  # noqa: PLC0415

    entry = polib.POEntry(msgid=text.msgid, msgctxt=text.context or None)
    if text.plural:
        entry.msgid_plural = text.plural
        forms = 1 if "nplurals=1" in PLURAL_FORMS.get(language, "") else 2
        entry.msgstr_plural = dict.fromkeys(range(forms), "")
    return entry


def refresh(catalogue: POFile, texts: dict[Text, Found], language: str) -> None:
    """Bring a catalogue in line with the texts. What is no longer used stays as obsolete."""
    known = {_key(entry): entry for entry in catalogue}
    entries = []
    for text, found in texts.items():
        entry = known.pop(text, None) or _new_entry(text, language)
        entry.obsolete = False
        # No line numbers: they would change with every edit.
        entry.occurrences = [(file, "") for file in sorted(found.files)]
        entry.comment = "\n".join(found.comments)
        entry.flags = [flag for flag in entry.flags if flag != "python-format"]
        if "%(" in text.msgid or "%(" in text.plural:
            entry.flags.append("python-format")
        entries.append(entry)
    for entry in known.values():
        if entry.msgstr or any((entry.msgstr_plural or {}).values()):
            entry.obsolete, entry.occurrences, entry.comment = True, [], ""
            entries.append(entry)
    entries.sort(key=lambda e: (e.obsolete, e.occurrences[:1], e.msgid, e.msgctxt or ""))
    catalogue.clear()
    catalogue.extend(entries)


def save(catalogue: POFile, language: str) -> None:
    """Write a catalogue to its place."""
    path = catalogue_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(path), newline="\n")


def missing(catalogue: POFile) -> list[POEntry]:
    """Return the entries in use that have no complete translation."""
    return [
        entry
        for entry in catalogue
        if not entry.obsolete
        and (
            entry.fuzzy
            or not (all(entry.msgstr_plural.values()) if entry.msgid_plural else entry.msgstr)
        )
    ]


def report_missing(limit: int = 40) -> int:
    """Print what has no translation yet; return how many texts that are."""
    total = 0
    for language in languages():
        if language == SOURCE_LANGUAGE:
            continue
        catalogue = open_catalogue(language)
        lacking = missing(catalogue)
        total += len(lacking)
        used = sum(not entry.obsolete for entry in catalogue)
        print(f"{language}: {used - len(lacking)} of {used} texts translated")
        for entry in lacking[:limit]:
            place = entry.occurrences[0][0] if entry.occurrences else "?"
            print(f"  missing  {place}: {entry.msgid!r}")
        if len(lacking) > limit:
            print(f"  ... and {len(lacking) - limit} more")
    return total


def update() -> None:
    """Collect the texts into every catalogue."""
    texts = collect()
    for language in languages():
        catalogue = open_catalogue(language)
        refresh(catalogue, texts, language)
        save(catalogue, language)
    print(f"{len(texts)} texts in {len(languages())} catalogues")


def _fill(entry: POEntry, translation: object) -> None:
    if isinstance(translation, list):
        entry.msgstr_plural = {number: str(form) for number, form in enumerate(translation)}
    else:
        entry.msgstr = str(translation)
    entry.flags = [flag for flag in entry.flags if flag != "fuzzy"]


def _offers(data: dict[str, object]) -> Iterator[tuple[Text, dict[str, object]]]:
    for msgid, translations in data.items():
        if msgid == "_plurals" and isinstance(translations, list):
            for item in translations:
                yield Text(item["msgid"], plural=item["plural"]), item
        elif isinstance(translations, dict):
            yield Text(msgid, context=str(translations.get("_context", ""))), translations


def merge(paths: Iterable[Path]) -> int:
    """Put translations from JSON files into the catalogues; return how many found no text."""
    update()
    catalogues = {language: open_catalogue(language) for language in languages()}
    indexes = {name: {_key(e): e for e in catalogue} for name, catalogue in catalogues.items()}
    unused: list[str] = []
    for path in paths:
        filled = 0
        for text, translations in _offers(json.loads(path.read_text(encoding="utf-8"))):
            entries = {name: index.get(text) for name, index in indexes.items()}
            if not any(entry and not entry.obsolete for entry in entries.values()):
                unused.append(f"{path.name}: {text.msgid!r}")
                continue
            for name, entry in entries.items():
                if entry is not None and translations.get(name):
                    _fill(entry, translations[name])
                    filled += 1
        print(f"{path.name}: {filled} translations merged")
    for name, catalogue in catalogues.items():
        save(catalogue, name)
    for line in unused:
        print(f"  no such text in the program, left out  {line}")
    return len(unused)


def compile_all() -> None:
    """Make the .mo of every catalogue that is newer than its .mo."""
    for po in sorted(LOCALE.glob("*/LC_MESSAGES/django.po")):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime:
            continue
        with po.open("rb") as source:
            catalogue = read_po(source, locale=po.parts[-3], abort_invalid=True)
        # Written beside and renamed: a reader never sees half a file.
        part = mo.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as target:
            write_mo(target, catalogue)
        part.replace(mo)
        print(f"      translations: {po.parts[-3]} compiled", file=sys.stderr)


def main(arguments: list[str]) -> int:
    """Run one verb; return the exit code."""
    verb, rest = (arguments or ["update"])[0], arguments[1:]
    if verb == "compile" and not rest:
        compile_all()
    elif verb == "update" and not rest:
        update()
        report_missing()
        compile_all()
    elif verb == "missing" and not rest:
        return 1 if report_missing() else 0
    elif verb == "merge" and rest:
        unused = merge(map(Path, rest))
        report_missing()
        compile_all()
        return 1 if unused else 0
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
