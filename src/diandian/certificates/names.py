"""The name on a certificate: cleaned a little, or refused politely before anybody has paid.

Cleaned silently: white space, control characters, invisible and direction marks, variation
selectors. Refused with the characters shown: emoji, and scripts that our fonts cannot print.
Nothing is ever dropped that a reader would miss. An empty name is a guest.
"""

import re
import unicodedata

from django.utils.translation import gettext_lazy as _

from diandian.kernel.errors import N_, InputError
from diandian.ui import fonts

MAX_CHARACTERS = 24
# Legal names are longer than people's; the designs give them a second and a third line.
MAX_LEGAL_CHARACTERS = 60
# The columns of the books hold this many code points: marks count there, readers do not count them.
_MAX_CODE_POINTS = {MAX_CHARACTERS: 60, MAX_LEGAL_CHARACTERS: 120}
_MAX_RAW = 2_000
# More marks on one letter than any language needs would run into the lines above.
_MAX_MARKS = 3
_SHOWN = 8
_FIELD = "display_name"
_SPACES = re.compile(r"\s+")
_EMOJI = (
    (0x1F000, 0x1FAFF),
    (0x2600, 0x27BF),
    (0x2B00, 0x2BFF),
    (0x1F1E6, 0x1F1FF),
    (0x20E3, 0x20E3),
    (0xE0020, 0xE007F),
)
# Variation selectors, and the joiner that shows nothing.
_VARIATION = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF), (0x180B, 0x180F), (0x034F, 0x034F))
# Scripts by the first word of their characters' Unicode names.
_SCRIPTS = {
    "ARABIC": _("Arabic script"),
    "HEBREW": _("Hebrew script"),
    "THAI": _("Thai script"),
    "LAO": _("Lao script"),
    "KHMER": _("Khmer script"),
    "MYANMAR": _("Myanmar script"),
    "TIBETAN": _("Tibetan script"),
    "MONGOLIAN": _("Mongolian script"),
    "DEVANAGARI": _("Devanagari script"),
    "BENGALI": _("Bengali script"),
    "TAMIL": _("Tamil script"),
    "GEORGIAN": _("Georgian script"),
    "ARMENIAN": _("Armenian script"),
    "ETHIOPIC": _("Ethiopic script"),
    "YI": _("Yi script"),
    "UIGHUR": _("Uighur script"),
}


class UnprintableNameError(InputError):
    """A name that cannot stand on a certificate."""

    def __init__(self, **params: object) -> None:
        super().__init__(field=_FIELD, **params)


class NameTooLongError(UnprintableNameError):
    """More characters than fit in a readable size."""

    code = "name_too_long"
    message = N_(
        "This name has %(length)s characters; a certificate holds %(limit)s. "
        "Nothing was saved. Please shorten it."
    )


class NameEmojiError(UnprintableNameError):
    """Emoji cannot be printed in the certificate's fonts."""

    code = "name_emoji"
    message = N_(
        "The printed certificate cannot show %(characters)s. "
        "Nothing was saved. Please write the name without it."
    )


class NameScriptError(UnprintableNameError):
    """A whole script that the certificate's fonts lack; ``script`` is translated when shown."""

    code = "name_script"
    message = N_(
        "We are sorry: our certificate cannot print %(script)s yet (%(characters)s). "
        "Nothing was saved. Please write the name in Latin or Chinese letters."
    )


class NameCharactersError(UnprintableNameError):
    """Single characters that the fonts lack, or marks piled on one letter."""

    code = "name_characters"
    message = N_(
        "We are sorry: our certificate cannot print %(characters)s. "
        "Nothing was saved. Please write the name without these characters."
    )


def _within(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= ord(character) <= high for low, high in ranges)


def _visible(character: str) -> str:
    """Return what is left of one character: itself, a space, or nothing."""
    category = unicodedata.category(character)
    if category in {"Zs", "Zl", "Zp"} or character in "\t\n\r\x0b\x0c\x85":
        return " "
    if category in {"Cc", "Cf"} and not _within(character, _EMOJI):
        return ""
    return "" if _within(character, _VARIATION) else character


def _show(characters: str) -> str:
    shown = [c if c.isprintable() else f"U+{ord(c):04X}" for c in characters[:_SHOWN]]
    return " ".join(shown) + (" …" if characters[_SHOWN:] else "")


def _is_mark(character: str) -> bool:
    """Tell whether a character stands on the one before; some invisible ones join, class 0."""
    return bool(unicodedata.combining(character)) or unicodedata.category(character) in {"Mn", "Me"}


def _length(text: str) -> int:
    """Count what a reader counts: letters with their marks."""
    return sum(1 for character in text if not _is_mark(character))


def _refuse_piled_marks(text: str) -> None:
    run = ""
    for character in text:
        run = run + character if _is_mark(character) else ""
        if len(run) > _MAX_MARKS:
            raise NameCharactersError(characters=_show(run))


def _refuse_unprintable(text: str) -> None:
    emoji = "".join(dict.fromkeys(c for c in text if _within(c, _EMOJI)))
    if emoji:
        raise NameEmojiError(characters=_show(emoji))
    missing = fonts.missing_characters(text) or "".join(
        c for c in text if unicodedata.category(c) == "Co"
    )
    if not missing:
        return
    scripts = {unicodedata.name(c, "").split(" ", 1)[0] for c in missing}
    if len(scripts) == 1 and (script := scripts.pop()) in _SCRIPTS:
        raise NameScriptError(script=_SCRIPTS[script], characters=_show(missing))
    raise NameCharactersError(characters=_show(missing))


def clean_display_name(text: str, *, limit: int = MAX_CHARACTERS) -> str:
    """Return the name as it will be printed, or "" for a guest.

    ``limit``: ``MAX_CHARACTERS`` for a person, ``MAX_LEGAL_CHARACTERS`` for an organisation.

    Raises: NameTooLongError, NameEmojiError, NameScriptError, NameCharactersError; all name the
    field and say what to change.
    """
    if len(text) > _MAX_RAW:
        raise NameTooLongError(length=len(text), limit=limit)
    visible = "".join(map(_visible, unicodedata.normalize("NFC", text)))
    name = unicodedata.normalize("NFC", _SPACES.sub(" ", visible).strip())
    _refuse_unprintable(name)
    _refuse_piled_marks(name)
    length = _length(name)
    if length <= limit and len(name) > _MAX_CODE_POINTS[limit]:
        raise NameCharactersError(characters=_show("".join(dict.fromkeys(filter(_is_mark, name)))))
    if length > limit:
        raise NameTooLongError(length=length, limit=limit)
    return name
