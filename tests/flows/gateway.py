"""A gateway that a test tells what to do: several ways to pay, links that live long, slow answers.

It keeps the sandbox's books, so that money and states are those of a real one.
"""

from dataclasses import replace

from diandian.payments import gateway as port
from diandian.payments import merchants
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.merchant_files import Merchant
from diandian.payments.messages import Done, Flow, MerchantContext

KEY = "pretend"
EVERYWHERE = ("wechat", "alipay", "phone", "desktop")
FLOWS = (
    Flow("go", "redirect", EVERYWHERE),
    Flow("code", "qr", ("desktop", "phone")),
    Flow("in-app", "jsapi", ("wechat",), needs_payer=True),
)


class PretendGateway(SandboxGateway):
    """``changes``: of its capabilities; ``valid_until``: of the ways to pay that it gives."""

    key = KEY
    pay_origins = ()

    def __init__(self):
        self.changes = {}
        self.requests = []
        self.valid_until = None

    def capabilities(self, context):
        found = super().capabilities(context)
        return replace(found, **{"flows": FLOWS} | self.changes)

    def create_payment(self, context, request, *, at):
        self.requests.append(request)
        kind = next(flow.kind for flow in FLOWS if flow.key == request.flow)
        sandbox = {"redirect": "page", "qr": "qr", "jsapi": "app"}[kind]
        outcome = super().create_payment(context, replace(request, flow=sandbox), at=at)
        if isinstance(outcome, Done):
            return Done(replace(outcome.value, valid_until=self.valid_until))
        return outcome


def use(monkeypatch, settings, *, settlement="gateway_split", **options):
    """Put a pretended gateway beside the sandbox; return it."""
    gateway = PretendGateway()
    found = {**port.gateways(), KEY: gateway}
    for module in (port, merchants):
        monkeypatch.setattr(module, "gateways", lambda: found)
    before = merchants.every()[0]
    context = MerchantContext(
        KEY, "test", "pretender", options={**before.context.options, "app_id": "wx1", **options}
    )
    pretender = Merchant(KEY, context, settlement, ("*",))
    settings.GATEWAYS = ["sandbox", KEY]
    monkeypatch.setattr(merchants, "every", lambda: (before, pretender))
    return gateway
