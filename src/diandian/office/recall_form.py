"""What an operator fills in to ask for a recall: read, and known again when it is meant."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from diandian.flows import recall_preview
from diandian.flows.recall_preview import Foreseen
from diandian.kernel.canonical import digest_hex
from diandian.kernel.errors import N_, InputError
from diandian.kernel.mass import GRAMS_PER_TONNE
from diandian.registry import queries

_MOST_DIGITS, _MOST_SOURCES = 15, 20
LANGUAGES = {"zh-Hans": "zh", "en": "en", "nl": "nl"}
# The code is for everybody to read, in the log and on the public page.
REASONS = {
    "measured-wrongly": N_("Measured or computed wrongly"),
    "counted-twice": N_("Issued or counted twice"),
    "withdrawn-upstream": N_("Withdrawn at its registry"),
    "verification-withdrawn": N_("Its verification was withdrawn"),
    "fire": N_("Fire"),
    "storm-or-pests": N_("Storm, drought or pests"),
    "felled": N_("Felled or used otherwise"),
}
KINDS = {
    "invalid": N_("The credits were not what they were said to be"),
    "reversal": N_("The carbon went back into the air"),
}
RANGES = {
    "all": N_("The whole batch"),
    "serials": N_("Some serials"),
    "grams": N_("Some grams"),
}


class RecallFormError(InputError):
    """A kind, a reason or a text is missing or not one of those offered."""

    code = "recall_form"
    message = N_(
        "A kind, a reason and a text in each of the three languages are needed."
        " Nothing was changed. Please fill them in."
    )


class RecallRangeError(InputError):
    """The range is not two whole numbers, the first not above the last."""

    code = "recall_range"
    message = N_(
        "For some serials or grams the first and the last are needed, as whole numbers in their"
        " order. Nothing was changed. Please correct them."
    )


class RecallSourceError(InputError):
    """A project that may replace does not exist."""

    code = "recall_source"
    message = N_(
        "A project that may replace was not found by its code. Nothing was changed."
        " Please correct the list: codes with commas between, at most %(limit)s."
    )


@dataclass(slots=True)
class Form:
    """What was sent, as it is shown again; every value is a text of one line."""

    kind: str = "invalid"
    reason: str = ""
    scope: str = "all"
    first: str = ""
    last: str = ""
    sources: str = ""
    texts: dict[str, str] = field(default_factory=lambda: dict.fromkeys(LANGUAGES, ""))

    @property
    def digest(self) -> str:
        """Return what this form is known by, so that only what was looked at is opened."""
        return digest_hex(asdict(self))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A recall as the flow takes it."""

    kind: str
    reason: str
    texts: dict[str, str]
    grams: tuple[int, int] | None
    sources: list[str]


def sent(post: Mapping[str, str]) -> Form:
    """Return a form as it came, without what cannot be shown on a line."""
    return Form(
        kind=_line(post.get("kind", "")),
        reason=_line(post.get("reason", "")),
        scope=_line(post.get("scope", "")),
        first=_line(post.get("first", "")),
        last=_line(post.get("last", "")),
        sources=_line(post.get("sources", "")),
        texts={lang: _line(post.get(f"text_{name}", "")) for lang, name in LANGUAGES.items()},
    )


def _line(text: str) -> str:
    plain = "".join(sign if sign.isprintable() else " " for sign in text[:2000])
    return " ".join(plain.split())


def read(form: Form, first_serial: int) -> Wanted:
    """Return what a form asks for. ``first_serial``: of the batch.

    Raises: RecallFormError, RecallRangeError, RecallSourceError.
    """
    if form.kind not in KINDS or form.reason not in REASONS or not all(form.texts.values()):
        raise RecallFormError(field="kind")
    codes = [code for code in form.sources.replace("，", ",").replace(" ", "").split(",") if code]
    known = {project.code for project in queries.projects(active_only=False)}
    if len(codes) > _MOST_SOURCES or not known.issuperset(codes):
        raise RecallSourceError(field="sources", limit=_MOST_SOURCES)
    return Wanted(form.kind, form.reason, form.texts, _grams(form, first_serial), codes)


def _grams(form: Form, first_serial: int) -> tuple[int, int] | None:
    """Return the grams of the range, from the batch's start on; None for all of it."""
    if form.scope == "all" and not form.first and not form.last:
        return None
    first, last = _number(form.first), _number(form.last)
    if form.scope not in {"serials", "grams"} or first > last:
        raise RecallRangeError(field="first")
    if form.scope == "grams":
        return first - 1, last
    return (first - first_serial) * GRAMS_PER_TONNE, (last - first_serial + 1) * GRAMS_PER_TONNE


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > _MOST_DIGITS or not int(text):
        raise RecallRangeError(field="first")
    return int(text)


def foresee(batch: Any, wanted: Wanted) -> Foreseen:  # noqa: ANN401 - a row of the registry
    """Return what the recall would meet. Raises: RecallFactsError, RecalledAlreadyError."""
    return recall_preview.foresee(
        batch,
        kind=wanted.kind,
        reason=wanted.reason,
        texts=wanted.texts,
        grams=wanted.grams,
        sources=wanted.sources,
    )
