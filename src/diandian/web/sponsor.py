"""A company takes over a part of a scene by the organiser's link: how much, project, name, pay.

Without signing in; the name on the certificate is as stated, and the certificate says so.
"""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.claims import wording
from diandian.flows import sponsor
from diandian.kernel.errors import DiandianError, InputError
from diandian.orders import rules
from diandian.orders.errors import KilogramsError
from diandian.orders.models import Quote
from diandian.people import rules as people
from diandian.scenes import queries as scenes
from diandian.scenes.models import Scene, Sponsoring
from diandian.ui import drawing
from diandian.ui.format import mass
from diandian.web import context, till
from diandian.web.secret import secret_page
from diandian.web.till import NewTotal, Wish

_MOST_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Gift:
    """What a sponsor takes over. ``kg``: at most so many kilograms, None for all that is open."""

    scene: Scene
    part: Sponsoring
    kg: int | None

    @property
    def buyer(self) -> till.Buyer:
        """Return an organisation, which is no consumer."""
        return till.Buyer(self.scene.country, is_person=False)

    def key(self, wish: Wish) -> str:
        """Return what makes a second press of the button the same order."""
        return f"web:sponsor:{self.scene.id}:{wish.nonce}"

    def name(self, wish: Wish) -> str:
        """Return the organisation's name. Raises: name errors."""
        return people.legal_name(wish.name)

    def quote(self, wish: Wish) -> Quote:
        """Price it. Raises: as ``sponsor.open_quote``."""
        return sponsor.open_quote(self.scene, part=self.part, kg=self.kg, project_code=wish.project)

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
        """Return None: a gift has no other place to lead to."""
        return None


def said_sponsors(scene: Scene) -> list[str]:
    """Return who took over how much of a scene, in the words that may be used."""
    style, lang = context.style_of(scene), context.language()
    return [
        wording.label("sponsored", style, lang, name=name, mass=mass(mass_g, lang))
        for name, mass_g in sponsor.taken_over(scene).items()
    ]


@secret_page
def page(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Ask how much, then show projects and price; when posted, order and go to the gateway."""
    scene = scenes.by_sponsor_token(slug, token)
    sent = request.POST if request.method == "POST" else request.GET
    if "kg" not in sent:
        return _ask(request, scene)
    allowed = sponsor.parts_open(scene)
    part = next((each for each in allowed if each == sent.get("part")), allowed[0])
    try:
        typed = sent["kg"].strip()
        gift = Gift(scene, part, rules.kilograms(typed) if typed else None)
    except KilogramsError as error:
        return _ask(request, scene, sent["kg"][:_MOST_CHARACTERS], part, error)
    wish = Wish.unlisted(request)
    if request.method != "POST":
        return _page(request, gift, wish)
    # Pressed twice, the first order itself is what has taken everything.
    return till.order(request, gift, wish)


def _ask(
    request: HttpRequest,
    scene: Scene,
    typed: str = "",
    part: Sponsoring | None = None,
    error: DiandianError | None = None,
) -> HttpResponse:
    allowed, left = sponsor.parts_open(scene), sponsor.open_of(scene)
    shown = {
        "scene": scene,
        "name": context.words(scene.names),
        "host": context.words(scene.host_names),
        "parts": [
            (each.value, gettext(sponsor.PARTS[each]), left.of(each), each == (part or allowed[0]))
            for each in allowed
        ],
        "left_g": max(left.of(each) for each in allowed),
        "sponsors": said_sponsors(scene),
        "kg": typed,
        "errors": [error] if error else [],
        "voluntary": wording.voluntary(context.language(), context.style_of(scene)),
    }
    status = (422 if isinstance(error, InputError) else 409) if error else 200
    return render(request, "web/sponsor/ask.html", shown, status=status)


def _page(
    request: HttpRequest,
    gift: Gift,
    wish: Wish,
    *,
    error: DiandianError | None = None,
    new_total: NewTotal | None = None,
) -> HttpResponse:
    scene = gift.scene
    try:
        mass_g = sponsor.would_claim_g(scene, part=gift.part, kg=gift.kg)
    except sponsor.REFUSALS as gone:
        return _ask(request, scene, str(gift.kg or ""), gift.part, error or gone)
    shown = till.facts(wish, mass_g=mass_g, buyer=gift.buyer, error=error, new_total=new_total)
    scale = drawing.scale_for(mass_g).kg_per_dot
    action = reverse("scene_sponsor", args=[scene.slug, scene.sponsor_token])
    shown |= {
        "scene": scene,
        "name": context.words(scene.names),
        "part": gettext(sponsor.PARTS[gift.part]),
        "action": action,
        "carried": [("kg", gift.kg or ""), ("part", gift.part.value)],
        "is_organisation": True,
        "scale": scale,
        "count": drawing.dot_count(mass_g, scale),
        "voluntary": wording.voluntary(context.language(), context.style_of(scene)),
        "back_url": action,
    }
    return till.answer(request, "web/sponsor/page.html", shown)
