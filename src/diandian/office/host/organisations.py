"""Organisations: their legal name, which stands on certificates, and who may act for them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from diandian.emissions.place import areas
from diandian.flows import organisation as flow
from diandian.kernel.errors import N_, DiandianError
from diandian.office.host.pages import go, language, show, signed_in
from diandian.people import access, queries
from diandian.people.errors import CountryError, NotAllowedError
from diandian.people.models import Organisation
from diandian.people.queries import Visitor
from diandian.ui.format import pick

ROLES = {
    "owner": N_("Owner: everything, also people"),
    "editor": N_("Editor: scenes and payments"),
    "viewer": N_("Viewer: looks only"),
}
_FACTS = ("legal_name", "tax_number", "country")


def countries() -> list[tuple[str, str]]:
    """Return countries by their code, in the order of their names."""
    named = [(code, pick(names, language())) for code, names in areas().items() if len(code) == 2]  # noqa: PLR2004 - ISO 3166-1
    return sorted(named, key=lambda each: (each[0] != "CN", each[1]))


def _known_country(request: HttpRequest) -> str:
    """Return the country that was chosen. Raises: CountryError."""
    chosen = request.POST.get("country", "")
    if chosen not in {code for code, _ in countries()}:
        raise CountryError(field="country")
    return chosen


def _typed(request: HttpRequest) -> dict[str, str]:
    return {key: request.POST.get(key, "")[:200] for key in _FACTS}


@signed_in
def new(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Ask for an organisation; when posted, keep it and go on to its first scene."""
    shown: dict[str, Any] = {"here": "", "countries": countries(), "raw": {"country": "CN"}}
    if request.method == "POST":
        try:
            flow.found(
                visitor.person,
                legal_name=request.POST.get("legal_name", ""),
                tax_number=request.POST.get("tax_number", ""),
                country=_known_country(request),
            )
        except DiandianError as error:
            shown |= {"raw": _typed(request), "errors": [error]}
            return show(request, visitor, "office/host/organisation_new.html", shown, 422)
        return go("host_new")
    return show(request, visitor, "office/host/organisation_new.html", shown)


@signed_in
def one(request: HttpRequest, visitor: Visitor, number: int) -> HttpResponse:
    """Show one organisation and its people; when posted, change what the button says."""
    organisation = visitor.organisation(f"organisation:{number}")
    if request.method != "POST":
        return _page(request, visitor, organisation)
    try:
        _act(request, visitor, organisation)
    except NotAllowedError:
        raise
    except DiandianError as error:
        return _page(request, visitor, organisation, error)
    # Whoever left no longer sees it.
    left = not queries.visitor(visitor.person).role_in(organisation.ref)
    return go("host") if left else go("host_organisation", number)


def _act(request: HttpRequest, visitor: Visitor, organisation: Organisation) -> None:
    action, sent = request.POST.get("action", ""), request.POST
    if action == "describe":
        flow.describe(
            visitor,
            organisation,
            legal_name=sent.get("legal_name", ""),
            tax_number=sent.get("tax_number", ""),
            country=_known_country(request),
        )
    elif action == "member":
        email, role = sent.get("email", ""), sent.get("role", "")
        flow.set_member(visitor, organisation, email=email, role=role)
    elif action == "remove":
        typed = sent.get("member", "")
        number = int(typed[:18]) if typed.isascii() and typed.isdigit() else 0
        flow.remove_member(visitor, organisation, number)


def _page(
    request: HttpRequest,
    visitor: Visitor,
    organisation: Organisation,
    error: DiandianError | None = None,
) -> HttpResponse:
    describing = error is not None and request.POST.get("action") == "describe"
    stated = {key: getattr(organisation, key) for key in _FACTS}
    shown = {
        "here": organisation.ref,
        "organisation": organisation,
        "raw": _typed(request) if describing else stated,
        "countries": countries(),
        "members": [
            (member, gettext(ROLES[member.role]).partition(":")[0].partition("：")[0])
            for member in queries.members_of(organisation)
        ],
        "roles": [(key, gettext(text)) for key, text in ROLES.items()],
        "manages": access.allows(visitor, organisation.ref, "manage"),
        "email": request.POST.get("email", "")[:254],
        "errors": [error] if error else [],
    }
    return show(request, visitor, "office/host/organisation.html", shown, 422 if error else 200)
