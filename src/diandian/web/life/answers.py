"""Answers and items as text in the address of a page: the server keeps neither.

The pages promise that nothing is stored unless somebody orders, and that they work without scripts
and without cookies. So each page gets what was said so far in its query (``a`` for answers, ``i``
for items) and writes it into the next address. Hidden fields alone would do too, but then the back
button asks to send a form again; an address can be gone back to, reloaded and kept as a link.
It is not signed: whoever changes it changes only their own answers, and each page reads them as if
they had been typed just now. It does not expire either: nothing lies here that could.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from django.http import HttpRequest
from django.utils.http import urlencode

from diandian.emissions.activity import UNKNOWN, Question, Value, is_shown, parse
from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import newest
from diandian.emissions.life import calculator, detailed
from diandian.emissions.life.detailed import Item
from diandian.emissions.life.own_answers import (
    BETWEEN,
    FIELDS,
    SHORT_UNKNOWN,
    WITHIN,
    raw_of_text,
    rows_of_text,
)
from diandian.kernel.errors import InputError

LONGEST = 2_000
# A line of an address is 8 kB at most on most servers, and the certificate's page needs its share.
MOST_ITEMS = 100
_LONGEST_ITEMS = 4_000


@dataclass(frozen=True)
class Answers:
    """What one person said so far. ``values``: as ``calculator.read`` gives them, only those said.

    ``items``: what was entered in detail.
    """

    region: str
    values: Mapping[str, Value] = field(default_factory=dict)
    items: tuple[Item, ...] = ()

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """Return all questions of the region, those for fine-tuning last."""
        return calculator.questions(self.region)

    @cached_property
    def full(self) -> Mapping[str, Value]:
        """Return a value for each question that applies; what was not said is not known."""
        raw = {key: str(value) for key, value in self.values.items()}
        return calculator.read(self.region, raw).values

    @property
    def asked(self) -> list[Question]:
        """Return the questions that are asked one by one, given what was said."""
        return [q for q in self.questions if not q.fine_tune and is_shown(q, self.full)]

    @property
    def fine(self) -> list[Question]:
        """Return the questions for fine-tuning that apply."""
        return [q for q in self.questions if q.fine_tune and is_shown(q, self.full)]

    @property
    def answered(self) -> set[str]:
        """Return the keys of the questions gone past."""
        return set(self.values)

    def open_after(self, key: str = "") -> Question | None:
        """Return the next question without an answer: after ``key``, else the first of all."""
        keys = [question.key for question in self.asked]
        start = keys.index(key) + 1 if key in keys else 0
        waiting = [q for q in self.asked[start:] + self.asked[:start] if q.key not in self.values]
        return waiting[0] if waiting else None

    def before(self, key: str) -> Question | None:
        """Return the question asked before another one."""
        keys = [question.key for question in self.asked]
        place = keys.index(key) if key in keys else 0
        return self.asked[place - 1] if place else None

    def saying(self, key: str, value: Value) -> "Answers":
        """Return the answers with one more or another; what no longer applies is dropped."""
        return _kept(replace(self, values={**self.values, key: value}))

    def moved_to(self, region: str) -> "Answers":
        """Return the same answers in another region, as far as it asks for them."""
        moved = of_text(BETWEEN.join([region, *self.to_text().split(BETWEEN)[1:]]))
        items = items_of_text(items_to_text(self.items), region)
        return replace(moved, items=items) if moved else self

    def running(self) -> dict[str, int]:
        """Return grams by group of what was answered so far."""
        return calculator.running(self.full, self.answered, newest(), self.region)

    def estimate(self) -> Estimate:
        """Return the year. Units: grams."""
        return detailed.estimate(self.full, self.items, newest(), self.region)

    def to_text(self) -> str:
        """Return the answers as the query holds them."""
        parts = [self.region]
        for key, value in self.values.items():
            parts += [key, SHORT_UNKNOWN if value == UNKNOWN else str(value)]
        return BETWEEN.join(parts)

    @property
    def items_text(self) -> str:
        """Return the items as the query holds them."""
        return items_to_text(self.items)

    def query(self, **more: str) -> str:
        """Return the query of an address of this person's, with more keys."""
        items = {"i": self.items_text} if self.items else {}
        return urlencode({"a": self.to_text()} | items | {k: v for k, v in more.items() if v})


def _kept(answers: Answers) -> Answers:
    """Drop values of questions that the other values do not lead to."""
    kept = {key: value for key, value in answers.values.items() if key in answers.full}
    return replace(answers, values=kept)


def of_text(text: str) -> Answers | None:
    """Return the answers in a query; None without a region that we know.

    What cannot be understood is not answered; nothing here raises.
    """
    region, raw = raw_of_text(text[:LONGEST])
    if region not in calculator.regions():
        return None
    read = parse(calculator.questions(region), raw)
    said = {key: value for key, value in read.values.items() if key in raw}
    return Answers(region, said)


def of_request(request: HttpRequest) -> Answers | None:
    """Return the answers and items in the query or in the form that was sent."""
    sent = request.POST if request.method == "POST" else request.GET
    found = of_text(sent.get("a", ""))
    return replace(found, items=items_of_text(sent.get("i", ""), found.region)) if found else None


# Items -------------------------------------------------------------------------------------------


def items_to_text(items: Sequence[Item]) -> str:
    """Return items as the query holds them."""
    rows = (item.to_json() for item in items)
    return BETWEEN.join(WITHIN.join(str(row[name]) for name in FIELDS) for row in rows)


def items_of_text(text: str, region: str) -> tuple[Item, ...]:
    """Return the items in a query; rows that cannot be understood are left out."""
    return tuple(items_of_rows(rows_of_text(text[:_LONGEST_ITEMS])[:MOST_ITEMS], region))


def items_of_rows(rows: Sequence[Mapping[str, str]], region: str) -> list[Item]:
    """Return the items that rows of texts mean; those that cannot be understood are left out."""
    try:
        return detailed.read_items(region, rows, newest()).items
    except InputError:
        return []
