"""The ways to pay at the sandbox: its page, a QR code that leads to it, a wallet inside WeChat.

All three end on the same page, so that each kind can be tried by anybody, without money.
"""

from __future__ import annotations

from urllib.parse import urljoin

from diandian.payments.messages import Flow, Instruction

# The page stands first: it works everywhere.
FLOWS = (
    Flow("page", "redirect", ("wechat", "alipay", "phone", "desktop")),
    Flow("qr", "qr", ("desktop",)),
    Flow("app", "jsapi", ("wechat",)),
)


def instruction(flow: str, token: str, return_url: str) -> Instruction:
    """Return how to pay a trade by a flow. ``return_url``: names the host that guests see."""
    page, trade_ref = f"/sandbox/{token}", token[:12]
    match flow:
        case "qr":
            return Instruction(kind="qr", text=urljoin(return_url, page), gateway_ref=trade_ref)
        case "app":
            # No real wallet takes these; the page that shows them leads to ``url`` then.
            wallet = {"appId": "sandbox", "package": f"prepay_id={token}", "signType": "TEST"}
            return Instruction(kind="jsapi", url=page, parameters=wallet, gateway_ref=trade_ref)
    return Instruction(kind="redirect", url=page, gateway_ref=trade_ref)
