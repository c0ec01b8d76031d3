"""An amount without a scene: kilograms, project, name, and the same checkout as everybody's.

For a person or an organisation. What was not measured is not compared with anything: the
certificate says what was retired and nothing about a trip. *Source:* claim levels, L2.
"""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from diandian.claims import wording
from diandian.flows.quote import open_quote
from diandian.kernel.errors import DiandianError, InputError
from diandian.kernel.mass import GRAMS_PER_KG
from diandian.orders import rules
from diandian.orders.errors import KilogramsError
from diandian.orders.models import HolderKind, Quote
from diandian.people import rules as people
from diandian.ui import drawing
from diandian.web import context, till
from diandian.web.till import NewTotal, Wish

_HOLDERS = (HolderKind.PERSON, HolderKind.COMPANY)
_MOST_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Amount:
    """What is asked for. Units: kilograms, grams."""

    kg: int
    holder: HolderKind

    @property
    def mass_g(self) -> int:
        """Return the amount in grams."""
        return self.kg * GRAMS_PER_KG

    @property
    def buyer(self) -> till.Buyer:
        """Return who buys; from where, nobody asks."""
        return till.Buyer(is_person=self.holder == HolderKind.PERSON)

    def key(self, wish: Wish) -> str:
        """Return what makes a second press of the button the same order."""
        return f"web:lump_sum:{wish.nonce}"

    def name(self, wish: Wish) -> str:
        """Return the name; an organisation's is its legal one. Raises: name errors."""
        return wish.name if self.holder == HolderKind.PERSON else people.legal_name(wish.name)

    def quote(self, wish: Wish) -> Quote:
        """Price the amount."""
        return open_quote(project_code=wish.project, mass_g=self.mass_g, holder_kind=self.holder)

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

    def carried(self) -> None:
        """Return None: there are no answers."""

    def lead_on(self, error: DiandianError) -> HttpResponse | None:  # noqa: ARG002 - none of its own
        """Return None: an amount has no other place to lead to."""
        return None


def _holder(wanted: str) -> HolderKind:
    return HolderKind.COMPANY if wanted == HolderKind.COMPANY else HolderKind.PERSON


def lump_sum(request: HttpRequest) -> HttpResponse:
    """Ask how much, then show projects and price; when posted, order and go to the gateway."""
    sent = request.POST if request.method == "POST" else request.GET
    if "kg" not in sent:
        return _ask(request, "")
    try:
        amount = Amount(rules.kilograms(sent["kg"]), _holder(sent.get("holder", "")))
    except KilogramsError as error:
        return _ask(request, sent["kg"][:_MOST_CHARACTERS], error)
    wish = Wish.unlisted(request)
    if request.method != "POST":
        return _page(request, amount, wish)
    return till.order(request, amount, wish)


def _ask(request: HttpRequest, typed: str, error: InputError | None = None) -> HttpResponse:
    shown = {"kg": typed, "errors": [error] if error else []}
    return render(request, "web/lump_sum/ask.html", shown, status=422 if error else 200)


def _page(
    request: HttpRequest,
    amount: Amount,
    wish: Wish,
    *,
    error: DiandianError | None = None,
    new_total: NewTotal | None = None,
) -> HttpResponse:
    page = till.facts(
        wish, mass_g=amount.mass_g, buyer=amount.buyer, error=error, new_total=new_total
    )
    scale = drawing.scale_for(amount.mass_g).kg_per_dot
    page |= {
        "action": reverse("lump_sum"),
        "carried": [("kg", amount.kg), ("holder", amount.holder)],
        "is_organisation": amount.holder == HolderKind.COMPANY,
        "count": drawing.dot_count(amount.mass_g, scale),
        "scale": scale,
        "voluntary": wording.voluntary(context.language()),
        "back_url": reverse("lump_sum"),
    }
    return till.answer(request, "web/lump_sum/page.html", page)
