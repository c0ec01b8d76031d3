"""Quote to started payment: the order is written, the grams are held, then the gateway is asked.

Held first, paid second, retired third. Everything that must survive a crash is committed before the
gateway hears of it; asking again with the same numbers never does a thing twice.
*Source:* payments design, sections 1 and 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urljoin

from django.conf import settings
from django.db import IntegrityError, transaction

from diandian.certificates.names import MAX_CHARACTERS, MAX_LEGAL_CHARACTERS, clean_display_name
from diandian.flows import caps, gateways, line_claims, locks, sales, ways, withdrawal
from diandian.footprints.models import Footprint
from diandian.kernel.canonical import digest_hex
from diandian.kernel.clock import now
from diandian.kernel.mass import grams_to_buy
from diandian.kernel.money import Money
from diandian.orders import actions, queries, rules
from diandian.orders.errors import (
    AlreadyMatchedError,
    CoverChangedError,
    FootprintExpiredError,
    IdempotencyConflictError,
    NotPayableError,
    PaymentUnavailableError,
    QuoteExpiredError,
    QuoteUsedError,
    SceneClosedError,
    SoldOutError,
)
from diandian.orders.models import HolderKind, Order, OrderState, Quote, Withdrawal
from diandian.payments import actions as payment_actions
from diandian.payments import queries as payment_queries
from diandian.payments import rules as payment_rules
from diandian.payments.models import OPEN_STATES, Payment
from diandian.registry import actions as registry_actions
from diandian.registry.errors import NotEnoughCreditsError
from diandian.scenes.queries import takes_orders


@dataclass(frozen=True, slots=True)
class PayBy:
    """The way somebody pays by, and what its gateway is told about them.

    ``gateway``: "" for the first on offer; ``flow``: "" for the gateway's first. ``client_ip``:
    the guest's address. ``payer``: who pays, where the flow needs it; kept nowhere.
    """

    gateway: str = ""
    flow: str = ""
    client_ip: str = ""
    payer: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Wish:
    """A checked request to order."""

    quote: Quote
    name: str
    on_board: bool
    guest_key: str
    language: str
    by: PayBy
    idempotency_key: str | None
    body_sha256: str
    at: datetime
    is_vouched_for: bool
    carried: Mapping[str, object] | None
    withdrawal: Withdrawal


def place_order(  # noqa: PLR0913 - the whole wish, by name
    *,
    quote_token: str,
    beneficiary_name: str,
    on_board: bool,
    language: str,
    by: PayBy | None = None,
    idempotency_key: str | None = None,
    guest_key: str = "",
    fresh_quote: Quote | None = None,
    is_vouched_for: bool = False,
    carried: Mapping[str, object] | None = None,
    retire_at_once: bool = True,
    country: str = "",
    at: datetime | None = None,
) -> Order:
    """Order a quote: hold its grams and start its payment.

    ``by``: the way to pay. Where its gateway must know who pays, it is asked once that is known.
    ``fresh_quote``: the quote itself when the caller just opened it, which saves reading it again;
    where it was left to the order, it is written with the order.
    ``is_vouched_for``: the operator's own sale, which the caps on unpaid orders leave alone.
    ``carried``: the quote's estimate with the answers behind it, where somebody asked for them to
    go along; written with the order and not before, so that no answers lie with an unused quote.
    ``retire_at_once``: false when a consumer keeps the right to withdraw; the grams then wait until
    it ends. ``country``: where an order without a scene is for, "" where nobody knows.
    Idempotent by: ``idempotency_key``, else by the quote: asked again, the same order returns.
    Raises: QuoteNotFoundError, QuoteExpiredError, QuoteUsedError, SceneClosedError, SoldOutError,
    FootprintExpiredError, AlreadyMatchedError, AlreadyCoveredError, BeingCoveredError,
    CoverChangedError, IdempotencyConflictError, PaymentUnavailableError,
    TooManyUnpaidError, HeldUnpaidError, NoWithdrawalError, SalesPausedError, name errors.
    """
    at = at or now()
    name = clean_display_name(beneficiary_name, limit=_longest_name(fresh_quote))
    body = _digest(quote_token, name, language, on_board=on_board, retire_at_once=retire_at_once)
    if idempotency_key and fresh_quote is None:
        earlier = queries.order_by_idempotency_key(idempotency_key)
        if earlier is not None:
            return _same_or_refuse(earlier, body, IdempotencyConflictError)
    sales.refuse_while_stopped()
    quote = fresh_quote or queries.quote_by_token(quote_token)
    _refuse_stale(quote, at)
    wish = _Wish(
        quote,
        name,
        on_board,
        guest_key,
        language,
        by or PayBy(),
        idempotency_key,
        body,
        at,
        is_vouched_for,
        carried,
        withdrawal.choice_of(
            quote, retire_at_once=retire_at_once, country=country, language=language
        ),
    )
    try:
        order, payment = _write(wish)
    except NotEnoughCreditsError as error:
        raise SoldOutError(available_g=error.available_g) from error
    except IntegrityError:
        # Somebody was faster with the same key, quote or trip: find out which.
        return _resolve_race(quote, body, idempotency_key)
    if ways.lacks_payer(payment, at=at):
        order.newest_payment = payment
    else:
        order.newest_payment = submit(order, payment, wish.by, at=at)
    return order


def _digest(
    quote_token: str, name: str, language: str, *, on_board: bool, retire_at_once: bool
) -> str:
    """Return what two requests for the same order have in common."""
    asked = {"quote": quote_token, "name": name, "board": on_board, "language": language}
    return digest_hex(asked if retire_at_once else asked | {"retire_at_once": False})


def _longest_name(quote: Quote | None) -> int:
    """Return how long a name may be: legal names of organisations are longer than people's."""
    of_person = quote is None or quote.holder_kind == HolderKind.PERSON
    return MAX_CHARACTERS if of_person else MAX_LEGAL_CHARACTERS


