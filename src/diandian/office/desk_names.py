"""What the operator's desk calls rooms and lists, in each language; the rooms need no such words.

Django's own desk ships translations; the frame around it (django-unfold) ships none, so the words
of that frame that an operator meets are named here, which brings them into our own translations.
"""

from collections.abc import Iterable

from django.apps import apps
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from diandian.kernel.errors import N_
from diandian.office.desk_columns import COLUMNS

ROOMS = {
    "audit": _("Trail"),
    "certificates": _("Certificates"),
    "leaderboards": _("Boards"),
    "ledger": _("Books"),
    "orders": _("Orders"),
    "payments": _("Payments"),
    "people": _("People and organisations"),
    "reconciliation": _("Statements"),
    "registry": _("Registry"),
    "scenes": _("Scenes"),
    "settlement": _("Settlement"),
}

# One of a list, and the list.
LISTS = {
    "scenes.Scene": (_("Scene"), _("Scenes")),
    "leaderboards.NameReport": (_("reported name"), _("reported names")),
    "people.Organisation": (_("organisation"), _("organisations")),
    "registry.Programme": (_("credit programme"), _("credit programmes")),
    "registry.Project": (_("project"), _("projects")),
    "registry.CreditBatch": (_("credit batch"), _("credit batches")),
    "registry.ProjectSite": (_("project site"), _("project sites")),
    "registry.CancellationRequest": (_("request to cancel"), _("requests to cancel")),
    "registry.Recall": (_("recall"), _("recalls")),
    "registry.UpstreamRetirement": (_("retirement outside"), _("retirements outside")),
    "registry.Retirement": (_("retirement"), _("retirements")),
    "orders.Offer": (_("offer"), _("offers")),
    "orders.Order": (_("order"), _("orders")),
    "orders.Intake": (_("order to fulfil"), _("orders to fulfil")),
    "payments.Payment": (_("payment"), _("payments")),
    "payments.Refund": (_("refund"), _("refunds")),
    "payments.Dispute": (_("dispute"), _("disputes")),
    "payments.MoneyRequest": (_("request to a second person"), _("requests to a second person")),
    "payments.Notification": (_("notice of a gateway"), _("notices of gateways")),
    "settlement.Payee": (_("supplier's account"), _("suppliers' accounts")),
    "settlement.Batch": (_("payout to a supplier"), _("payouts to suppliers")),
    "settlement.Line": (_("amount owed to a supplier"), _("amounts owed to suppliers")),
    "settlement.Split": (_("part divided off"), _("parts divided off")),
    "settlement.Return": (_("part taken back"), _("parts taken back")),
    "ledger.Journal": (_("journal"), _("journals")),
    "ledger.Transfer": (_("transfer"), _("transfers")),
    "ledger.ClosedDay": (_("closed day"), _("closed days")),
    "ledger.SalesSwitch": (_("pause of sales"), _("pauses of sales")),
    "reconciliation.GatewayDay": (_("day of a gateway"), _("days of gateways")),
    "reconciliation.GatewayPayout": (_("payout to our bank"), _("payouts to our bank")),
    "certificates.Certificate": (_("certificate"), _("certificates")),
    "audit.AuditEntry": (_("entry of the trail"), _("entries of the trail")),
    "audit.OutboxEvent": (_("event to deliver"), _("events to deliver")),
}

# The frame asks for these by the same words.
FRAME = (
    *(N_("Type to search"), N_("Search apps and models..."), N_("No results found")),
    *(N_("Filters"), N_("Apply Filters"), N_("Clear all filters"), N_("Reset filters")),
    *(N_("Filter navigation items"), N_("All applications"), N_("Recent searches")),
    *(N_("No recent searches"), N_("No results matching your query"), N_("No data")),
    *(N_("Show all"), N_("Next"), N_("Previous"), N_("General"), N_("Toggle sorting")),
    *(N_("Remove from sorting"), N_("Expand row"), N_("More actions"), N_("Go back")),
    *(N_("Light"), N_("Dark"), N_("System"), N_("Return to site"), N_("Unknown")),
    *(N_("Cancel"), N_("Submit"), N_("True"), N_("False"), N_("Loading more results...")),
    N_("This page yielded into no results. Create a new item or reset your filters."),
    N_("Toggle password visibility"),
    N_("You have been successfully logged out from the administration"),
)


def _heading(words: str) -> str:
    return capfirst(gettext(words))


_heading_lazy = lazy(_heading, str)


def column_name(field: str, model: str = "") -> str:
    """Return what a column is called, in the language of whoever looks; the unit is not named."""
    words = field.removesuffix("_g").removesuffix("_minor").replace("_", " ")
    return _heading_lazy(COLUMNS.get(f"{model} {words}") or COLUMNS.get(words, words))


def name_lists(models: Iterable[str]) -> None:
    """Give rooms, lists and columns their names. ``models``: by "room.Model", all named here."""
    for label, words in ROOMS.items():
        apps.get_app_config(label).verbose_name = words
    for name in models:
        # Migrations read what a model itself declares, not this.
        options = apps.get_model(name)._meta
        options.verbose_name, options.verbose_name_plural = LISTS[name]
        for field in options.concrete_fields:
            field.verbose_name = column_name(field.name, name)
