"""In whose name we speak to WeChat Pay: read from a merchant's options, keys only by reference."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from diandian.payments import carrier, options
from diandian.payments.messages import MerchantContext, SecretMissingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    K = TypeVar("K")

OFFICIAL_BASE = "https://api.mch.weixin.qq.com"
ALL_FLOWS = ("jsapi", "h5", "native")

_API_KEY_BYTES = 32
_KEY_BITS = 2048
_MERCHANT = re.compile(r"\d{8,12}")
_APP = re.compile(r"[A-Za-z0-9]{1,32}")
_SERIAL = re.compile(r"[0-9A-Fa-f]{8,40}")
_PUBLIC_KEY_ID = re.compile(r"PUB_KEY_ID_[0-9A-Za-z]{1,60}")


class SetupError(ValueError):
    """The options or keys of a merchant cannot be used; ``faults`` says why, and what to do."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


@dataclass(frozen=True, slots=True)
class Account:
    """A merchant at WeChat Pay with its keys.

    ``app``: the app id that payments are opened with; ``former_apps``: those of older payments.
    ``public_keys``: of WeChat Pay, by id; the first is the one that it shall sign with.
    ``api_keys``: the keys of notices, 32 bytes each; more than one while a key is changed.
    """

    mode: str
    merchant: str
    sub_merchant: str
    app: str
    sub_app: str
    former_apps: tuple[str, ...]
    serial: str
    private_pem: str = field(repr=False)
    public_pems: tuple[tuple[str, str], ...]
    api_keys: tuple[str, ...] = field(repr=False)
    base_url: str
    connect_seconds: int
    read_seconds: int

    @property
    def is_partner(self) -> bool:
        """Tell whether a sub-merchant collects."""
        return bool(self.sub_merchant)

    @property
    def private_key(self) -> RSAPrivateKey:
        """Return the key that we sign with."""
        return private_key(self.private_pem)

    @property
    def public_keys(self) -> dict[str, RSAPublicKey]:
        """Return the keys that WeChat Pay signs with, by id."""
        return {key_id: public_key(pem) for key_id, pem in self.public_pems}

    @property
    def name(self) -> str:
        """Return who collects, as ``MerchantContext.account`` has it."""
        return f"{self.merchant}/{self.sub_merchant}" if self.is_partner else self.merchant


@lru_cache(maxsize=64)
def private_key(pem: str) -> RSAPrivateKey:
    """Return a private key from its text. Raises: ValueError."""
    if not pem.startswith("-----BEGIN PRIVATE KEY-----"):
        raise ValueError("it is not the content of apiclient_key.pem")
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("it is locked by a password, or of another kind") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < _KEY_BITS:
        raise ValueError("it is no RSA key of 2048 bits")
    return key


@lru_cache(maxsize=64)
def public_key(pem: str) -> RSAPublicKey:
    """Return a public key from its text. Raises: ValueError."""
    if not pem.startswith("-----BEGIN PUBLIC KEY-----"):
        raise ValueError("it is not the content of pub_key.pem")
    try:
        key = load_pem_public_key(pem.encode())
    except UnsupportedAlgorithm as error:
        raise ValueError("it is of another kind") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < _KEY_BITS:
        raise ValueError("it is no RSA key of 2048 bits")
    return key


def flows_of(context: MerchantContext) -> tuple[str, ...]:
    """Return the ways to pay that the merchant has: all, or those that its options name."""
    named = options.listed(context.options.get("flows", ""))
    return tuple(flow for flow in ALL_FLOWS if flow in named) if named else ALL_FLOWS