def _refuse_stale(quote: Quote, at: datetime) -> None:
    if quote.expires_at <= at:
        earlier = Order.objects.filter(quote=quote).first()
        if earlier is None:
            raise QuoteExpiredError
    if quote.footprint is not None and quote.footprint.expires_at <= at:
        raise FootprintExpiredError
    if quote.footprint is not None and quote.footprint.elsewhere_g:
        _refuse_too_much(quote, quote.footprint)
    if quote.scene is None or quote.cover is not None:
        return  # a cover is for after the event too
    if not takes_orders(quote.scene, at):
        raise SceneClosedError
    line_claims.refuse_all_covered(quote.scene)


def _refuse_too_much(quote: Quote, footprint: Footprint) -> None:
    """Refuse a price from before a part of the visit became a reference to another scene."""
    fitting = {grams_to_buy(footprint.guest_g), grams_to_buy(footprint.guest_high_g)}
    if quote.mass_g not in fitting:
        raise CoverChangedError


@transaction.atomic
def _write(wish: _Wish) -> tuple[Order, Payment]:
    quote, at = wish.quote, wish.at
    actions.keep_quote(quote)
    order = actions.place(
        quote=quote,
        beneficiary_name=wish.name,
        on_board=wish.on_board,
        guest_key=wish.guest_key,
        language=wish.language,
        idempotency_key=wish.idempotency_key,
        body_sha256=wish.body_sha256,
        withdrawal=wish.withdrawal,
        at=at,
    )
    if wish.carried is not None:
        actions.set_estimate(order, wish.carried)
    if not wish.is_vouched_for:
        caps.refuse_many_unpaid(order)
    payment = _start_payment(order, wish.by, at + rules.PAYMENT_LIFETIME, at)
    line_claims.claim(order, at=at)
    # The lane row is the hot one: touched last.
    registry_actions.hold(
        project_id=quote.offer.project_id,
        mass_g=quote.mass_g,
        owner_ref=order.ref,
        expires_at=at + rules.PAYMENT_LIFETIME + rules.HOLD_GRACE,
        is_first=True,
    )
    if not wish.is_vouched_for:
        caps.refuse_hoarding(order)
    return order, payment


