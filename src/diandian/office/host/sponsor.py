"""Sponsors at the organiser's desk: opening a scene to them, and sponsoring another's scene."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from diandian.certificates import queries as certificates
from diandian.claims import wording
from diandian.claims.levels import allowed_style
from diandian.flows import sponsor
from diandian.kernel.errors import N_, DiandianError, InputError, NotFoundError
from diandian.office.host.overview import scene_of
from diandian.office.host.pages import go, language, show, signed_in, words
from diandian.office.host.rest import pay_by, quote_shown, to_payment
from diandian.orders import offers, progress, rules
from diandian.orders.models import Quote
from diandian.people import access
from diandian.people.errors import NotAllowedError
from diandian.people.queries import Visitor
from diandian.scenes import queries
from diandian.scenes.models import Scene, Sponsoring
from diandian.scenes.sponsoring import actions

_OPENED = {
    Sponsoring.CLOSED: N_("Nothing: no sponsors"),
    Sponsoring.GUESTS: N_("Visits of guests"),
    Sponsoring.REST: N_("What is left of ours"),
    Sponsoring.BOTH: N_("Both"),
}
_MOST_CHARACTERS = 12


@signed_in
def sponsors(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Show what sponsors may take over of a scene, and did; when posted, open or close it."""
    scene, error = scene_of(visitor, slug), None
    if request.method == "POST":
        access.require(visitor, scene.organisation_ref, "write")
        what = request.POST.get("sponsoring", "")
        try:
            actions.open_to_sponsors(scene, what, actor_ref=visitor.person.ref)
        except DiandianError as refused:
            error = refused
        else:
            return go("host_sponsors", slug)
    token = scene.sponsor_token
    link = settings.BASE_URL + reverse("scene_sponsor", args=[slug, token]) if token else ""
    shown = {
        "scene": scene,
        "name": words(scene.names),
        "choices": [
            (value, gettext(label), value == (scene.sponsoring or Sponsoring.CLOSED))
            for value, label in _OPENED.items()
        ],
        "link": link,
        "given": [
            (order, certificates.code_of_order(order.ref) or "")
            for order in progress.of_sponsors(scene)
        ],
        "writes": access.allows(visitor, scene.organisation_ref, "write"),
        "errors": [error] if error else [],
    }
    return show(request, visitor, "office/host/sponsors.html", shown, 409 if error else 200)


@signed_in
def page(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Take over a part of any scene that is open to sponsors: choose, see the price, pay."""
    scene = queries.published(slug)
    if request.method != "POST":
        return _page(request, visitor, scene)
    token = request.POST.get("quote", "")
    try:
        if not token:
            return _quote_page(request, visitor, scene, _quoted(request, visitor, scene))
        quote = sponsor.quote_of(visitor, scene, token[:40])
        order = sponsor.place(visitor, quote, language=language(), by=pay_by(request, quote))
    except (NotFoundError, NotAllowedError):
        raise
    except DiandianError as error:
        return _page(request, visitor, scene, error)
    return to_payment(order)


def _quoted(request: HttpRequest, visitor: Visitor, scene: Scene) -> Quote:
    sent = request.POST
    organisation = visitor.organisation(sent.get("organisation", "")[:40])
    access.require(visitor, organisation.ref, "write")
    typed = sent.get("kg", "").strip()
    return sponsor.open_quote(
        scene,
        part=_part(request, scene),
        kg=rules.kilograms(typed) if typed else None,
        project_code=sent.get("project", "")[:60],
        organisation_ref=organisation.ref,
    )


def _part(request: HttpRequest, scene: Scene) -> Sponsoring:
    """Return the chosen part, or the first that is open; NONE, which is refused, where none is."""
    allowed = sponsor.parts_open(scene)
    wanted = request.POST.get("part")
    first = allowed[0] if allowed else Sponsoring.NONE
    return next((each for each in allowed if each == wanted), first)


def _page(
    request: HttpRequest, visitor: Visitor, scene: Scene, error: DiandianError | None = None
) -> HttpResponse:
    left, part = sponsor.open_of(scene), _part(request, scene)
    style = str(allowed_style(scene.claim_style, scene.country, scene.audience))
    views = offers.on_sale()
    free = [view.project.code for view in views if not view.sold_out]
    wanted = request.POST.get("project", "")
    allowed = sponsor.parts_open(scene)
    shown = {
        "scene": scene,
        "name": words(scene.names),
        "host": words(scene.host_names),
        "parts": [
            (each.value, gettext(sponsor.PARTS[each]), left.of(each), each == part)
            for each in allowed
        ],
        "left_g": max((left.of(each) for each in allowed), default=0),
        "organisations": [
            each for each in visitor.organisations if access.allows(visitor, each.ref, "write")
        ],
        "organisation": request.POST.get("organisation", ""),
        "kg": request.POST.get("kg", "")[:_MOST_CHARACTERS],
        "views": views,
        "chosen": wanted if wanted in free else next(iter(free), ""),
        "voluntary": wording.voluntary(language(), style),
        "errors": [error] if error else [],
    }
    status = (422 if isinstance(error, InputError) else 409) if error else 200
    return show(request, visitor, "office/host/sponsor.html", shown, status)


def _quote_page(request: HttpRequest, visitor: Visitor, scene: Scene, quote: Quote) -> HttpResponse:
    shown = quote_shown(request, scene, quote) | {
        "url": reverse("host_sponsor", args=[scene.slug]),
        "organisation": visitor.organisation(quote.holder_ref),
    }
    return show(request, visitor, "office/host/quote.html", shown)
