"""What must hold between the rooms, at every commit; read from all rows: not for every request.

Each room checks itself; here grams meet orders, and money meets payments.
*Source:* design of the registry, section 2 (R5, R7, R10, M3, M6); payments design, section 8
(monthly proof).
"""

from collections.abc import Iterator
from functools import partial

from django.db.models import (
    Case,
    CharField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Concat

from diandian.audit import invariants as audit_invariants
from diandian.audit.breaches import Breach, asked
from diandian.certificates.models import Certificate, CertificateState
from diandian.flows import line_claims, log_check, owed_suppliers, postings, reconcile_proof
from diandian.footprints import invariants as footprint_invariants
from diandian.footprints import queries as footprint_queries
from diandian.ledger import chart
from diandian.ledger import invariants as ledger_invariants
from diandian.ledger import queries as ledger_queries
from diandian.ledger.models import Journal, Transfer
from diandian.orders.models import (
    LIVE_STATES,
    Intake,
    IntakeState,
    Order,
    OrderState,
    Withdrawal,
)
from diandian.payments import invariants as payment_invariants
from diandian.payments.models import (
    Dispute,
    DisputeState,
    Payment,
    PaymentState,
    Refund,
    RefundState,
)
from diandian.registry import days as registry_days
from diandian.registry import invariants as registry_invariants
from diandian.registry.models import Holding
from diandian.registry.origin import only_held
from diandian.registry.queries import LIVE_HOLDS
from diandian.settlement import invariants as settlement_invariants
from diandian.transparency.invariants import Published

_HOLDS_GRAMS = (OrderState.AWAITING_PAYMENT, OrderState.PAID, OrderState.REVIEW)
_OF_DISPUTES = ("dispute_opened", "dispute_won", "dispute_undone")
_MAY_BE_PREPAID = (OrderState.PAID, OrderState.REVIEW, OrderState.UNFULFILLABLE)


def check(published: Published | None = None) -> list[Breach]:
    """Return every breach of the rooms' own invariants, and of those between them.

    ``published``: what of the log was published before the moment that is looked at; else now.

    Between the rooms: X1 to X9, M3 and M6 (an order's money), S5 (what suppliers are owed), R10
    (outside retirements), R5 (what is retired stays, as the closed days have it), L3 (what is
    published), L4 (the log's replay), M7 (closed days of gateways).
    """
    return asked(
        registry_invariants.check,
        ledger_invariants.check,
        payment_invariants.check,
        settlement_invariants.check,
        audit_invariants.check,
        footprint_invariants.check,
        partial(log_check.check, published),
        _retired_as_ordered,
        _held_as_ordered,
        _received_is_booked,
        _prepaid_is_open,
        _disputed_is_open,
        _paid_is_queued,
        _claimed_as_ordered,
        _waits_as_ordered,
        _sold_as_priced,
        owed_suppliers.check,
        _retired_outside,
        _days_as_closed,
        reconcile_proof.check,
    )


def _retired_as_ordered() -> Iterator[Breach]:
    """X1: completed orders have retirements of exactly their grams, no other order has one."""
    done = Q(state=OrderState.COMPLETED)
    whole = Q(retirement_link__retirement__mass_g=F("mass_g"))
    for order in Order.objects.filter(done).exclude(whole):
        yield Breach("X1", order.ref, "is completed without a retirement of its grams")
    for order in Order.objects.exclude(done).filter(retirement_link__isnull=False):
        yield Breach("X1", order.ref, f"is {order.state}, but its grams are retired")


def _held_as_ordered() -> Iterator[Breach]:
    """X2: an order that waits holds exactly its grams, no other order holds any."""
    live = Holding.objects.filter(state__in=LIVE_HOLDS, owner_ref__startswith="order:")
    held = dict(live.order_by().values_list("owner_ref").annotate(total=Sum("mass_g")))
    for order in Order.objects.filter(state__in=_HOLDS_GRAMS).iterator(chunk_size=2000):
        held_g = held.pop(order.ref, 0)
        if held_g != order.mass_g:
            yield Breach("X2", order.ref, f"holds {held_g} g of its {order.mass_g} g")
    for owner_ref, held_g in held.items():
        yield Breach("X2", owner_ref, f"holds {held_g} g and does not wait for anything")


def _received_is_booked() -> Iterator[Breach]:
    """X3: what gateways say was received and given back is what the ledger says."""
    paid = Payment.objects.filter(state=PaymentState.SUCCEEDED)
    for payment in paid.exclude(_has_journal("capture")).exclude(_has_journal("unallocated")):
        yield Breach("X3", f"payment:{payment.payment_no}", "was received and is not booked")
    for currency in ledger_queries.currencies():
        mine = Q(received_currency=currency) | Q(received_currency="", currency=currency)
        received = paid.filter(mine).aggregate(
            total=Sum(Coalesce("received_minor", "amount_minor"))
        )
        theirs = Q(payment__received_currency=currency) | Q(
            payment__received_currency="", payment__currency=currency
        )
        back = Refund.objects.filter(theirs, state=RefundState.SUCCEEDED).aggregate(
            total=Sum("amount_minor")
        )
        told = {"received": received["total"] or 0, "given back": back["total"] or 0}
        booked = {
            "received": _booked(currency, "capture", "unallocated"),
            "given back": _booked(currency, "refund_settled")
            - _booked(currency, "refund_unsettled"),
        }
        for what, amount in told.items():
            if amount != booked[what]:
                yield Breach(
                    "X3", f"currency:{currency}", f"{what} {amount}, but {booked[what]} is booked"
                )


def _has_journal(kind: str) -> Exists:
    source = Concat(Value("payment:"), OuterRef("payment_no"), Value(f":{kind}"))
    return Exists(Journal.objects.filter(source_ref=source))


def _booked(currency: str, *kinds: str) -> int:
    at_gateways = Q()
    for number in (chart.GATEWAY_CLEARING, chart.GROSS_AT_SUPPLIERS):
        for side in ("debit_code", "credit_code"):
            at_gateways |= Q(**{f"{side}__startswith": f"{currency}:{number}:"})
    rows = Transfer.objects.filter(at_gateways, currency=currency, journal__kind__in=kinds)
    return rows.aggregate(total=Sum("amount_minor"))["total"] or 0


def _prepaid_is_open() -> Iterator[Breach]:
    """X4: a paid order has exactly its price as prepayment, an order that ended has none."""
    prepaid = _prepaid()
    for order in (
        Order.objects.filter(state__in=_MAY_BE_PREPAID).select_related("quote").iterator(2000)
    ):
        amount = prepaid.pop(order.ref, 0)
        total = order.quote.total_minor
        lawful = {total}
        if order.state != OrderState.PAID:
            # Parts may have gone back, or to a bank, while people look.
            gone = _gone_of_price(order.ref)
            lawful = {0, total, total - gone}
        if amount not in lawful:
            yield Breach("X4", order.ref, f"is {order.state} with {amount} prepaid of {total}")
    for owner_ref, amount in prepaid.items():
        yield Breach("X4", owner_ref, f"has {amount} prepaid and gets nothing for it")


def _gone_of_price(owner_ref: str) -> int:
    """Return what of an owner's price went back, is on its way, or was lost to a bank."""
    refunds = Refund.objects.filter(
        payment__owner_ref=owner_ref, source=chart.CUSTOMER_PREPAYMENTS
    ).exclude(state=RefundState.FAILED)
    lost = Dispute.objects.filter(payment__owner_ref=owner_ref, source=chart.CUSTOMER_PREPAYMENTS)
    back = refunds.aggregate(total=Sum("amount_minor"))["total"] or 0
    return int(back + (lost.aggregate(total=Sum("covered_minor"))["total"] or 0))


def _disputed_is_open() -> Iterator[Breach]:
    """X9: what lies with payers' banks is what they dispute, out of the account that collected.

    And what they took for good, or may, is missing there and nowhere else.
    """
    at_supplier = Q(payment__settlement=postings.GATEWAY_SPLIT)
    for is_theirs in (False, True):
        rows = Dispute.objects.filter(at_supplier if is_theirs else ~at_supplier)
        open_minor = _by_currency(rows.filter(state=DisputeState.OPEN))
        gone_minor = _by_currency(rows.exclude(state=DisputeState.WON))
        number = chart.GROSS_AT_SUPPLIERS if is_theirs else chart.GATEWAY_CLEARING
        for currency in sorted({*ledger_queries.currencies(), *gone_minor}):
            with_banks = chart.disputed_funds(currency)
            if is_theirs:
                with_banks = chart.gross_contra(currency, chart.DISPUTED)
            booked = {
                with_banks: (ledger_queries.balance_of(with_banks), open_minor),
                f"{currency}:{number}": (_gone_of(f"{currency}:{number}:"), gone_minor),
            }
            for account, (found_minor, told) in booked.items():
                due_minor = told.get(currency, 0)
                if found_minor != due_minor:
                    detail = f"{found_minor} of chargebacks is booked, not {due_minor}"
                    yield Breach("X9", f"account:{account}", detail)


def _by_currency(rows: QuerySet[Dispute]) -> dict[str, int]:
    return dict(rows.order_by().values_list("currency").annotate(total=Sum("amount_minor")))


def _gone_of(accounts: str) -> int:
    """Return what chargebacks took out of accounts that begin so, less what came back."""
    rows = Transfer.objects.filter(journal__kind__in=_OF_DISPUTES)
    taken = rows.filter(credit_code__startswith=accounts).aggregate(total=Sum("amount_minor"))
    back = rows.filter(debit_code__startswith=accounts).aggregate(total=Sum("amount_minor"))
    return int(taken["total"] or 0) - int(back["total"] or 0)


def _prepaid() -> dict[str, int]:
    """Return what each owner has prepaid and neither received nor got back, where not zero."""
    accounts = [
        code
        for each in ledger_queries.currencies()
        for code in (chart.customer_prepayments(each), chart.gross_contra(each, "paid"))
    ]
    came_in = Q(credit_code__in=accounts)
    rows = (
        Transfer.objects.filter(came_in | Q(debit_code__in=accounts))
        .order_by()
        .values_list("journal__owner_ref")
        .annotate(left=Sum(Case(When(came_in, then=F("amount_minor")), default=-F("amount_minor"))))
        .exclude(left=0)
    )
    return {str(owner_ref): int(left) for owner_ref, left in rows}


def _paid_is_queued() -> Iterator[Breach]:
    """X5: every paid order is in the queue, so that it ends retired or refunded (M6)."""
    queued = Exists(Intake.objects.filter(order=OuterRef("pk"), state=IntakeState.WAITING))
    for order in Order.objects.filter(state=OrderState.PAID).exclude(queued):
        yield Breach("X5", order.ref, "is paid, and nothing waits to fulfil it")


def _claimed_as_ordered() -> Iterator[Breach]:
    """X6: a live order of a trip claims its guest's part, a cover what was quoted; no other claims.

    Nobody claims more grams than the order retires, or will retire (retirements >= claims).
    """
    claimed = footprint_queries.claimed_by_ref()
    covers = Q(holder_kind__in=line_claims.COVERERS, quote__cover__isnull=False)
    claims = Q(footprint__isnull=False) | covers
    live = Order.objects.filter(claims, state__in=LIVE_STATES).select_related("quote", "footprint")
    live = live.defer("footprint__estimate", "footprint__answers", "quote__estimate")
    for order in live.iterator(chunk_size=2000):
        claimed_g = claimed.pop(order.ref, 0)
        quoted = order.quote.cover or {}
        wanted_g = order.footprint.guest_g if order.footprint else quoted.get("claimed_g", 0)
        if claimed_g != wanted_g:
            yield Breach("X6", order.ref, f"claims {claimed_g} g of its {wanted_g} g")
        if claimed_g > order.mass_g:
            yield Breach("X6", order.ref, f"claims {claimed_g} g and retires {order.mass_g} g")
    for owner_ref, claimed_g in claimed.items():
        yield Breach("X6", owner_ref, f"claims {claimed_g} g and lives no more")


def _waits_as_ordered() -> Iterator[Breach]:
    """X7: what its guest may withdraw from is retired by nobody and comes up for nobody before."""
    kept = Order.objects.filter(withdrawal=Withdrawal.KEPT)
    early = Q(completed_at__lt=F("retire_after")) | Q(retire_after__isnull=True)
    for order in kept.filter(early, state=OrderState.COMPLETED):
        yield Breach("X7", order.ref, "was retired while its guest could withdraw")
    due_early = Q(intake__next_attempt_at__isnull=True) | Q(
        intake__next_attempt_at__lt=F("retire_after")
    )
    for order in kept.filter(due_early | Q(retire_after__isnull=True), state=OrderState.PAID):
        yield Breach("X7", order.ref, "comes up before its guest's right to withdraw ends")


def _sold_as_priced() -> Iterator[Breach]:
    """M3, M6: a completed order has one sale, of exactly its price; no other order has one."""
    source = Concat(Value("order:"), Cast(OuterRef("pk"), CharField()), Value(":sale"))
    sale = Transfer.objects.filter(journal__source_ref=source)
    booked = sale.order_by().values("currency").annotate(total=Sum("amount_minor")).values("total")
    orders = Order.objects.annotate(booked=Subquery(booked[:1]))
    done = Q(state=OrderState.COMPLETED)
    for order in orders.filter(done).exclude(booked=F("quote__total_minor")):
        yield Breach("M3", order.ref, "was sold for another amount than its price")
    for order in orders.exclude(done).filter(booked__isnull=False):
        yield Breach("M6", order.ref, f"is {order.state}, but its sale is booked")


def _retired_outside() -> Iterator[Breach]:
    """R10: a certificate that says retired touches no tonne that its registry only holds."""
    told = Certificate.objects.filter(state=CertificateState.CURRENT, promised_by__isnull=True)
    for row in told.filter(only_held(OuterRef("retirement_id"))).only("code"):
        yield Breach("R10", f"certificate:{row.code}", "says retired of a tonne that is only held")


def _days_as_closed() -> Iterator[Breach]:
    """R5: the retirements of each closed day are those that it was closed with."""
    for closed in ledger_queries.closed_days():
        found = registry_days.retirements_sha256(closed.first_day, closed.day)
        if found != (closed.retirements, closed.retirements_sha256):
            yield Breach("R5", f"day:{closed}", "its retirements are not those it was closed with")
