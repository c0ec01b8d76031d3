"""The answers that a person kept: the link of a result, or the file that was saved.

Both are texts that anybody may have changed, so they are read as if they had just been typed. The
pages leave out what they cannot understand; who computes a certificate again wants to hear of it.
*Source:* decisions 0020 and 0023.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from diandian.emissions.activity import UNKNOWN, parse
from diandian.emissions.life import calculator, detailed
from diandian.kernel.errors import N_, DiandianError, Fixer, InputError

if TYPE_CHECKING:
    from diandian.emissions.activity import Value
    from diandian.emissions.estimate import Estimate
    from diandian.emissions.factor_set import FactorSet

SCHEMA = "diandian/life/1"
# Marks that an address keeps as they are.
BETWEEN, WITHIN = "~", "*"
SHORT_UNKNOWN = "u"
FIELDS = ("activity", "amount", "basis", "period", "years")
Raw = dict[str, str]


class NotAnswersError(DiandianError):
    """A link or a file that holds no answers, or some that cannot be understood."""

    code = "not_answers"
    message = N_(
        "These answers cannot be read: %(why)s. Nothing was computed. Please give the whole link of"
        " the result, or the file that was saved there."
    )
    fixer = Fixer.CUSTOMER


@dataclass(frozen=True, slots=True)
class OwnAnswers:
    """Texts as they were kept. ``answers``: by question. ``items``: rows entered in detail."""

    region: str
    answers: Mapping[str, str]
    items: Sequence[Mapping[str, str]] = ()

    def estimate(self, factors: FactorSet) -> Estimate:
        """Return the year by an edition of the factors. Raises: NotAnswersError."""
        try:
            values = self._values()
            parsed = detailed.read_items(self.region, self.items, factors)
        except InputError as error:
            raise NotAnswersError(why=error.text()) from error
        _refuse_first(parsed.errors)
        return detailed.estimate(values, parsed.items, factors, self.region)

    def _values(self) -> Mapping[str, Value]:
        questions = calculator.questions(self.region)
        unknown = set(self.answers) - {question.key for question in questions}
        if unknown:
            raise NotAnswersError(why=f"there is no question {min(unknown)[:40]!r}")
        read = parse(questions, self.answers)
        _refuse_first(read.errors)
        return read.values


def raw_of_text(text: str) -> tuple[str, Raw]:
    """Return the region and the answers of a query's text, unchecked; nothing here raises."""
    region, *parts = text.split(BETWEEN)
    pairs = zip(parts[::2], parts[1::2], strict=False)
    return region, {key: UNKNOWN if said == SHORT_UNKNOWN else said for key, said in pairs if said}


def rows_of_text(text: str) -> list[Raw]:
    """Return the items of a query's text, unchecked; rows of another length are left out."""
    rows = (row.split(WITHIN) for row in text.split(BETWEEN)) if text else ()
    return [dict(zip(FIELDS, row, strict=True)) for row in rows if len(row) == len(FIELDS)]


def of_link(link: str) -> OwnAnswers:
    """Return the answers in the link of a result; the link is read, never opened.

    Raises: NotAnswersError.
    """
    try:
        query = parse_qs(urlsplit(link.strip()).query)
    except ValueError as error:
        raise NotAnswersError(why=N_("it is no link")) from error
    if "a" not in query:
        raise NotAnswersError(why=N_("the link holds no answers"))
    region, answers = raw_of_text(query["a"][0])
    items = query.get("i", [""])[0]
    rows = rows_of_text(items)
    if items and len(rows) != items.count(BETWEEN) + 1:
        raise NotAnswersError(why=N_("an entry of the link is broken"))
    return OwnAnswers(region, answers, rows)


def of_document(document: object) -> OwnAnswers:
    """Return the answers in a file that was saved. Raises: NotAnswersError."""
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        raise NotAnswersError(why=N_("it is not a file that was saved on the pages of a year"))
    answers, items = document.get("answers") or {}, document.get("items") or []
    rows = isinstance(items, list) and all(isinstance(row, Mapping) for row in items)
    if not isinstance(answers, Mapping) or not rows:
        raise NotAnswersError(why=N_("its answers or entries have another shape than ours"))
    return OwnAnswers(
        str(document.get("region", "")), _texts(answers), [_texts(row) for row in items]
    )


def _refuse_first(errors: Mapping[str, InputError]) -> None:
    for field, error in errors.items():
        raise NotAnswersError(why=f"{field}: {error.text()}")


def _texts(row: Mapping[str, Any]) -> Raw:
    return {str(name): str(value) for name, value in row.items()}
