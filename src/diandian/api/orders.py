"""Orders: placed from a quote, paid at a gateway, followed until the certificate is there.

The id of an order is secret; without it an order cannot be told from none.
*Source:* payments design, sections 5 and 7; Idempotency-Key as in the IETF draft of that name.
"""

import logging
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from django.urls import reverse
from dmr import Body, Headers, modify
from dmr.openapi.objects import Link

from diandian.api.base import WRITES, ApiController, LangQuery, Query, Word, language, refusals
from diandian.api.paying import (
    AddressText,
    FlowText,
    Gateway,
    GatewayError,
    PayAgainQuery,
    PaymentOut,
    absolute,
    checked_ip,
    pay_by,
    payment_out,
)
from diandian.api.quotes import PriceOut, instant, price_out
from diandian.certificates import queries as certificates
from diandian.flows import checkout, paying, payment_events
from diandian.flows.checkout import PayBy
from diandian.kernel import tokens
from diandian.kernel.errors import DiandianError, InputError
from diandian.kernel.memory import ttl_cache
from diandian.orders import queries
from diandian.orders.models import Order, OrderState, Withdrawal
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.models import OPEN_STATES, Payment
from diandian.ui import limits
from diandian.ui.format import canonical_lang

log = logging.getLogger(__name__)
NameText = Annotated[str, msgspec.Meta(max_length=2000)]


class BeneficiaryIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """In whose name the retirement stands; "" is a guest without a name."""

    display_name: NameText = ""


class OrderIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A quote's id, a name, and whether it may be shown on the scene's board.

    ``language``: of the certificate; else that of the request. ``retire_at_once``: true says that
    the person asked for it and knows that a right to withdraw within 14 days then ends; false holds
    the paid grams until that right has ended, and is refused where there is none. ``gateway``,
    ``flow``: a way to pay, the first on offer without them. ``client_ip``: of the person who will
    pay, for gateways that compare it; else the caller's.
    """

    quote: Word
    beneficiary: BeneficiaryIn | NameText | None = None
    on_board: bool = False
    retire_at_once: bool = True
    language: Literal["zh-Hans", "zh-hans", "en", "nl"] | None = None
    gateway: Gateway | None = None
    flow: FlowText | None = None
    client_ip: AddressText | None = None


class OrderHeaders(msgspec.Struct, kw_only=True):
    """The same key with the same body is the same order; with another body it is refused."""

    idempotency_key: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,100}$")] | None = msgspec.field(
        name="Idempotency-Key", default=None
    )


class CertificateLinks(msgspec.Struct, kw_only=True):
    """Where the certificate is."""

    code: str
    url: str
    pdf_url: str
    json_url: str
    verify_url: str


class BeneficiaryOut(msgspec.Struct, kw_only=True):
    """The name as it will be printed."""

    display_name: str


class OrderLinks(msgspec.Struct, kw_only=True):
    """This order here, and its page for people."""

    self: str
    page: str


class OrderOut(msgspec.Struct, kw_only=True):
    """An order. ``state``: awaiting_payment, paid, completed, expired, cancelled and others.

    ``retire_at_once``: false while its person keeps the right to withdraw; ``retire_after``: from
    when on it is then retired, known once it is paid.
    """

    id: str
    state: str
    mass_g: int
    project: str
    scene: str | None
    price: PriceOut
    beneficiary: BeneficiaryOut
    on_board: bool
    retire_at_once: bool
    retire_after: str | None
    created_at: str
    completed_at: str | None
    payment: PaymentOut | None
    certificate: CertificateLinks | None
    links: OrderLinks


def certificate_links(code: str) -> CertificateLinks:
    """Return the addresses of a certificate."""
    return CertificateLinks(
        code=code,
        url=absolute(reverse("certificate", args=[code])),
        pdf_url=absolute(reverse("certificate_pdf", args=[code])),
        json_url=absolute(reverse("certificate_json", args=[code])),
        verify_url=absolute(reverse("verify_code", args=[code])),
    )


def shown(order: Order) -> OrderOut:
    """Return an order as the API shows it."""
    payment = queries.latest_payment(order)
    done = order.state == OrderState.COMPLETED
    certificate = certificates.of_order(order.ref) if done else None
    return OrderOut(
        id=order.token,
        state=order.state,
        mass_g=order.mass_g,
        project=order.project.code,
        scene=order.scene.slug if order.scene else None,
        price=price_out(order.quote),
        beneficiary=BeneficiaryOut(display_name=order.beneficiary_name),
        on_board=order.on_board,
        retire_at_once=order.withdrawal not in {Withdrawal.KEPT, Withdrawal.USED},
        retire_after=instant(order.retire_after) if order.retire_after else None,
        created_at=instant(order.created_at),
        completed_at=instant(order.completed_at) if order.completed_at else None,
        payment=payment_out(order, payment) if payment else None,
        certificate=certificate_links(certificate.code) if certificate else None,
        links=OrderLinks(
            self=absolute(reverse("api_order", args=[order.token])),
            page=absolute(reverse("order", args=[order.token])),
        ),
    )


def _name(beneficiary: BeneficiaryIn | str | None) -> str:
    if isinstance(beneficiary, BeneficiaryIn):
        return beneficiary.display_name
    return beneficiary or ""


def _placed(wish: OrderIn, key: str | None, callers_ip: str) -> Order:
    typed = wish.client_ip
    client_ip = callers_ip if typed is None else checked_ip(typed)
    by = pay_by(wish.gateway, wish.flow, client_ip)
    try:
        return checkout.place_order(
            quote_token=wish.quote,
            beneficiary_name=_name(wish.beneficiary),
            on_board=wish.on_board,
            retire_at_once=wish.retire_at_once,
            language=canonical_lang(wish.language) if wish.language else language(),
            by=by,
            # The keys of this door and those of the pages do not meet.
            idempotency_key=f"api:{key}" if key else None,
            # A program orders for many people, so each order stands on the board on its own.
            guest_key=tokens.secret_token() if wish.on_board else "",
        )
    except UnknownGatewayError as error:
        raise GatewayError(field="flow" if wish.flow else "gateway") from error
    except InputError as error:
        if error.field == "display_name":
            error.field = "beneficiary.display_name"
        raise


def _open_payment(order: Order) -> Payment | None:
    payment = queries.latest_payment(order)
    if order.state != OrderState.AWAITING_PAYMENT or payment is None:
        return None
    return payment if payment.state in OPEN_STATES else None


@ttl_cache(2, maxsize=20_000)
def _ask_gateway(payment_no: str) -> None:
    """Ask where a payment stands, every two seconds at most."""
    try:
        payment_events.refresh(payment_no)
    except DiandianError:
        # Nobody knows yet; the poller asks again.
        log.exception("payment %s could not be asked about", payment_no)


def _found(token: str) -> Order:
    return queries.order_by_token(token.replace("\x00", ""))


class OrdersController(ApiController):
    """Orders."""

    tags = ("Orders",)
    guessable = True

    @modify(
        operation_id="placeOrder",
        summary="Order a quote: its grams are held and its payment is started",
        status_code=HTTPStatus.CREATED,
        extra_responses=refusals(404, 409, 503, *WRITES),
        links={
            "order": Link(operation_id="getOrder", parameters={"id": "$response.body#/id"}),
            "payAgain": Link(operation_id="payAgain", parameters={"id": "$response.body#/id"}),
        },
    )
    def post(self, parsed_body: Body[OrderIn], parsed_headers: Headers[OrderHeaders]) -> OrderOut:
        """Answer with the order and the way to pay; a repeat answers the same order, also 201."""
        callers_ip = limits.client_ip(self.request)
        order = _placed(parsed_body, parsed_headers.idempotency_key, callers_ip)
        payment = _open_payment(order)
        if payment is not None and not payment.instruction:
            # An earlier call ended before the gateway answered.
            paying.pay(order, PayBy(payment.gateway, payment.flow, callers_ip))
        return shown(_found(order.token))


class OrderController(ApiController):
    """One order."""

    tags = ("Orders",)
    guessable = True

    @modify(
        operation_id="getOrder",
        summary="Where an order stands",
        status_code=HTTPStatus.OK,
        extra_responses=refusals(404, 422),
    )
    def get(self, parsed_query: Query[LangQuery]) -> OrderOut:  # noqa: ARG002 - for the description
        """Answer for one order, after asking the gateway about an open payment."""
        order = _found(str(self.kwargs["id"]))
        payment = _open_payment(order)
        if payment is not None:
            _ask_gateway(payment.payment_no)
            order = _found(order.token)
        return shown(order)


class OrderPaymentsController(ApiController):
    """Attempts to pay an order."""

    tags = ("Orders",)
    guessable = True

    @modify(
        operation_id="payAgain",
        summary="The way to pay again: the open attempt's, a new one, or another way",
        status_code=HTTPStatus.CREATED,
        extra_responses=refusals(404, 409, 422, 403, 503),
    )
    def post(self, parsed_query: Query[PayAgainQuery]) -> OrderOut:
        """Answer with the order; 409 when it can no longer be paid.

        Another way closes the open attempt first, so that the order is paid once only.
        """
        order = _found(str(self.kwargs["id"]))
        payment = _open_payment(order)
        gateway, flow = parsed_query.gateway, parsed_query.flow or ""
        if gateway is None and payment is not None:
            gateway, flow = payment.gateway, flow or payment.flow
        try:
            paying.pay(order, pay_by(gateway, flow, limits.client_ip(self.request)))
        except UnknownGatewayError as error:
            raise GatewayError(field="flow" if flow else "gateway") from error
        return shown(_found(order.token))
