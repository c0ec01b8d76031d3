"""In whose name we speak to each gateway in use: the settings, turned into contexts."""

from django.conf import settings

from diandian.payments.errors import UnknownGatewayError
from diandian.payments.gateway import Gateway, MerchantContext, gateways

SANDBOX_MERCHANT = "demo"


def gateway_of(key: str) -> Gateway:
    """Return a gateway in use. Raises: UnknownGatewayError."""
    gateway = gateways().get(key)
    if gateway is None or not is_in_use(key):
        raise UnknownGatewayError
    return gateway


def context_for(key: str) -> MerchantContext:
    """Return our context at a gateway in use. Raises: UnknownGatewayError."""
    if not is_in_use(key) or key != "sandbox":
        # So far the settings know the merchant of the sandbox only.
        raise UnknownGatewayError
    return MerchantContext(
        gateway="sandbox",
        mode="test",
        merchant=SANDBOX_MERCHANT,
        options={"store": str(settings.SANDBOX_STORE), "keys_dir": str(settings.KEYS_DIR)},
    )


def pay_origins() -> list[str]:
    """Return where guests may be sent to pay: the origins of every gateway in use."""
    used = [gateway for key, gateway in gateways().items() if is_in_use(key)]
    return sorted({origin for gateway in used for origin in gateway.pay_origins})


def is_in_use(key: str) -> bool:
    """Tell whether a gateway is switched on; the sandbox only where everything is a test."""
    return key in settings.GATEWAYS and (key != "sandbox" or settings.TEST_MODE)