def read(context: MerchantContext) -> Account:
    """Return the account of a merchant. Raises: SetupError with every fault."""
    faults: list[str] = []
    given = context.options
    faults += _faults_of_facts(context)
    private_pem = _secret(context, "private_key", private_key, faults)
    public_pems = _public_pems(context, faults)
    api_keys = tuple(
        _secret(context, name, _api_key, faults) for name in _present(context, "apiv3_key")
    )
    base_url = _base_url(context, faults)
    connect_seconds = _seconds(context, "connect_timeout_seconds", carrier.CONNECT_SECONDS, faults)
    read_seconds = _seconds(context, "read_timeout_seconds", carrier.READ_SECONDS, faults)
    if faults:
        raise SetupError(faults)
    return Account(
        mode=context.mode,
        merchant=context.merchant,
        sub_merchant=context.sub_merchant,
        app=given["app_id"],
        sub_app=given.get("sub_app_id", ""),
        former_apps=options.listed(given.get("former_app_ids", "")),
        serial=given["serial_no"],
        private_pem=private_pem,
        public_pems=public_pems,
        api_keys=api_keys,
        base_url=base_url,
        connect_seconds=connect_seconds,
        read_seconds=read_seconds,
    )


def _faults_of_facts(context: MerchantContext) -> list[str]:
    given = context.options
    sub_merchant, sub_app = context.sub_merchant, given.get("sub_app_id", "")
    rules = {
        "merchant is not the number of 8 to 12 digits that WeChat Pay gave": _MERCHANT.fullmatch(
            context.merchant
        ),
        "sub_merchant is not the number of 8 to 12 digits that WeChat Pay gave": (
            not sub_merchant or _MERCHANT.fullmatch(sub_merchant)
        ),
        "app_id is missing, or is not letters and digits": _APP.fullmatch(given.get("app_id", "")),
        "sub_app_id is not letters and digits": not sub_app or _APP.fullmatch(sub_app),
        "serial_no is not the serial number of our certificate (40 digits and letters A to F)": (
            _SERIAL.fullmatch(given.get("serial_no", ""))
        ),
        f"flows names something else than {', '.join(ALL_FLOWS)}": (
            set(options.listed(given.get("flows", ""))) <= set(ALL_FLOWS)
        ),
    }
    return [text for text, is_right in rules.items() if not is_right]


def _present(context: MerchantContext, name: str) -> tuple[str, ...]:
    """Return the options of a key and, while it is being changed, of the other one."""
    return options.present(context, (name, f"other_{name}"))


def _public_pems(context: MerchantContext, faults: list[str]) -> tuple[tuple[str, str], ...]:
    found = []
    for name in _present(context, "public_key"):
        key_id = context.options.get(f"{name}_id", "")
        if not _PUBLIC_KEY_ID.fullmatch(key_id):
            faults.append(f"{name}_id is missing, or does not begin with PUB_KEY_ID_")
        found.append((key_id, _secret(context, name, public_key, faults)))
    if len({key_id for key_id, _ in found}) < len(found):
        faults.append("public_key_id and other_public_key_id are the same")
    return tuple(found)


def _secret(
    context: MerchantContext, name: str, parse: Callable[[str], K], faults: list[str]
) -> str:
    try:
        text = context.secret(name).replace("\r\n", "\n")
        parse(text)
    except SecretMissingError as error:
        faults.append(str(error))
    except ValueError as error:
        # The text of a key never stands in a message.
        reason = str(error) if str(error).startswith("it is") else "it is not the text of a key"
        faults.append(f"{name}: {reason}")
    else:
        return text
    return ""


def _api_key(text: str) -> bytes:
    key = text.encode()
    if len(key) != _API_KEY_BYTES:
        raise ValueError(f"it is {len(key)} bytes long, and the APIv3 key has {_API_KEY_BYTES}")
    return key


def _base_url(context: MerchantContext, faults: list[str]) -> str:
    """Return where to call; another host than the official one could collect signed requests."""
    wanted = options.own_base(context)
    if not wanted:
        if context.mode == "test":
            faults.append(
                "base_url is missing: WeChat Pay has no host for tests, its own moves real money"
            )
        return OFFICIAL_BASE
    if not options.may_be_elsewhere(context):
        faults.append("base_url is only for tests, or together with allow_base_url = yes")
    if not options.is_base(wanted):
        faults.append("base_url is neither https://HOST nor an address on this machine")
    return wanted


def _seconds(context: MerchantContext, name: str, longest: int, faults: list[str]) -> int:
    # An option that is there and empty is a fault as well: it lifts no limit.
    found = options.seconds(context.options.get(name, str(longest)) or "0", longest)
    if found is None:
        faults.append(f"{name} is not a whole number of seconds up to {longest}")
    return found or longest
