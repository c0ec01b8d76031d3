"""Bills, meals and purchases, one by one, in place of the answers that they make better."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.emissions.factor_set import newest
from diandian.emissions.life import detailed as counted
from diandian.emissions.life.detailed import Item
from diandian.emissions.life.errors import TooManyEntriesError
from diandian.kernel.errors import InputError
from diandian.ui import drawing
from diandian.web.life import activities, file, look, steps
from diandian.web.life import answers as said
from diandian.web.life.answers import Answers

_TYPED = ("activity", "amount", "unit", "basis", "period", "years")
_FIRST = "items.0."


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of the list. Units: grams a year."""

    label: str
    amount: str
    period: str
    basis: str
    years: int
    mass_g: int


def detailed(request: HttpRequest) -> HttpResponse:
    """Show the entries; when posted, add one, take one away, or read a file."""
    found = said.of_request(request)
    if found is None:
        title = gettext("Bills, meals and purchases")
        return activities.where(request, title, reverse("life_detailed"))
    if request.method != "POST":
        return _page(request, found, {}, None)
    try:
        changed = _changed(request, found)
    except InputError as error:
        error.field = error.field.removeprefix(_FIRST)
        return _page(request, found, request.POST, error)
    return steps.leads_to(reverse("life_detailed"), changed.query())


def _changed(request: HttpRequest, found: Answers) -> Answers:
    """Return the answers with the change that was asked for. Raises: InputError."""
    sent = request.POST
    if "remove" in sent:
        number = sent["remove"][:4]
        kept = [item for place, item in enumerate(found.items) if str(place) != number]
        return replace(found, items=tuple(kept))
    if "erase" in sent:
        return replace(found, items=())
    if "import" in sent:
        rows = [{**row, "unit": ""} for row in file.of_upload(request).items]
        return _with(found, said.items_of_rows(rows, found.region))
    raw = {name: sent.get(name, "") for name in _TYPED}
    parsed = counted.read_items(found.region, [raw], newest())
    if parsed.errors:
        raise next(iter(parsed.errors.values()))
    return _with(found, parsed.items)


def _with(found: Answers, more: list[Item]) -> Answers:
    """Return the answers with more items; the same one twice in a file is one in the list."""
    fresh = [item for item in more if item not in found.items] if len(more) > 1 else more
    items = (*found.items, *fresh)
    # Through the text, as the next page will read it: nothing is promised that is lost there.
    kept = said.items_of_text(said.items_to_text(items), found.region)
    if len(kept) != len(items):
        raise TooManyEntriesError(field="activity", most=said.MOST_ITEMS)
    return replace(found, items=items)


def _row(item: Item, found: Answers) -> Row:
    lines = counted.item_lines([item], found.full, newest(), found.region)
    return Row(
        label=activities.label_of(item.entry),
        amount=activities.amount_of(item.entry),
        period=gettext(activities.PERIODS[item.period]),
        basis=gettext(activities.BASES[item.entry.basis]),
        years=item.years,
        mass_g=sum(line.mass_g for line in lines),
    )


def _page(
    request: HttpRequest, found: Answers, typed: Mapping[str, str], error: InputError | None
) -> HttpResponse:
    estimate = found.estimate()
    scale = look.scale_of(estimate.mass_g)
    page = {
        "answers": found,
        "query": found.query(),
        "rows": [_row(item, found) for item in found.items],
        "choices": activities.choices(found.region),
        "units": activities.units(),
        "bases": activities.named(activities.BASES),
        "periods": activities.named(activities.PERIODS),
        "typed": {name: typed.get(name, "")[:60] for name in _TYPED},
        "count": drawing.dot_count(estimate.mass_g, scale),
        "scale": scale,
        "errors": [error] if error else [],
        "back_url": f"{reverse('life_result')}?{found.query()}",
    }
    return render(request, "web/life/detailed.html", page, status=422 if error else 200)
