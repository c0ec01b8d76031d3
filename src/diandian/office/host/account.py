"""A person's own page: which address, which organisations, and erasing both from here."""

from django.http import HttpRequest, HttpResponse

from diandian.flows.sign_in import erase_person
from diandian.kernel.errors import N_, InputError
from diandian.office.host.pages import go, show, signed_in
from diandian.people.models import Membership, Role
from diandian.people.queries import Visitor


class EraseNotMeantError(InputError):
    """Erasing is for good, so one tick more is asked for."""

    code = "erase_not_meant"
    message = N_("Please tick that you mean it. Nothing was erased.")


def _alone_in(visitor: Visitor) -> list[Membership]:
    """Return organisations that would be left without an owner."""
    return [
        each
        for each in visitor.memberships
        if each.role == Role.OWNER
        and each.organisation.memberships.filter(role=Role.OWNER).count() == 1
    ]


@signed_in
def account(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show the account; when posted and meant, erase it and end the session."""
    errors = []
    if request.method == "POST":
        if request.POST.get("meant") == "1":
            erase_person(visitor.person)
            request.session.flush()
            return go("host_sign_in")
        errors = [EraseNotMeantError(field="meant")]
    shown = {"here": "account", "errors": errors, "alone": _alone_in(visitor)}
    return show(request, visitor, "office/host/account.html", shown, 422 if errors else 200)
