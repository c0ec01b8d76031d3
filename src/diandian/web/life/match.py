"""To contribute for a year, a month or another part of it: whole kilograms, the same checkout.

The certificate says what was retired and what the year was estimated at; a part stays a part.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from diandian.claims import wording
from diandian.emissions.estimate import Estimate
from diandian.emissions.life.calculator import context_of
from diandian.emissions.life.certified import carried, certified
from diandian.flows.quote import open_quote
from diandian.kernel.canonical import digest_hex
from diandian.kernel.errors import N_, DiandianError, InputError
from diandian.kernel.mass import GRAMS_PER_KG, grams_to_buy
from diandian.orders.models import Quote
from diandian.ui import drawing
from diandian.web import context, till
from diandian.web.life import answers as said
from diandian.web.life import look, steps
from diandian.web.life.answers import Answers
from diandian.web.till import NewTotal, Wish

MONTHS = 12
_MOST_DIGITS = 9


class PartError(InputError):
    """Not a whole number of kilograms within the year."""

    code = "part_of_year"
    message = N_(
        "Please give whole kilograms, from 1 to %(limit)s, the top of your range. Nothing was"
        " ordered."
    )


@dataclass(frozen=True, slots=True)
class Part:
    """How much of a year. ``key``: month, half, year, upper or kg. Units: grams."""

    key: str
    mass_g: int


def parts_of(estimate: Estimate) -> list[Part]:
    """Return the parts to choose from, each in whole kilograms, rounded up."""
    mass_g = estimate.mass_g
    parts = [
        Part("month", grams_to_buy(-(-mass_g // MONTHS))),
        Part("half", grams_to_buy(-(-mass_g // 2))),
        Part("year", grams_to_buy(mass_g)),
        Part("upper", grams_to_buy(estimate.high_g)),
    ]
    return [part for part in parts if part.mass_g]


def part_of(estimate: Estimate, sent: Mapping[str, str]) -> Part:
    """Return the part that was chosen. Raises: PartError."""
    key = sent.get("part", "year")
    if key != "kg":
        chosen = [part for part in parts_of(estimate) if part.key == key]
        if chosen:
            return chosen[0]
    limit_g = grams_to_buy(estimate.high_g)
    typed = sent.get("kg", "").strip()
    right = typed.isascii() and typed.isdigit() and len(typed) <= _MOST_DIGITS
    part = Part("kg", int(typed) * GRAMS_PER_KG if right else 0)
    if not 0 < part.mass_g <= limit_g:
        raise PartError(field="kg", limit=limit_g // GRAMS_PER_KG)
    return part


def choose(request: HttpRequest) -> HttpResponse:
    """Ask how much of the year."""
    found = said.of_request(request)
    if found is None:
        return steps.leads_to(reverse("life"), "")
    return _choose(request, found, None)


def _choose(request: HttpRequest, found: Answers, error: InputError | None) -> HttpResponse:
    estimate = found.estimate()
    if not estimate.mass_g:
        return steps.leads_to(reverse("life_result"), found.query())
    scale = look.scale_of(estimate.mass_g)
    sent = request.POST if request.method == "POST" else request.GET
    page = {
        "answers": found,
        "parts": [(each, drawing.dot_count(each.mass_g, scale)) for each in parts_of(estimate)],
        "kg": sent.get("kg", "")[:_MOST_DIGITS],
        "by_kg": error is not None,
        "scale": scale,
        "errors": [error] if error else [],
        "voluntary": wording.voluntary(context.language()),
        "back_url": f"{reverse('life_result')}?{found.query()}",
    }
    return render(request, "web/life/match.html", page, status=422 if error else 200)


def pay(request: HttpRequest) -> HttpResponse:
    """Show projects and prices for a part of a year; when posted, order and go to the gateway."""
    found = said.of_request(request)
    if found is None:
        return steps.leads_to(reverse("life"), "")
    sent = request.POST if request.method == "POST" else request.GET
    estimate = found.estimate()
    if not estimate.mass_g:
        return steps.leads_to(reverse("life_result"), found.query())
    try:
        part = part_of(estimate, sent)
    except PartError as error:
        return _choose(request, found, error)
    wish = replace(Wish.unlisted(request), to_upper=False)
    basket = _Basket(found, estimate, part, keep=sent.get("keep") == "1")
    if request.method == "POST":
        return till.order(request, basket, wish)
    return _page(request, basket, wish)


@dataclass(frozen=True, slots=True)
class _Basket:
    """A part of somebody's year. ``keep``: the answers are to go into the certificate's file."""

    answers: Answers
    estimate: Estimate
    part: Part
    keep: bool

    @property
    def buyer(self) -> till.Buyer:
        """Return a person at home in the region of the answers."""
        return till.Buyer(context_of(self.answers.region).country)

    def key(self, wish: Wish) -> str:
        """Return what makes a second press of the button the same order."""
        # With or without the answers is not the same order: consent is never carried over.
        said = {"a": self.answers.query(), "g": self.part.mass_g}
        whose = digest_hex(said | {"keep": True} if self.keep else said)[:16]
        return f"web:life:{whose}:{wish.nonce}"

    def name(self, wish: Wish) -> str:
        """Return the name as typed."""
        return wish.name

    def quote(self, wish: Wish) -> Quote:
        """Price the part of the year."""
        return open_quote(
            project_code=wish.project, estimate=certified(self.estimate), mass_g=self.part.mass_g
        )

    def page(
        self,
        request: HttpRequest,
        wish: Wish,
        *,
        error: DiandianError | None = None,
        new_total: NewTotal | None = None,
    ) -> HttpResponse:
        """Show projects and prices."""
        return _page(request, self, wish, error=error, new_total=new_total)

    def carried(self) -> dict[str, object] | None:
        """Return the year with its answers, where the box was ticked."""
        return carried(self.estimate) if self.keep else None

    def lead_on(self, error: DiandianError) -> HttpResponse | None:  # noqa: ARG002 - none of its own
        """Return None: a year has no other place to lead to."""
        return None


def _page(
    request: HttpRequest,
    basket: _Basket,
    wish: Wish,
    *,
    error: DiandianError | None = None,
    new_total: NewTotal | None = None,
) -> HttpResponse:
    mass_g = basket.part.mass_g
    query = basket.answers.query(part=basket.part.key, kg=str(mass_g // GRAMS_PER_KG))
    page = till.facts(wish, mass_g=mass_g, buyer=basket.buyer, error=error, new_total=new_total)
    page |= {
        "answers": basket.answers,
        "part": basket.part,
        "kg": mass_g // GRAMS_PER_KG,
        "keep": basket.keep,
        "voluntary": wording.voluntary(context.language()),
        "back_url": f"{reverse('life_match')}?{query}",
    }
    return till.answer(request, "web/life/pay.html", page)
