"""What the operator's desk calls states and kinds, in each language.

A model's own labels stay as they are: migrations keep them, and the log writes the bare values. By
list and field; what a page of the desk says of a value, its list says as well.
"""

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any

from django.contrib.admin import AllValuesFieldListFilter, ChoicesFieldListFilter
from django.db.models import Field, Model
from django.utils.translation import get_language, gettext

from diandian.emissions.scene_kind import scene_kinds
from diandian.kernel.errors import N_
from diandian.office import credits as credit_batches
from diandian.office import money_decisions, recall_form, reconcile_words, suppliers
from diandian.registry.recalls import errors as recalls
from diandian.ui.format import pick

_PERSONS = {
    "person": N_("a person"),
    "host": N_("the host"),
    "company": N_("a company"),
    "sponsor": N_("a sponsor"),
}
_REQUESTS = {
    "waiting": N_("waits for a second person"),
    "done": N_("done"),
    "refused": N_("refused"),
}
# Of one order to a gateway: accepted is not paid, and unknown is not failed.
_ORDERS_TO_GATEWAYS = {
    "queued": N_("to be sent"),
    "submitted": N_("sent"),
    "unknown": N_("nobody knows yet whether it was done"),
    "paid": N_("paid"),
    "failed": N_("failed"),
}
RAILS = {"gateway": N_("by the gateway"), "bank": N_("by bank")}
PAYOUT_STATES = {
    "draft": N_("draft"),
    "locked": N_("locked, to be approved by a second person"),
    "approved": N_("approved, to be sent to the bank"),
    "submitted": N_("sent to the bank"),
    "partly_paid": N_("partly paid"),
    "paid": N_("paid"),
    "reconciled": N_("found in the bank's statement"),
    "cancelled": N_("cancelled"),
}
# Who collects, as the file of merchants says it.
_SETTLEMENTS = {
    "gateway_split": N_("the supplier collects"),
    "connect": N_("we collect, and the gateway passes it on"),
    "principal": N_("we sell what we bought"),
}
_MODES = {"live": N_("real money"), "test": N_("test mode")}

# Its names come with its folder.
_SCENE_KIND = ("scenes.Scene", "kind")

