"""In whose name we speak to each gateway in use: the settings, turned into contexts."""

import logging
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from diandian.payments import merchant_files, set_up
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.gateway import Gateway, gateways
from diandian.payments.merchant_files import EVERY_SUPPLIER, Merchant, MerchantFileError
from diandian.payments.messages import MerchantContext
from diandian.payments.models import Payment

log = logging.getLogger(__name__)

SANDBOX = "sandbox"
SANDBOX_MERCHANT = "demo"


def every() -> tuple[Merchant, ...]:
    """Return every merchant in use, gateways in the order of the settings.

    The file is read again when it changed; while the new one has faults, the one before it stays.
    Raises: MerchantFileError when no file could be used yet (the system checks say so first).
    """
    path = str(settings.MERCHANTS_FILE)
    return _every(
        tuple(settings.GATEWAYS),
        settings.TEST_MODE,
        (path, _stamp(path)),
        str(settings.SANDBOX_STORE),
        str(settings.KEYS_DIR),
    )


@lru_cache(maxsize=8)
def _every(
    keys: tuple[str, ...],
    test_mode: bool,  # noqa: FBT001 - a key of the cache
    file: tuple[str, tuple[int, ...]],
    store: str,
    keys_dir: str,
) -> tuple[Merchant, ...]:
    named = _in_force(file[0])
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


def _stamp(path: str) -> tuple[int, ...]:
    """Return what tells one state of a file from the next."""
    try:
        found = Path(path).stat() if path else None
    except OSError:
        found = None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found else ()


_last_used: dict[str, list[Merchant]] = {}


def _in_force(path: str) -> list[Merchant]:
    """Return the merchants of the file, or those before it while its new state has faults."""
    before = _last_used.get(path)
    if before is None:
        named = _of_file(path)  # its other faults are told at the start
    elif wrong := set_up_faults():
        text = "the merchants' file is not used, what was in it before stays: %s"
        log.error(text, "; ".join(wrong))
        return list(before)
    else:
        named = _of_file(path)
    _last_used[path] = named
    return list(named)


def set_up_faults() -> list[str]:
    """Name everything for which no payment may be begun here, in plain words."""
    path = str(settings.MERCHANTS_FILE)
    try:
        named = _of_file(path)
    except MerchantFileError as error:
        return [f"DIANDIAN_MERCHANTS: {fault}" for fault in error.faults]
    return set_up.faults(named, _frame())


def _frame() -> set_up.Frame:
    return set_up.Frame(
        in_use=tuple(settings.GATEWAYS),
        mode="test" if settings.TEST_MODE else "live",
        is_https=settings.BASE_URL.startswith("https://"),
        gateways=gateways(),
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


def of_address(gateway: str, key: str) -> Merchant:
    """Return the merchant of an address for notices; without a key the only one of its gateway.

    Raises: UnknownGatewayError.
    """
    if key:
        return by_key(gateway, key)
    of_gateway = [merchant for merchant in every() if merchant.gateway == gateway]
    if len(of_gateway) != 1:
        raise UnknownGatewayError
    return of_gateway[0]


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