def _start_payment(order: Order, by: PayBy, expires_at: datetime, at: datetime) -> Payment:
    quote = order.quote
    amount = Money(quote.total_minor, quote.currency)
    supplier_ref = quote.offer.project.supplier_ref
    wanted = ways.due(quote, supplier_ref)
    if by.gateway:
        ways.refuse_over_cap(wanted, by.gateway)
    payment = payment_actions.start(
        owner_ref=order.ref,
        amount=amount,
        gateway=by.gateway or ways.first(wanted).gateway,
        supplier_ref=supplier_ref,
        flow=by.flow,
        expires_at=expires_at,
        at=at,
    )
    actions.link_payment(order, payment)
    return payment


def _same_or_refuse(earlier: Order, body: str, refusal: type[Exception]) -> Order:
    if earlier.body_sha256 != body:
        raise refusal
    return earlier


def _resolve_race(quote: Quote, body: str, idempotency_key: str | None) -> Order:
    if idempotency_key:
        earlier = queries.order_by_idempotency_key(idempotency_key)
        if earlier is not None:
            return _same_or_refuse(earlier, body, IdempotencyConflictError)
    earlier = Order.objects.filter(quote_id=quote.id).first()
    if earlier is not None:
        return _same_or_refuse(earlier, body, QuoteUsedError)
    if quote.footprint_id is not None:
        live = queries.live_order_of_footprint(quote.footprint_id)
        if live is not None:
            raise AlreadyMatchedError(order_token=live.token)
        if quote.scene is not None:
            line_claims.refuse_taken(quote.footprint_id, quote.scene)
    # A part of the cover has another claimant, or one of the trip became a reference meanwhile.
    if quote.cover is not None or quote.footprint_id is not None:
        raise CoverChangedError
    raise QuoteUsedError


def submit(order: Order, payment: Payment, by: PayBy, *, at: datetime) -> Payment:
    """Ask the gateway for the way to pay, outside any transaction, and keep its answer.

    Raises: PaymentUnavailableError when the gateway refuses; unknown is kept and asked again.
    """
    outcome = gateways.create_payment(
        payment,
        subject=f"Diandian {order.mass_g // 1000} kg",
        return_url=urljoin(settings.BASE_URL + "/", f"o/{order.token}"),
        payer=by.payer,
        client_ip=by.client_ip,
        at=at,
    )
    kept = payment_actions.submitted(payment, outcome, at=at)
    if not payment_rules.is_fresh(kept.instruction, at):
        raise PaymentUnavailableError
    return kept


def begin_payment(
    order: Order, by: PayBy, *, instead_of: Payment | None = None, at: datetime
) -> Payment:
    """Write another attempt to pay an order; nothing is asked of its gateway yet.

    ``instead_of``: an attempt that is set aside in the same commit. Whoever was faster with an
    attempt gets that one back. Locks: the order.
    Raises: NotPayableError, UnknownGatewayError, AmountOutOfRangeError.
    """
    with transaction.atomic():
        state = locks.lock_order(order.id).state
        expires_at = rules.attempt_ends_at(order.created_at, at)
        if state != OrderState.AWAITING_PAYMENT or expires_at is None:
            raise NotPayableError
        if instead_of is not None:
            payment_actions.supersede(instead_of)
        earlier = payment_queries.open_of(order.ref)
        return earlier or _start_payment(order, by, expires_at, at)


def retry_payment(order: Order, by: PayBy | None = None, *, at: datetime | None = None) -> Payment:
    """Give the way to pay again: the open attempt's own, or a new attempt after a failed one.

    Idempotent by: the open attempt, whose number is the same however often the gateway is asked.
    Raises: NotPayableError when the order can no longer be paid, PaymentUnavailableError,
    SalesPausedError, UnknownGatewayError, AmountOutOfRangeError.
    """
    at, by = at or now(), by or PayBy()
    sales.refuse_while_stopped()
    payment = queries.latest_payment(order)
    is_open = payment is not None and payment.state in OPEN_STATES and not payment.is_superseded
    if order.state != OrderState.AWAITING_PAYMENT:
        raise NotPayableError
    if payment is None or not is_open:
        payment = begin_payment(order, by, at=at)
    elif payment.expires_at <= at:
        raise NotPayableError
    if payment_rules.is_fresh(payment.instruction, at) or (
        not by.payer and ways.lacks_payer(payment, at=at)
    ):
        return payment
    return submit(order, payment, by, at=at)
