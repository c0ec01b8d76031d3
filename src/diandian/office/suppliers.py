"""Suppliers at the operator's desk: where each receives money, by two people.

Of an account only its end is shown; who proposes cannot confirm.
"""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from diandian.flows import payees
from diandian.kernel.errors import N_
from diandian.office.acts import actor_of, say
from diandian.settlement import queries, rules
from diandian.settlement.models import Payee, PayeeState

KINDS = {
    "account": N_("Account at a payment gateway"),
    "iban": N_("Bank account with IBAN"),
    "cn_bank": N_("Bank account in China"),
}
STATES = {
    "waiting": N_("waits for a second person"),
    "confirmed": N_("confirmed"),
    "replaced": N_("out of force"),
    "refused": N_("refused"),
}


class KeepsPayees:
    """What can be done on the list of receiving accounts, which else only reads."""

    list_before_template = "office/desk/suppliers_head.html"

    def has_pay_permission(self, request: HttpRequest) -> bool:
        """Tell whether this operator may enter and confirm accounts."""
        return bool(request.user.has_perm("settlement.change_payee"))

    def get_urls(self) -> list[URLPattern]:
        """Add the page of suppliers and what is posted to it."""
        view = self.admin_site.admin_view  # type: ignore[attr-defined]  # of the admin below
        pages = [
            path("suppliers/", view(self.overview), name="settlement_suppliers"),
            path("propose/", view(self.propose), name="settlement_propose"),
            path("<int:number>/decide/", view(self.decide), name="settlement_decide"),
        ]
        own: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [*pages, *own]

    def overview(self, request: HttpRequest) -> HttpResponse:
        """List every supplier with its accounts, and what waits for a second person."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        names = payees.suppliers()
        shown = {
            "listed": [
                {"ref": ref, "names": names[ref], "payees": _decided(ref)} for ref in sorted(names)
            ],
            "waiting": _shown(queries.payees_waiting()),
            "may_pay": self.has_pay_permission(request),
            "kinds": [(kind, gettext(words)) for kind, words in KINDS.items()],
            "fields": {
                kind: [(name, gettext(rules.WORDS[name])) for name in rules.FIELDS[kind]]
                for kind in KINDS
            },
            "gateways": list(settings.GATEWAYS),
            "days": settings.PAYEE_COOL_DOWN_DAYS,
            "title": gettext("Suppliers"),
        }
        frame = self.admin_site.each_context(request)  # type: ignore[attr-defined]
        return render(request, "office/desk/suppliers.html", frame | shown)

    def propose(self, request: HttpRequest) -> HttpResponse:
        """Write an account that waits for a second person."""
        self._require(request)
        if request.method == "POST":
            say(request, lambda: _propose(request))
        return redirect(reverse("admin:settlement_suppliers"))

    def decide(self, request: HttpRequest, number: int) -> HttpResponse:
        """Confirm or refuse what another operator proposed, or take one out of force."""
        self._require(request)
        acts = {
            "confirm": (payees.confirm, gettext("Confirmed")),
            "refuse": (payees.refuse, gettext("Refused")),
            "withdraw": (payees.withdraw, gettext("Out of force: nothing is paid to it")),
        }
        wanted = acts.get(request.POST.get("action", ""))
        if wanted is not None:
            flow, done = wanted

            def run() -> str:
                flow(number, actor_ref=actor_of(request))
                return done

            say(request, run)
        return redirect(reverse("admin:settlement_suppliers"))

    def _require(self, request: HttpRequest) -> None:
        if not self.has_pay_permission(request):
            raise PermissionDenied


def _decided(supplier_ref: str) -> list[dict[str, Any]]:
    """Return a supplier's accounts but the one that waits: that stands above all."""
    found = queries.payees_of(supplier_ref)
    return _shown([payee for payee in found if payee.state != PayeeState.WAITING])


def _shown(found: list[Payee]) -> list[dict[str, Any]]:
    return [
        {
            "is": payee,
            "kind": gettext(KINDS[payee.kind]),
            "state": gettext(STATES[payee.state]),
            "detail": " · ".join(part for part in rules.masked(payee.detail).values() if part),
        }
        for payee in found
    ]


def _propose(request: HttpRequest) -> str:
    sent = request.POST
    kind = sent.get("kind", "")
    payees.propose(
        supplier_ref=sent.get("supplier", "")[:60],
        kind=kind,
        gateway=sent.get("gateway", "")[:20] if kind == "account" else "",
        given={name: sent.get(name, "")[:120] for name in rules.WORDS},
        actor_ref=actor_of(request),
    )
    return gettext("Saved. A second person confirms or refuses it.")
