"""The operator's desk: lists of scenes, credits, orders, payments and the trail, to read only.

Money and credits change through flows alone, so no row can be added, changed or deleted here. What
can be done: approve the scene of an organiser (``approval.py``), decide about a reported name
(``name_reports.py``), keep the credits (``credits.py``) and recall them (``recalls.py``), see to
money that goes back (``money_back.py``), and sign what statements of gateways say otherwise
(``reconcile.py``) and what gateways pay out to our bank (``gateway_payouts.py``), each by a flow;
and try again to tell what was given up (``undelivered.py``).
Whether gateways are well is only looked at (``lines.py``).
Secret links of guests and their answers are not shown: an operator helps by number, not by token.
*Source:* architecture, sections 2 (office) and 10.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import JSONField, Model
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from diandian.kernel.money import Money
from diandian.office.approval import ApprovesScenes
from diandian.office.credits import KeepsCredits
from diandian.office.desk_names import column_name, name_lists
from diandian.office.desk_states import filter_of, has_words, state_word
from diandian.office.gateway_payouts import KeepsGatewayPayouts
from diandian.office.lines import WatchesGateways
from diandian.office.money_back import GivesMoneyBack
from diandian.office.name_reports import DecidesNames
from diandian.office.offers import ShowsOffers
from diandian.office.recalls import KeepsRecalls
from diandian.office.reconcile import ReconcilesDays
from diandian.office.settlement import KeepsPayouts
from diandian.office.sign_in import SignInForm
from diandian.office.suppliers import KeepsPayees
from diandian.office.tonnes import ShowsTonnes
from diandian.office.undelivered import TriesEventsAgain
from diandian.ui.format import exact_mass, money, pick

admin.site.login_form = SignInForm
admin.site.index_template = "office/desk/index.html"
admin.site.index_title = _("To look things up; money and credits cannot be changed here")


@dataclass(frozen=True, slots=True)
class Desk:
    """One list. ``hidden``: columns that no desk shows; ``related``: read along for the list.

    ``acts``: what can be done there, which is otherwise nothing.
    """

    model: str
    columns: tuple[str, ...]
    filters: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    acts: type | None = None


_WITH_UNIT = ("_g", "_minor")

# By "room.Model": doors may not import the models of money and credits, and need no more than read.
DESKS = (
    Desk(
        "scenes.Scene",
        ("slug", "names", "kind", "state", "starts_on", "ends_on", "stated_total_g", "is_sample"),
        ("state", "kind", "is_sample"),
        ("slug", "search_text"),
        # The secret link of a draft is its host's; questions stand above the facts, in words.
        hidden=("search_text", "test_token", "sponsor_token", "composed"),
        acts=ApprovesScenes,
    ),
    Desk(
        "leaderboards.NameReport",
        ("id", "name", "reason", "note", "state", "reported_at"),
        ("state", "reason"),
        ("name", "note"),
        # The guest's key opens what the guest has.
        hidden=("guest_key",),
        acts=DecidesNames,
    ),
    Desk(
        "people.Organisation",
        ("legal_name", "tax_number", "country", "created_at"),
        ("country",),
        ("legal_name", "tax_number"),
    ),
    Desk("registry.Programme", ("code", "names", "level", "is_simulated")),
    Desk(
        "registry.Project",
        ("code", "names", "programme", "methodology_code", "is_active", "is_sample"),
        ("programme", "is_active"),
        ("code",),
        related=("programme",),
    ),
    Desk(
        "registry.CreditBatch",
        ("public_id", "project", "serial_block", "vintage_year", "state", "custody", "total_g"),
        ("state", "custody", "vintage_year", "is_ex_ante"),
        ("public_id", "serial_block__raw", "project__code"),
        related=("project", "serial_block"),
        acts=KeepsCredits,
    ),
    Desk(
        "registry.ProjectSite",
        ("code", "project", "area_m2", "planted_on", "methodology_code", "withdrawn_at"),
        ("project",),
        ("code", "project__code"),
        hidden=("corners",),
        related=("project",),
    ),
    Desk(
        "registry.CancellationRequest",
        ("batch", "mass_g", "reason", "state", "asked_by", "decided_by", "asked_at"),
        ("state",),
        ("batch__public_id",),
        related=("batch",),
    ),
    Desk(
        "registry.Recall",
        ("public_id", "batch", "state", "opened_by", "approved_by", "opened_at"),
        # They stand above the facts, as the public reads them.
        hidden=("texts",),
        related=("batch",),
        acts=KeepsRecalls,
    ),
    Desk(
        "registry.UpstreamRetirement",
        ("batch", "first_serial", "last_serial", "reference", "retired_at", "is_simulated"),
        search=("reference", "batch__public_id"),
        related=("batch",),
        acts=ShowsTonnes,
    ),
    Desk(
        "registry.Retirement",
        ("public_id", "project", "mass_g", "vintage_year", "context_ref", "retired_at"),
        ("project", "vintage_year", "is_sample"),
        ("public_id", "source_ref", "context_ref"),
        related=("project",),
    ),
    Desk(
        "orders.Offer",
        ("project", "price_per_tonne_minor", "fee_basis_points", "position", "is_active"),
        ("is_active",),
        related=("project",),
        acts=ShowsOffers,
    ),
    Desk(
        "orders.Order",
        ("id", "state", "project", "mass_g", "scene", "created_at", "completed_at"),
        ("state", "project", "scene"),
        ("=id", "payment_links__payment__payment_no"),
        hidden=(
            *("token", "guest_key", "idempotency_key", "body_sha256"),
            # Both open a guest's calculation by its own name.
            *("quote", "footprint"),
        ),
        related=("project", "scene"),
    ),
    Desk(
        "orders.Intake",
        ("order", "state", "attempts", "error", "created_at"),
        ("state",),
        related=("order",),
    ),
    Desk(
        "payments.Payment",
        ("payment_no", "state", "amount_minor", "gateway", "owner_ref", "created_at", "paid_at"),
        ("state", "gateway", "is_late"),
        ("payment_no", "owner_ref", "gateway_ref"),
        hidden=("instruction",),
    ),
    Desk(
        "payments.Refund",
        ("refund_no", "state", "kind", "payment", "amount_minor", "reason", "created_at"),
        ("state", "kind", "reason"),
        ("refund_no", "payment__payment_no"),
        related=("payment",),
        acts=GivesMoneyBack,
    ),
    Desk(
        "payments.Dispute",
        ("dispute_ref", "state", "payment", "amount_minor", "fee_minor", "opened_at", "ended_at"),
        ("state", "is_odd"),
        ("dispute_ref", "payment__payment_no"),
        related=("payment",),
    ),
    Desk(
        "payments.MoneyRequest",
        ("id", "kind", "payment", "amount_minor", "state", "asked_by", "decided_by", "asked_at"),
        ("kind", "state"),
        ("payment__payment_no", "reason"),
        related=("payment",),
    ),
    Desk(
        "payments.Notification",
        ("notice_id", "kind", "payment_no", "state", "attempts", "received_at"),
        ("state", "kind"),
        ("notice_id", "payment_no"),
        acts=WatchesGateways,
    ),
    Desk(
        "settlement.Payee",
        ("supplier_ref", "kind", "gateway", "state", "proposed_by", "decided_by", "active_from"),
        ("state", "kind"),
        ("supplier_ref",),
        # Shown in part on the page of suppliers.
        hidden=("detail",),
        acts=KeepsPayees,
    ),
    Desk(
        "settlement.Batch",
        ("number", "supplier_ref", "rail", "net_minor", "state", "drafted_at", "paid_at"),
        ("state", "rail", "currency"),
        ("number", "supplier_ref"),
        hidden=("payee", "statement"),
        acts=KeepsPayouts,
    ),
    Desk(
        "settlement.Line",
        ("owner_ref", "kind", "supplier_ref", "supplier_minor", "state", "waits_for", "paid_at"),
        ("state", "kind", "rail", "waits_for"),
        ("owner_ref", "supplier_ref", "payment_no", "project_code"),
    ),
    Desk(
        "settlement.Split",
        ("split_no", "line", "state", "reason", "created_at", "sent_at"),
        ("state",),
        ("split_no", "line__owner_ref"),
        hidden=("receiver",),
        related=("line",),
    ),
    Desk(
        "settlement.Return",
        ("return_no", "line", "way", "cause", "state", "reason", "created_at"),
        ("state", "way"),
        ("return_no", "line__owner_ref"),
        related=("line",),
    ),
    Desk(
        "ledger.Journal",
        ("source_ref", "kind", "owner_ref", "business_day", "created_at"),
        ("kind", "business_day"),
        ("source_ref", "owner_ref"),
    ),
    Desk(
        "ledger.Transfer",
        ("journal", "debit_code", "credit_code", "amount_minor"),
        ("currency",),
        ("journal__source_ref", "debit_code", "credit_code"),
        related=("journal",),
    ),
    Desk(
        "reconciliation.GatewayDay",
        ("merchant_key", "day", "state", "problem", "matched_at", "closed_at"),
        ("state", "merchant_key"),
        hidden=("figures",),
        acts=ReconcilesDays,
    ),
    Desk(
        "reconciliation.GatewayPayout",
        ("id", "merchant_key", "paid_on", "amount_minor", "state", "payout_ref", "bank_ref"),
        ("state", "merchant_key"),
        ("payout_ref", "bank_ref"),
        acts=KeepsGatewayPayouts,
    ),
    Desk("ledger.ClosedDay", ("day", "first_day", "journals", "retirements", "closed_by")),
    Desk("ledger.SalesSwitch", ("at", "is_open", "reason", "actor_ref"), ("is_open",)),
    Desk(
        "certificates.Certificate",
        ("code", "state", "version", "promised_by", "order_ref", "issued_at"),
        ("state",),
        ("code", "order_ref"),
        hidden=("credential",),
        related=("retirement",),
    ),
    Desk(
        "audit.AuditEntry",
        ("id", "at", "actor_ref", "action", "subject_ref"),
        ("action",),
        ("subject_ref", "actor_ref"),
    ),
    Desk(
        "audit.OutboxEvent",
        ("key", "kind", "state", "attempts", "available_at", "error"),
        ("state", "kind"),
        ("key",),
        acts=TriesEventsAgain,
    ),
)


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold publishes no types
    """A list and a page of facts without any way to write."""

    list_per_page = 50
    # Counting millions of retirements for a footer is not worth the wait.
    show_full_result_count = False
    actions = None
    hidden: tuple[str, ...] = ()

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the contract of Django
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Refuse."""
        return False

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:  # noqa: ARG002
        """Return the newest first, where rows stand as they came; else the model's own order."""
        return ("-id",) if list(self.opts.ordering) == ["id"] else ()

    def get_fields(
        self,
        request: HttpRequest,  # noqa: ARG002 - the contract of Django
        obj: Model | None = None,  # noqa: ARG002
    ) -> list[str | Callable[[Any], str | None]]:
        """Return every column that a desk may show; money and mass with their units."""
        names = [field.name for field in self.opts.concrete_fields if field.name != "id"]
        return [
            _column(self.model, name)
            if name.endswith(_WITH_UNIT) or has_words(self.opts.label, name)
            else name
            for name in names
            if name not in self.hidden
        ]


