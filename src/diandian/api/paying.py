"""Ways to pay an order, as the API describes them: what is on offer, and how to follow one.

*Source:* payments design, sections 2 and 3.
"""

from datetime import datetime
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urljoin

import msgspec
from django.conf import settings

from diandian.api.base import LangQuery
from diandian.api.quotes import instant
from diandian.flows import ways
from diandian.flows.checkout import PayBy
from diandian.kernel.errors import N_, InputError
from diandian.orders.models import Order, OrderState
from diandian.payments.gateway import gateways
from diandian.payments.merchants import is_in_use
from diandian.payments.models import OPEN_STATES, Payment
from diandian.payments.ways import Way

Gateway = Annotated[str, msgspec.Meta(extra_json_schema={"enum": sorted(gateways())})]
FlowText = Annotated[str, msgspec.Meta(max_length=20, pattern=r"^[^\x00]*$")]
AddressText = Annotated[str, msgspec.Meta(max_length=45)]


class GatewayError(InputError):
    """No such way to pay here."""

    code = "unknown_gateway"
    message = N_(
        "This way to pay is not available. Nothing was charged. Please choose another one."
    )


class AddressError(InputError):
    """Not the address of a machine."""

    code = "client_ip"
    message = N_("This is not an address of the internet. Nothing was ordered.")


class PayAgainQuery(LangQuery, kw_only=True):
    """``gateway``, ``flow``: another way to pay; without them the same again."""

    gateway: Gateway | None = None
    flow: FlowText | None = None


class InstructionOut(msgspec.Struct, kw_only=True):
    """The way to pay, by ``kind``: redirect, qr or jsapi.

    Open ``url``, show ``text`` as a QR code, or hand ``parameters`` to the wallet of the app that
    the page is shown in. After ``valid_until`` ask for it again.
    """

    kind: str
    url: str
    text: str
    parameters: dict[str, str]
    valid_until: str | None


class WayOut(msgspec.Struct, kw_only=True):
    """A way to pay this amount. ``browsers``: where it works: wechat, alipay, phone, desktop.

    ``needs_payer``: only the order's page can begin it, inside the wallet's own app.
    """

    gateway: str
    flow: str
    kind: str
    browsers: tuple[str, ...]
    needs_payer: bool


class PaymentOut(msgspec.Struct, kw_only=True):
    """The newest attempt to pay. ``ways``: on offer while the order waits for its payment."""

    state: str
    gateway: str
    flow: str
    expires_at: str
    instruction: InstructionOut | None
    ways: list[WayOut]


def absolute(path: str) -> str:
    """Return a whole address."""
    return urljoin(f"{settings.BASE_URL}/", path)


def checked_ip(typed: str) -> str:
    """Return an address as it is written. Raises: AddressError."""
    try:
        return str(ip_address(typed))
    except ValueError as error:
        raise AddressError(field="client_ip") from error


def pay_by(gateway: str | None, flow: str | None, client_ip: str) -> PayBy:
    """Return a way to pay that may be asked for. Raises: GatewayError."""
    if gateway is not None and not is_in_use(gateway):
        raise GatewayError(field="gateway")
    return PayBy(gateway or "", flow or "", client_ip)


def payment_out(order: Order, payment: Payment) -> PaymentOut:
    """Return an attempt to pay as the API shows it."""
    return PaymentOut(
        state=payment.state,
        gateway=payment.gateway,
        flow=payment.flow,
        expires_at=instant(payment.expires_at),
        instruction=_instruction(payment),
        ways=_ways(order) if order.state == OrderState.AWAITING_PAYMENT else [],
    )


def _instruction(payment: Payment) -> InstructionOut | None:
    stored = payment.instruction
    if not stored or payment.state not in OPEN_STATES:
        return None
    url, until = str(stored.get("url") or ""), stored.get("valid_until")
    return InstructionOut(
        kind=str(stored.get("kind") or "redirect"),
        url=absolute(url) if url else "",
        text=str(stored.get("text") or ""),
        parameters=dict(stored.get("parameters") or {}),
        valid_until=instant(datetime.fromisoformat(until)) if until else None,
    )


def _ways(order: Order) -> list[WayOut]:
    offered = ways.offered(ways.due(order.quote, order.project.supplier_ref), None)
    return [_way(way) for way in offered.ways]


def _way(way: Way) -> WayOut:
    return WayOut(
        gateway=way.gateway,
        flow=way.flow,
        kind=way.kind,
        browsers=way.browsers,
        needs_payer=way.needs_payer,
    )