BANKS_WORDS = {
    "open": N_("not decided yet"),
    "won": N_("won: the money is back"),
    "lost": N_("lost: the money is gone"),
}
STATES: Mapping[str, Mapping[str, str]] = {
    "scenes.Scene state": {
        "draft": N_("draft"),
        "submitted": N_("waits for approval"),
        "published": N_("open to guests"),
        "withdrawn": N_("taken down"),
    },
    "scenes.Scene travel_owner": {
        "guest": N_("the guests"),
        "organiser": N_("the organiser"),
        "split": N_("each a part"),
    },
    "scenes.Scene cover_state": {
        "": N_("nothing"),
        "some": N_("some lines"),
        "all": N_("all, for good"),
    },
    "scenes.Scene sponsoring": {
        "": N_("not open"),
        "closed": N_("no longer open"),
        "guests": N_("lines of guests"),
        "rest": N_("the open rest"),
        "both": N_("lines of guests and the open rest"),
    },
    "scenes.Scene claim_style": {
        "compensation": N_("compensation claim"),
        "contribution": N_("contribution claim"),
    },
    "scenes.Scene audience": {
        "unknown": N_("not known"),
        "guest": N_("the guests"),
        "company": N_("companies"),
        "event": N_("guests of an event"),
        "venue": N_("guests of a venue"),
    },
    "leaderboards.NameReport reason": {
        "insult": N_("an insult"),
        "private": N_("says something private"),
        "impostor": N_("poses as somebody else"),
        "advertising": N_("an advertisement"),
        "other": N_("other"),
    },
    "leaderboards.NameReport state": {
        "open": N_("to be decided"),
        "hidden": N_("hidden on the boards"),
        "kept": N_("the name stays as it is"),
        "gone": N_("no longer on the boards"),
    },
    "registry.Programme level": {
        "international": N_("international"),
        "national": N_("national"),
        "provincial": N_("provincial"),
        "city": N_("of a city"),
    },
    "registry.Project kind": {
        "solar": N_("solar power"),
        "wind": N_("wind power"),
        "biogas": N_("biogas"),
        "forest": N_("forest"),
        "biochar": N_("biochar"),
        "other": N_("other"),
    },
    "registry.CreditBatch custody": {
        "native": N_("account of our own"),
        "external": N_("account at the outside registry"),
    },
    "registry.CreditBatch credit_class": {
        "allowance": N_("emission allowance"),
        "ccer": N_("CCER"),
        "puhui": N_("Tan Puhui"),
        "other": N_("other"),
    },
    "registry.CreditBatch adjustment_declaration": {
        "committed": N_("promised by the host country"),
        "not_required": N_("not required"),
        "unknown": N_("not known"),
    },
    "registry.CreditBatch adjustment_status": {
        "not_started": N_("not begun"),
        "pending": N_("under way"),
        "completed": N_("completed"),
    },
    "registry.CreditBatch state": credit_batches.STATES,
    "registry.CancellationRequest state": _REQUESTS,
    "registry.CancellationRequest reason": credit_batches.CANCEL_REASONS,
    "registry.Recall kind": recall_form.KINDS,
    "registry.Recall reason": recall_form.REASONS,
    "registry.Recall state": recalls.STATES,
    "registry.Recall batch_was": credit_batches.STATES,
    "registry.Retirement holder_kind": _PERSONS,
    "registry.Retirement purpose": {
        "trip": N_("Trip"),
        "lump_sum": N_("Amount without a trip"),
        "life": N_("Year of life"),
        "completion": N_("Rest of a tonne, bought by the platform"),
        "remedy": N_("In place of recalled tonnes"),
    },
    "orders.Order holder_kind": _PERSONS,
    "orders.Order settlement": _SETTLEMENTS,
    "orders.Order state": money_decisions.STATES,
    "orders.Order withdrawal": {
        "": N_("there is none"),
        "waived": N_("given up: retired at once"),
        "kept": N_("kept: waits until it ends"),
        "used": N_("used: the money goes back"),
    },
    "orders.Intake state": {
        "waiting": N_("waits to be fulfilled"),
        "parked": N_("set aside: people decide"),
        "done": N_("fulfilled"),
        "impossible": N_("cannot be fulfilled"),
    },
    "payments.Payment mode": _MODES,
    "payments.Payment settlement": _SETTLEMENTS,
    "payments.Payment state": {
        "created": N_("not sent yet"),
        "submitted": N_("sent to the gateway"),
        "unknown": N_("nobody knows yet whether it was paid"),
        "pending": N_("waits for the payer"),
        "failed": N_("payment failed"),
        "closed": N_("closed without a payment"),
        "succeeded": N_("payment received"),
    },
    "payments.Refund kind": money_decisions.REFUND_KINDS,
    "payments.Refund reason": {
        "withdrawn": N_("the guest withdrew"),
        "duplicate": N_("paid twice"),
        "unfulfillable": N_("the order could not be fulfilled"),
        "decided": N_("decided by people"),
        "decided_aside": N_("decided by people"),
        "decided_part": N_("a part, decided by people"),
        "goodwill": N_("goodwill, at our cost"),
        "console": N_("in the gateway's console"),
    },
    "payments.Refund state": money_decisions.REFUND_STATES,
    "payments.Dispute state": BANKS_WORDS,
    "payments.Dispute told_state": BANKS_WORDS,
    "payments.MoneyRequest kind": {
        "goodwill": N_("Goodwill refund after the retirement"),
        "otherwise": N_("Refund paid by other means"),
    },
    "payments.MoneyRequest state": _REQUESTS,
    "payments.Notification state": {
        "verified": N_("verified, not applied yet"),
        "applied": N_("applied"),
        "parked": N_("set aside, tried again"),
        "dead": N_("given up: people must look"),
    },
    "settlement.Payee kind": suppliers.KINDS,
    "settlement.Payee state": suppliers.STATES,
    "settlement.Batch rail": RAILS,
    "settlement.Batch state": PAYOUT_STATES,
    "settlement.Line kind": {
        "sale": N_("sale of credits"),
        "completion": N_("rest of a tonne"),
        "remedy": N_("replacement"),
        "claim": N_("claim"),
        "advance": N_("refund paid for us"),
        "fee_back": N_("our fee that goes back"),
        "given_back": N_("share of a refund that did not happen"),
        "again": N_("part that the bank sent back"),
    },
    "settlement.Line rail": RAILS,
    "settlement.Line state": {
        "waiting": N_("not due yet"),
        "due": N_("due"),
        "queued": N_("to be sent"),
        "submitted": N_("sent"),
        "unknown": N_("nobody knows yet whether it was done"),
        "paid": N_("paid"),
        "failed": N_("failed"),
        "reversing": N_("being taken back"),
        "reversed": N_("taken back"),
    },
    "settlement.Line rest": {
        "held": N_("held for parts that will not come"),
        "released": N_("let go"),
        "refused": N_("not let go early"),
    },
    "settlement.Line waits_for": {
        "dispute": N_("the end of a dispute"),
        "refund_window": N_("the end of the time for refunds"),
        "gateway": N_("the gateway"),
        "statement": N_("the gateway’s statement"),
        "supplier": N_("an account of the supplier"),
        "merchant": N_("its merchant in the file of merchants"),
    },
    "settlement.Split state": _ORDERS_TO_GATEWAYS,
    "settlement.Return way": {
        "forgone": N_("not paid at all"),
        "reversed": N_("taken back"),
        "claimed": N_("taken off the next payout"),
        "owed": N_("added to the next payout"),
    },
    "settlement.Return cause": {
        "goodwill": N_("goodwill, at our cost"),
        "dispute": N_("dispute"),
    },
    "settlement.Return state": _ORDERS_TO_GATEWAYS,
    # The commonest; rarer ones are written as the log writes them.
    "ledger.Journal kind": {
        "capture": N_("payment received"),
        "sale": N_("sale of credits"),
        "purchase": N_("purchase of credits"),
        "remedy": N_("replacement"),
        "completion": N_("rest of a tonne"),
        "payout": N_("payout to a supplier"),
        "transfer": N_("part divided off"),
        "part_owed": N_("our fee back to the supplier"),
        "part_given_back": N_("share of a refund that did not happen"),
        "part_taken_up": N_("share of a refund that did not happen"),
        "gateway_fee": N_("fee of the gateway"),
        "gateway_payout": N_("payout to our bank"),
        "gateway_payout_undone": N_("payout to our bank undone"),
        "refund_requested": N_("refund asked for"),
        "refund_settled": N_("refund done"),
        "refund_failed": N_("refund failed"),
        "dispute_opened": N_("dispute opened"),
        "dispute_lost": N_("dispute lost"),
        "dispute_fee": N_("fee of a dispute"),
        "dispute_won": N_("dispute won"),
        "dispute_undone": N_("dispute undone, to be booked anew"),
        "unallocated": N_("money set aside"),
        "allocated": N_("money assigned to an order"),
        "reversal": N_("reversing entry"),
    },
    "reconciliation.GatewayDay mode": _MODES,
    "reconciliation.GatewayDay state": reconcile_words.STATES,
    "reconciliation.GatewayPayout mode": _MODES,
    "reconciliation.GatewayPayout state": {
        "asked": N_("waits for a second person"),
        "booked": N_("booked"),
        "refused": N_("refused"),
    },
    "certificates.Certificate state": {
        "current": N_("in force"),
        "superseded": N_("replaced by a newer version"),
        "revoked": N_("revoked"),
    },
    "audit.OutboxEvent state": {
        "pending": N_("to be delivered"),
        "done": N_("delivered"),
        "dead": N_("given up: people must look"),
    },
}


