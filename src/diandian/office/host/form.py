"""The one form of a scene: what was typed, what is wrong with it, what it means.

Nothing typed is lost by a mistake, and every mistake is said beside its field. Names are given in
one language at least; the others are never made up.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext

from diandian.claims.levels import Style, allowed_style
from diandian.emissions import geo
from diandian.emissions.errors import AmbiguousPlaceError, UnknownPlaceError
from diandian.emissions.place import Place
from diandian.emissions.scene_kind import scene_kinds
from diandian.kernel.errors import N_, DiandianError, InputError
from diandian.office.host.pages import at, language
from diandian.people.models import Organisation
from diandian.scenes import queries, rules
from diandian.scenes.actions import NewScene
from diandian.scenes.models import Scene, TravelOwner
from diandian.ui.format import pick

NAMES = {"name_zh": "zh-Hans", "name_en": "en", "name_nl": "nl"}
KEYS = (
    *("organisation", "kind", *NAMES, "venue", "place", "starts_on", "ends_on"),
    *("expected_guests", "travel_owner", "travel_organiser_pct", "slug"),
)
_LONGEST = 400
_PART = re.compile(r"[1-9][0-9]?")
# The grid rows of the newest edition are of 2023: a day before them has no row of its own.
_EARLIEST, _LATEST = date(2023, 1, 1), date(2100, 1, 1)
# Where a field of the scene stands on this page.
_PLACE_OF = {"names": "names", "venue_names": "venue", "place_key": "place"}
_OWNERS = {
    TravelOwner.GUEST: (
        N_("Each guest"),
        N_("Guests are asked to match their own journey and nights, if they wish."),
    ),
    TravelOwner.ORGANISER: (
        N_("We, the host"),
        N_("Guests still count, so that you know; they have nothing to pay for it."),
    ),
    TravelOwner.SPLIT: (
        N_("Both, in parts"),
        N_("Your part is the percentage below; the guests are asked for the rest."),
    ),
}


class DayError(InputError):
    """Not a day of these decades."""

    code = "day"
    message = N_("Please give a day such as 2026-11-26. Nothing was saved.")


class PartError(InputError):
    """Not a part of a split."""

    code = "part"
    message = N_("Your part of a split is a whole number from 1 to 99. Nothing was saved.")


class GuestsError(InputError):
    """Not a count of guests."""

    code = "guests"
    message = N_(
        "Please give the number of guests as a whole number, at most one million, or leave it"
        " empty. Nothing was saved."
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a list or a row of radios."""

    value: str
    label: str
    hint: str
    on: bool


