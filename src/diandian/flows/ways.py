"""The ways to pay at our gateways, and where an attempt leads; reads only."""

from datetime import datetime

from diandian.kernel.clock import now
from diandian.kernel.money import Money
from diandian.payments import merchants, payer, rules, ways
from diandian.payments.errors import AmountOutOfRangeError, UnknownGatewayError
from diandian.payments.messages import Browser, Flow
from diandian.payments.models import OPEN_STATES, Payment
from diandian.payments.ways import Line, Offered, Way

_NOT_HERE = {"nobody", "browser"}


def offered(supplier_ref: str, amount: Money, browser: Browser | None) -> Offered:
    """Return the ways on offer for credits of a supplier. ``browser``: None for all ways."""
    return ways.on_offer(_lines(supplier_ref), amount, browser)


def choose(supplier_ref: str, amount: Money, browser: Browser | None, key: str) -> Way:
    """Return the way that a form asked for by its key, the first on offer for an empty one.

    Raises: UnknownGatewayError, AmountOutOfRangeError.
    """
    found = offered(supplier_ref, amount, browser)
    way = found.find(key)
    if way is not None:
        return way
    raise UnknownGatewayError if found.ways or found.reason in _NOT_HERE else AmountOutOfRangeError


def refuse_unknown(supplier_ref: str, amount: Money, gateway: str, flow: str) -> None:
    """Refuse what is on offer in no browser; "" stands for any.

    Raises: UnknownGatewayError, AmountOutOfRangeError.
    """
    for way in offered(supplier_ref, amount, None).ways:
        if gateway in {"", way.gateway} and flow in {"", way.flow}:
            return
    choose(supplier_ref, amount, None, f"{gateway}:{flow}")
    raise UnknownGatewayError


def first(supplier_ref: str, amount: Money) -> Way:
    """Return the first way on offer that anybody can use without a question about the payer.

    Raises: UnknownGatewayError, AmountOutOfRangeError.
    """
    found = offered(supplier_ref, amount, None).ways
    plain = next((way for way in found if not way.needs_payer), None)
    return plain or choose(supplier_ref, amount, None, "")


def _lines(supplier_ref: str) -> list[Line]:
    lines = []
    for merchant in merchants.serving(supplier_ref):
        try:
            gateway = merchants.gateway_of(merchant.gateway)
        except UnknownGatewayError:
            continue  # named in a file, but there is no such gateway here
        capabilities = gateway.capabilities(merchant.context)
        lines.append(Line(merchant.gateway, capabilities, payer.can_ask(merchant.context)))
    return lines


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