def has_words(model: str, field: str) -> bool:
    """Tell whether values of a field have words here. ``model``: "room.Model"."""
    return f"{model} {field}" in STATES or (model, field) == _SCENE_KIND


def state_word(model: str, field: str, value: str) -> str:
    """Return what a value is called, in the language of whoever looks; else the value itself."""
    if (model, field) == _SCENE_KIND:
        kind = scene_kinds().get(value)
        return pick(kind.names, get_language() or "en") if kind else value
    words = STATES.get(f"{model} {field}", {})
    return gettext(words[value]) if value in words else value


def filter_of(model: type[Model], name: str) -> str | tuple[str, type]:
    """Return a filter of a list that calls values as the list does."""
    if not has_words(model._meta.label, name):
        return name
    has_choices = bool(getattr(model._meta.get_field(name), "choices", None))
    return name, _FilterByChoice if has_choices else _FilterByValue


class _FilterByChoice(ChoicesFieldListFilter):
    """A model's choices, in words of the desk."""

    def __init__(self, field: "Field[Any, Any]", *given: Any, **named: Any) -> None:  # noqa: ANN401
        own = copy(field)
        label = field.model._meta.label
        own.choices = [
            (value, state_word(label, field.name, value)) for value, _label in field.flatchoices
        ]
        super().__init__(own, *given, **named)


class _FilterByValue(AllValuesFieldListFilter):
    """The values that occur, in words of the desk."""

    def choices(self, changelist: Any) -> Iterator[Any]:  # noqa: ANN401 - as Django gives it
        label = self.field.model._meta.label
        for row in super().choices(changelist):
            row["display"] = state_word(label, self.field.name, str(row["display"]))
            yield row