@dataclass(slots=True)
class SceneForm:
    """What was typed, by field. ``place_found`` and the days: what it means, where it means one."""

    raw: dict[str, str]
    errors: list[DiandianError] = field(default_factory=list)
    suggestions: list[tuple[str, str]] = field(default_factory=list)
    place_found: Place | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    expected_guests: int = 0
    travel_organiser_pct: int = 0

    @classmethod
    def empty(cls, organisation: Organisation) -> "SceneForm":
        """Return the form before anything was typed."""
        raw = dict.fromkeys(KEYS, "")
        raw |= {"organisation": organisation.ref, "kind": "conference", "travel_owner": "guest"}
        return cls(raw)

    @classmethod
    def of_scene(cls, scene: Scene) -> "SceneForm":
        """Return a scene's facts as if they were typed, to change them."""
        raw = {key: scene.names.get(lang, "") for key, lang in NAMES.items()}
        raw |= {
            "organisation": scene.organisation_ref,
            "kind": scene.kind,
            "venue": pick(scene.venue_names, language()),
            "place": scene.place_key,
            "starts_on": scene.starts_on.isoformat(),
            "ends_on": scene.ends_on.isoformat() if scene.ends_on else "",
            "expected_guests": str(scene.expected_guests or ""),
            "travel_owner": scene.travel_owner,
            "travel_organiser_pct": str(scene.travel_organiser_pct or ""),
            "slug": scene.slug,
        }
        return cls(raw)

    @classmethod
    def read(cls, posted: Mapping[str, str]) -> "SceneForm":
        """Read a posted form; a ticked suggestion replaces the place that it explains."""
        raw = {key: posted.get(key, "")[:_LONGEST].strip() for key in KEYS}
        if posted.get("place_meant") and posted.get("place_asked") == raw["place"]:
            raw["place"] = posted["place_meant"][:_LONGEST]
        form = cls(raw)
        form._understand()
        return form

    def _understand(self) -> None:
        """Find out what was typed; note what cannot be understood."""
        self.starts_on = self._day("starts_on", needed=True)
        self.ends_on = self._day("ends_on", needed=False)
        guests = self.raw["expected_guests"].replace(",", "").replace(" ", "") or "0"
        if guests.isascii() and guests.isdigit() and int(guests[:9]) <= rules.MOST_GUESTS:
            self.expected_guests = int(guests[:9])
        else:
            self.errors.append(GuestsError(field="expected_guests"))
        if self.raw["travel_owner"] == TravelOwner.SPLIT:
            part = self.raw["travel_organiser_pct"].rstrip(" %％")
            self.travel_organiser_pct = int(part) if _PART.fullmatch(part) else 0
            if not self.travel_organiser_pct:
                self.errors.append(PartError(field="travel_organiser_pct"))
        try:
            self.place_found = geo.resolve_place(self.raw["place"])
        except InputError as error:
            self.errors.append(at("place", error))
            self.suggestions = _meant(error)

    def _day(self, key: str, *, needed: bool) -> date | None:
        typed = self.raw[key]
        if not typed and not needed:
            return None
        try:
            day = date.fromisoformat(typed)
        except ValueError:
            day = None
        if day is None or not _EARLIEST <= day <= _LATEST:
            self.errors.append(DayError(field=key))
            return None
        return day

    @property
    def names(self) -> dict[str, str]:
        """Return the scene's name by language, as far as given."""
        return {lang: self.raw[key] for key, lang in NAMES.items() if self.raw[key]}

    def scene(self, organisation: Organisation) -> NewScene:
        """Return the host's statement; only of a form without errors.

        A place's word stands under every language of the name, for nobody translated it.
        """
        assert not self.errors, "what is wrong is said first"
        assert self.place_found is not None, "resolved or refused"
        assert self.starts_on is not None, "read or refused"
        languages = [*self.names] or ["en"]
        return NewScene(
            slug=self.raw["slug"] or self.free_slug(),
            kind=self.raw["kind"],
            names=self.names,
            host_names=dict.fromkeys(languages, organisation.legal_name),
            venue_names=dict.fromkeys(languages, self.raw["venue"]),
            place_key=self.place_found.key,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            expected_guests=self.expected_guests,
            travel_owner=self.raw["travel_owner"],
            travel_organiser_pct=self.travel_organiser_pct,
            # As far as country and audience allow; the operator may only make it stricter.
            claim_style=Style.COMPENSATION,
            audience="guest",
            organisation_ref=organisation.ref,
        )

    def free_slug(self) -> str:
        """Return an address that can be read aloud and is still free."""
        assert self.place_found is not None, "resolved or refused"
        assert self.starts_on is not None, "read or refused"
        year = self.starts_on.year
        for words in (self.raw["name_en"], self.raw["name_nl"], self.place_found.names.get("en")):
            if slug := rules.slug_from(words or "", year):
                return queries.free_slug(slug)
        return queries.free_slug(f"{self.raw['kind'].replace('_', '-')[:24]}-{year}")

    def refuse(self, error: DiandianError) -> None:
        """Note a refusal of the scenes room at the field of this page that it belongs to."""
        known = getattr(error, "field", "")
        self.errors.append(at(_PLACE_OF.get(known, known or "slug"), error))

    def shown(self, organisations: Sequence[Organisation]) -> dict[str, Any]:
        """Return what the page needs to draw the form."""
        raw, lang = self.raw, language()
        place = self.place_found
        if place is None and raw["place"].startswith(("geonames:", "iata:", "extra:")):
            place = geo.place(raw["place"])
        return {
            "raw": raw | ({"place": place.label(lang)} if place else {}),
            "errors": self.errors,
            "suggestions": self.suggestions,
            "kinds": [
                Choice(key, pick(kind.names, lang), key, on=key == raw["kind"])
                for key, kind in scene_kinds().items()
                if key != "life"
            ],
            "owners": [
                Choice(value, gettext(label), gettext(hint), on=value == raw["travel_owner"])
                for value, (label, hint) in _OWNERS.items()
            ],
            "organisations": [
                Choice(each.ref, each.legal_name, "", on=each.ref == raw["organisation"])
                for each in organisations
            ],
            **self.pictured(organisations),
        }

    def pictured(self, organisations: Sequence[Organisation]) -> dict[str, Any]:
        """Return what the preview of the phone page shows of what was typed so far."""
        lang, place = language(), self.place_found
        kind = scene_kinds().get(self.raw["kind"])
        host = next((each for each in organisations if each.ref == self.raw["organisation"]), None)
        return {
            "said": {
                "name": pick(self.names, lang) or gettext("The name of your scene"),
                "venue": self.raw["venue"],
                "host": host.legal_name if host else "",
                "city": pick(dict(place.names), lang) if place else "",
            },
            "kind": kind.key if kind else "other",
            "kind_name": pick(kind.names, lang) if kind else "",
            "guest_part": gettext(kind.boundary.guest) if kind else "",
            "host_travel": self.raw["travel_owner"] == TravelOwner.ORGANISER,
            "first": self.starts_on,
            "last": self.ends_on,
            "style": allowed_style(Style.COMPENSATION, place.country if place else "", "guest"),
        }


def _meant(error: InputError) -> list[tuple[str, str]]:
    if isinstance(error, UnknownPlaceError):
        places = error.suggestions
    elif isinstance(error, AmbiguousPlaceError):
        places = error.candidates
    else:
        return []
    return [(place.key, place.label(language())) for place in places]