def _column(model: type[Model], name: str) -> str | Callable[[Any], str | None]:
    """Return how a column is shown: grams, money and texts as people read them."""
    write = _writer(model, name)
    if write is None:
        return name

    def column(row: Any) -> str | None:  # noqa: ANN401 - rows of every room
        value = getattr(row, name)
        return None if value is None else write(row, value)

    return admin.display(description=column_name(name, model._meta.label), ordering=name)(column)


def _writer(model: type[Model], name: str) -> Callable[[Any, Any], str] | None:
    lang = get_language
    if has_words(model._meta.label, name):
        return lambda _, value: state_word(model._meta.label, name, value)
    if name.endswith("_g"):
        return lambda _, value: exact_mass(value, lang() or "en")
    if name.endswith("_minor"):
        return lambda row, value: money(Money(value, _currency(row, name)), lang() or "en")
    if isinstance(model._meta.get_field(name), JSONField):
        return lambda _, value: pick(value, lang() or "en").replace("|", "")
    return None


def _currency(row: Any, name: str) -> str:  # noqa: ANN401 - rows of every room
    if hasattr(row, "received"):  # a payment, which may have brought another currency
        return str(row.currency if name == "amount_minor" else row.received.currency)
    if hasattr(row, "currency"):
        return str(row.currency)
    return str(row.line.currency if hasattr(row, "line") else row.payment.received.currency)


def _register(desks: Sequence[Desk]) -> None:
    name_lists(desk.model for desk in desks)
    for desk in desks:
        model = apps.get_model(desk.model)
        settings: dict[str, object] = {
            "list_display": [_column(model, name) for name in desk.columns],
            "list_filter": [filter_of(model, name) for name in desk.filters],
            "search_fields": desk.search,
            "list_select_related": desk.related or False,
            "hidden": desk.hidden,
        }
        bases = (desk.acts, ReadOnlyAdmin) if desk.acts else (ReadOnlyAdmin,)
        admin.site.register(model, type(f"{model.__name__}Desk", bases, settings))


_register(DESKS)
