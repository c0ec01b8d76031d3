"""How people are spoken to: in Chinese guests politely, colleagues as such; in Dutch all alike."""

import re
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parents[2]
CHINESE, DUTCH = (
    ROOT / f"src/diandian/locale/{language}/LC_MESSAGES/django.po" for language in ("zh_Hans", "nl")
)
_STIFF = re.compile(r"\b[Uu]w?\b")


def texts(*rooms: str) -> dict[str, str]:
    """Return what stands below some folders only, by its English text."""
    return {
        entry.msgid: " ".join([entry.msgstr, *entry.msgstr_plural.values()])
        for entry in polib.pofile(CHINESE)
        if entry.occurrences and all(file.startswith(rooms) for file, _ in entry.occurrences)
    }


def test_guests_are_spoken_to_politely():
    shown = texts("src/diandian/web/", "src/diandian/ui/", "src/diandian/claims/")
    assert len(shown) > 500
    assert [english for english, chinese in shown.items() if "你" in chinese] == []


def test_colleagues_at_the_desks_are_spoken_to_as_colleagues():
    shown = texts("src/diandian/office/")
    assert len(shown) > 500
    assert [english for english, chinese in shown.items() if "您" in chinese] == []


def test_nobody_is_spoken_to_stiffly_in_dutch():
    entries = [entry for entry in polib.pofile(DUTCH) if entry.occurrences]
    assert len(entries) > 2000
    written = {
        entry.msgid: " ".join([entry.msgstr, *entry.msgstr_plural.values()]) for entry in entries
    }
    assert [english for english, dutch in written.items() if _STIFF.search(dutch)] == []
