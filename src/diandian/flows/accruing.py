"""From the books to what suppliers are owed: one line for each journal that owes them something.

Read from the books themselves, so that nothing on the path of a sale waits for it and nothing can
be left out. *Source:* payments design, sections 8 and 10.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from diandian.flows import split_terms
from diandian.kernel.clock import now
from diandian.kernel.money import Money
from diandian.ledger import chart
from diandian.ledger.models import Transfer
from diandian.ledger.rules import vat_within
from diandian.orders.models import Order
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.models import Payment
from diandian.registry import queries as registry_queries
from diandian.settlement import queries
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.models import Line, LineKind, Rail

_KINDS = {
    "sale": LineKind.SALE,
    "purchase": LineKind.SALE,
    "completion": LineKind.COMPLETION,
    "remedy": LineKind.REMEDY,
    "refund_settled": LineKind.ADVANCE,
    "dispute_lost": LineKind.ADVANCE,
    "part_owed": LineKind.ADVANCE,
    "part_given_back": LineKind.ADVANCE,
}
# A journal becomes visible at its commit; none takes this long.
_LOOK_BACK = timedelta(days=2)


def accrue(limit: int = 200, *, at: datetime | None = None) -> int:
    """Make the lines that are not there yet, oldest first. Returns how many. Idempotent."""
    newest = queries.accrued_through()
    since = newest - _LOOK_BACK if newest else date.min
    missing = owed_without_line().filter(journal__business_day__gte=since)
    found = list(missing.select_related("journal").order_by("journal_id")[:limit])
    return line_actions.accrue(_lines(found, at or now())) if found else 0


def accrue_of(owner_ref: str, *, at: datetime) -> int:
    """Make the lines of one order that are not there yet. Returns how many. Idempotent."""
    missing = owed_without_line().filter(journal__owner_ref=owner_ref)
    found = list(missing.select_related("journal").order_by("journal_id"))
    return line_actions.accrue(_lines(found, at)) if found else 0


def owed_without_line() -> QuerySet[Transfer]:
    """Return every transfer that owes a supplier something and has no line."""
    owed = Q(credit_code__contains=f":{chart.SUPPLIER_PAYABLE}:") | Q(
        credit_code__endswith=f":{chart.GROSS_CONTRA}:retired"
    )
    known = Line.objects.filter(source_ref=OuterRef("journal__source_ref"))
    return Transfer.objects.filter(owed, ~Exists(known), journal__kind__in=_KINDS)


def _lines(transfers: Sequence[Transfer], at: datetime) -> list[Line]:
    orders = _orders(transfers)
    suppliers = {
        project.supplier_ref.replace(":", "-"): project.supplier_ref
        for project in registry_queries.projects(active_only=False)
    }
    lines = []
    for transfer in transfers:
        order = orders.get(transfer.journal.owner_ref)
        if order is not None and transfer.journal.kind in {"sale", "purchase"}:
            lines.append(_of_order(transfer, order))
        else:
            account = transfer.credit_code.rpartition(":")[2]
            lines.append(_without_order(transfer, suppliers.get(account, account), at))
    return lines


def _orders(transfers: Sequence[Transfer]) -> Mapping[str, Order]:
    numbers = [
        int(ref.removeprefix("order:"))
        for ref in (transfer.journal.owner_ref for transfer in transfers)
        if ref.startswith("order:") and ref.removeprefix("order:").isdigit()
    ]
    rows = Order.objects.filter(id__in=numbers).select_related("quote", "project", "paid_by")
    return {order.ref: order for order in rows.defer("quote__estimate")}


def _of_order(transfer: Transfer, order: Order) -> Line:
    quote, journal, payment = order.quote, transfer.journal, order.paid_by
    taxed = quote.total_minor if order.settlement == "principal" else quote.fee_minor
    due_from = journal.created_at + timedelta(days=settings.SETTLEMENT_REFUND_DAYS)
    return Line(
        source_ref=journal.source_ref,
        owner_ref=order.ref,
        kind=LineKind.SALE,
        supplier_ref=order.project.supplier_ref,
        project_code=order.project.code,
        payment_no=payment.payment_no if payment else "",
        gateway=payment.gateway if payment else "",
        settlement=order.settlement,
        rail=_rail_of(payment),
        currency=quote.currency,
        gross_minor=quote.total_minor,
        fee_minor=quote.fee_minor,
        vat_minor=vat_within(Money(taxed, quote.currency)).amount_minor,
        supplier_minor=quote.supplier_minor,
        mass_g=order.mass_g,
        booked_on=journal.business_day,
        due_from=due_from,
        next_look_at=due_from,
    )


def _rail_of(payment: Payment | None) -> str:
    """Return by which way a part travels: the gateway's where it can, a bank's for our own."""
    if payment is None or payment.settlement == "principal":
        return Rail.BANK
    try:
        return Rail.GATEWAY if split_terms.terms_of(payment) else Rail.BANK
    except UnknownGatewayError:
        # A merchant that is not in use any more: the part waits until somebody looks.
        return Rail.GATEWAY


def _without_order(transfer: Transfer, supplier_ref: str, at: datetime) -> Line:
    journal = transfer.journal
    return Line(
        source_ref=journal.source_ref,
        owner_ref=journal.owner_ref,
        kind=_KINDS[journal.kind],
        supplier_ref=supplier_ref,
        rail=Rail.BANK,
        currency=transfer.currency,
        gross_minor=transfer.amount_minor,
        supplier_minor=transfer.amount_minor,
        booked_on=journal.business_day,
        due_from=journal.created_at,
        next_look_at=at,
    )
