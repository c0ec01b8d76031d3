"""The ways to pay at our gateways, and where an attempt leads; reads only."""

from dataclasses import dataclass
from datetime import datetime

from diandian.flows import split_terms
from diandian.kernel.clock import now
from diandian.kernel.money import Money
from diandian.orders.models import Quote
from diandian.payments import merchants, payer, rules, ways
from diandian.payments.errors import AmountOutOfRangeError, UnknownGatewayError
from diandian.payments.merchant_files import Merchant
from diandian.payments.messages import Browser, Flow
from diandian.payments.models import OPEN_STATES, Payment
from diandian.payments.ways import Line, Offered, Way

_NOT_HERE = {"nobody", "browser"}


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be paid. ``fee``: our part of it, which a gateway may have to divide off."""

    supplier_ref: str
    amount: Money
    fee: Money


def due(quote: Quote, supplier_ref: str) -> Due:
    """Return what a quote of a supplier's credits asks for."""
    return Due(
        supplier_ref,
        Money(quote.total_minor, quote.currency),
        Money(quote.fee_minor, quote.currency),
    )


def offered(wanted: Due, browser: Browser | None) -> Offered:
    """Return the ways on offer for credits of a supplier. ``browser``: None for all ways."""
    serving = _serving(wanted.supplier_ref)
    taking = _taking(serving, wanted)
    if serving and not taking:
        return Offered((), "fee")
    return ways.on_offer([_line(each) for each in taking], wanted.amount, browser)


def _taking(serving: list[Merchant], wanted: Due) -> list[Merchant]:
    """Return those whose gateway lets our fee be divided off."""
    return [each for each in serving if split_terms.takes_fee(each, wanted.fee, wanted.amount)]


def is_fee_too_large(wanted: Due) -> bool:
    """Tell whether no gateway of a supplier would divide our fee off such an amount."""
    serving = _serving(wanted.supplier_ref)
    return bool(serving) and not _taking(serving, wanted)


def choose(wanted: Due, browser: Browser | None, key: str) -> Way:
    """Return the way that a form asked for by its key, the first on offer for an empty one.

    Raises: UnknownGatewayError, AmountOutOfRangeError.
    """
    found = offered(wanted, browser)
    way = found.find(key)
    if way is not None:
        return way
    raise UnknownGatewayError if found.ways or found.reason in _NOT_HERE else AmountOutOfRangeError


def refuse_over_cap(wanted: Due, gateway: str) -> None:
    """Refuse a gateway that would not divide our fee off. Raises: AmountOutOfRangeError."""
    for merchant in _serving(wanted.supplier_ref):
        is_it = merchant.gateway == gateway
        if is_it and not split_terms.takes_fee(merchant, wanted.fee, wanted.amount):
            raise AmountOutOfRangeError


def refuse_unknown(wanted: Due, gateway: str, flow: str) -> None:
    """Refuse what is on offer in no browser; "" stands for any.

    Raises: UnknownGatewayError, AmountOutOfRangeError.
    """
    for way in offered(wanted, None).ways:
        if gateway in {"", way.gateway} and flow in {"", way.flow}:
            return
    choose(wanted, None, f"{gateway}:{flow}")
    raise UnknownGatewayError


def first(wanted: Due) -> Way:
    """Return the first way on offer that anybody can use without a question about the payer.

    Raises: UnknownGatewayError, AmountOutOfRangeError.
    """
    found = offered(wanted, None).ways
    plain = next((way for way in found if not way.needs_payer), None)
    return plain or choose(wanted, None, "")


def _serving(supplier_ref: str) -> list[Merchant]:
    """Return the merchants of a supplier, without those of gateways that are not here."""
    return [each for each in merchants.serving(supplier_ref) if _is_here(each.gateway)]


def _is_here(gateway: str) -> bool:
    try:
        merchants.gateway_of(gateway)
    except UnknownGatewayError:
        return False
    return True


def _line(merchant: Merchant) -> Line:
    capabilities = merchants.gateway_of(merchant.gateway).capabilities(merchant.context)
    return Line(merchant.gateway, capabilities, payer.can_ask(merchant.context))


def flow_of(payment: Payment) -> Flow | None:
    """Return the flow of an attempt; None when its gateway does not offer it any more."""
    context = merchants.of_payment(payment).context
    flows = merchants.gateway_of(payment.gateway).capabilities(context).flows
    return next((flow for flow in flows if flow.key == payment.flow), None)


def lacks_payer(payment: Payment, *, at: datetime | None = None) -> bool:
    """Tell whether the gateway must be told who pays before it shows a way to pay.

    False also where nobody knows: a gateway that is not in use any more.
    """
    if payment.state not in OPEN_STATES or rules.is_fresh(payment.instruction, at or now()):
        return False
    try:
        flow = flow_of(payment)
    except UnknownGatewayError:
        return False
    return flow is not None and flow.needs_payer


def leads_to(payment: Payment | None, *, at: datetime | None = None) -> str:
    """Return the address of another page to pay on, or "" where there is none to go to now."""
    if payment is None or payment.state not in OPEN_STATES:
        return ""
    instruction = payment.instruction
    if not rules.is_fresh(instruction, at or now()) or instruction.get("kind") != "redirect":
        return ""
    return str(instruction.get("url") or "")
