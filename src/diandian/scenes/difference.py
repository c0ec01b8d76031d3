"""What differs between two versions of a scene, in words: label, before, after."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import get_language, gettext

from diandian.kernel.errors import N_
from diandian.scenes import facts
from diandian.scenes.models import SceneVersion
from diandian.scenes.rules import LANGUAGES
from diandian.ui.format import canonical_lang, day, number, pick

LABELS = {
    "names": N_("Name"),
    "host_names": N_("Host"),
    "venue_names": N_("Hall, street or house"),
    "city_names": N_("City"),
    "starts_on": N_("First day"),
    "ends_on": N_("Last day"),
    "expected_guests": N_("Guests expected"),
    "travel_owner": N_("Who answers for travel and nights"),
    "claim_style": N_("Words that may be used"),
}
_OWNERS = {
    "guest": N_("each guest"),
    "organiser": N_("the host"),
    "split": N_("the host for %(pct)s %%, each guest for the rest"),
}
_STYLES = {
    "compensation": N_("as the place allows"),
    "contribution": N_("of contribution only"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a difference. ``language``: of a text that stands in one, else ""."""

    label: str
    before: str
    after: str
    language: str = ""


def rows(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Row]:
    """Return what differs between the facts of two versions, in the reader's language."""
    lang = canonical_lang(get_language() or "en")
    return [
        row for change in facts.changes(before, after) for row in _rows(change, before, after, lang)
    ]


def whole(of: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return every fact of one version as label and words."""
    lang = canonical_lang(get_language() or "en")
    found = []
    for key in facts.SHOWN:
        if key == "city_names":
            said = _city(of, lang)
        elif key == "travel_owner":
            said = _said(key, [of[key], of["travel_organiser_pct"]], lang)
        elif isinstance(of[key], Mapping):
            said = _plain(pick(of[key], lang))
        else:
            said = _said(key, of[key], lang)
        found.append((gettext(LABELS[key]), said))
    return found


def history(versions: Sequence[SceneVersion]) -> list[tuple[SceneVersion, list[Row]]]:
    """Return each version, newest first, with what differs from the one before it."""
    earlier = [version.facts for version in versions[1:]] + [
        version.facts for version in versions[-1:]
    ]
    return [
        (version, rows(before, version.facts))
        for version, before in zip(versions, earlier, strict=True)
    ]


def _rows(
    change: facts.Change, before: Mapping[str, Any], after: Mapping[str, Any], lang: str
) -> Iterator[Row]:
    label = gettext(LABELS[change.key])
    if change.key in {"names", "host_names", "venue_names"}:
        for language in LANGUAGES:
            texts = [_plain(names.get(language, "")) for names in (change.before, change.after)]
            if texts[0] != texts[1]:
                yield Row(label, texts[0] or "–", texts[1] or "–", language)
        return
    if change.key == "city_names":
        yield Row(label, _city(before, lang), _city(after, lang))
        return
    yield Row(label, _said(change.key, change.before, lang), _said(change.key, change.after, lang))


def _plain(text: str) -> str:
    return text.replace("|", "")


def _city(of: Mapping[str, Any], lang: str) -> str:
    return f"{pick(of['city_names'], lang)}, {of['country']}"


def _said(key: str, value: Any, lang: str) -> str:  # noqa: ANN401 - any fact
    if key in {"starts_on", "ends_on"}:
        return day(date.fromisoformat(value), lang) if value else gettext("none")
    if key == "travel_owner":
        return gettext(_OWNERS[value[0]]) % {"pct": value[1]}
    if key == "claim_style":
        return gettext(_STYLES[value])
    return number(value, lang)
