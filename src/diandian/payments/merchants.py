"""In whose name we speak to each gateway in use: the settings, turned into contexts."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from diandian.payments import merchant_files
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.gateway import Gateway, gateways
from diandian.payments.merchant_files import EVERY_SUPPLIER, Merchant, MerchantFileError
from diandian.payments.messages import MerchantContext
from diandian.payments.models import Payment

SANDBOX = "sandbox"
SANDBOX_MERCHANT = "demo"


def every() -> tuple[Merchant, ...]:
    """Return every merchant in use, gateways in the order of the settings.

    Raises: MerchantFileError (at start-up the system checks say so first).
    """
    return _every(
        tuple(settings.GATEWAYS),
        settings.TEST_MODE,
        str(settings.MERCHANTS_FILE),
        str(settings.SANDBOX_STORE),
        str(settings.KEYS_DIR),
    )


@lru_cache(maxsize=8)
def _every(
    keys: tuple[str, ...],
    test_mode: bool,  # noqa: FBT001 - a key of the cache
    path: str,
    store: str,
    keys_dir: str,
) -> tuple[Merchant, ...]:
    named = _of_file(path)
    if SANDBOX in keys and test_mode:
        named.append(_sandbox(store, keys_dir))
    # What is live and what is a test never meet in one house.
    mode = "test" if test_mode else "live"
    return tuple(
        merchant
        for key in keys
        for merchant in named
        if merchant.gateway == key and merchant.context.mode == mode
    )


def _of_file(path: str) -> list[Merchant]:
    if not path:
        return []
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MerchantFileError([f"{path} cannot be read ({type(error).__name__})"]) from error
    return merchant_files.read(text)


def _sandbox(store: str, keys_dir: str) -> Merchant:
    context = MerchantContext(
        gateway=SANDBOX,
        mode="test",
        merchant=SANDBOX_MERCHANT,
        options={"store": store, "keys_dir": keys_dir},
    )
    return Merchant(SANDBOX, context, "connect", (EVERY_SUPPLIER,))


def serving(supplier_ref: str) -> list[Merchant]:
    """Return where credits of a supplier can be paid, the first of each gateway, in order."""
    found: dict[str, Merchant] = {}
    for merchant in every():
        if merchant.serves(supplier_ref):
            found.setdefault(merchant.gateway, merchant)
    return list(found.values())


def for_supplier(gateway: str, supplier_ref: str) -> Merchant:
    """Return where credits of a supplier are paid at a gateway. Raises: UnknownGatewayError."""
    for merchant in serving(supplier_ref):
        if merchant.gateway == gateway:
            return merchant
    raise UnknownGatewayError


def by_key(gateway: str, key: str) -> Merchant:
    """Return the merchant of an address for notices. Raises: UnknownGatewayError."""
    for merchant in every():
        if (merchant.gateway, merchant.key) == (gateway, key):
            return merchant
    raise UnknownGatewayError


def of_payment(payment: Payment) -> Merchant:
    """Return at which merchant a payment was begun. Raises: UnknownGatewayError."""
    wanted = (payment.gateway, payment.mode, payment.merchant)
    for merchant in every():
        if (merchant.gateway, merchant.context.mode, merchant.context.account) == wanted:
            return merchant
    raise UnknownGatewayError


def gateway_of(key: str) -> Gateway:
    """Return a gateway in use. Raises: UnknownGatewayError."""
    gateway = gateways().get(key)
    if gateway is None or not is_in_use(key):
        raise UnknownGatewayError
    return gateway


def context_for(key: str) -> MerchantContext:
    """Return our context at the first merchant of a gateway. Raises: UnknownGatewayError."""
    for merchant in every():
        if merchant.gateway == key:
            return merchant.context
    raise UnknownGatewayError


def pay_origins() -> list[str]:
    """Return where guests may be sent to pay: the origins of every gateway in use."""
    used = [gateway for key, gateway in gateways().items() if is_in_use(key)]
    return sorted({origin for gateway in used for origin in gateway.pay_origins})


def is_in_use(key: str) -> bool:
    """Tell whether a gateway is switched on; the sandbox only where everything is a test."""
    return key in settings.GATEWAYS and (key != SANDBOX or settings.TEST_MODE)
