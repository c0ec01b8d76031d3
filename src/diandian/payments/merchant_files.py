"""Reads the file that names our merchants at the gateways; pure.

The file is TOML with one ``[[merchant]]`` for each; it holds references to keys, never keys.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any, Literal, get_args

from diandian.payments.messages import MerchantContext

# Who collects and how the supplier gets its part: the gateway divides what the supplier collects,
# the gateway passes on what we collect, or we sell credits that we bought.
SettlementMode = Literal["gateway_split", "connect", "principal"]
EVERY_SUPPLIER = "*"

_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_NUMBER = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_SUPPLIER = re.compile(r"\*|[A-Za-z0-9._:-]{1,60}")
_NEEDED = ("key", "gateway", "mode", "merchant", "settlement", "suppliers")
_FIELDS = (*_NEEDED, "sub_merchant", "shares_refunds", "options")
# Options that stand for a key or secret, whichever gateway they are of.
_KEY_OPTION = re.compile(r"(.*_)?(key|secret|token)(_[0-9]+)?")
_REFERENCE = re.compile(r"(file|env):.+")
_SECRET = re.compile(r"-----BEGIN|sk_live_|sk_test_|rk_live_|whsec_")


class MerchantFileError(ValueError):
    """The file cannot be used; ``faults`` names each reason with its merchant."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


@dataclass(frozen=True, slots=True)
class Merchant:
    """One account of ours, or of a supplier under ours, at one gateway.

    ``key`` stands in the address for its notices. ``suppliers``: whose credits are paid here.
    ``shares_refunds``: by contract they give their part back where a guest gets money back, or a
    bank takes it, after a retirement.
    """

    key: str
    context: MerchantContext
    settlement: SettlementMode
    suppliers: tuple[str, ...]
    shares_refunds: bool = False

    @property
    def gateway(self) -> str:
        """Return the key of its gateway."""
        return self.context.gateway

    def serves(self, supplier_ref: str) -> bool:
        """Tell whether credits of a supplier are paid here."""
        return EVERY_SUPPLIER in self.suppliers or supplier_ref in self.suppliers


def read(text: str) -> list[Merchant]:
    """Return the merchants of a file, as they stand. Raises: MerchantFileError."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MerchantFileError([f"the file is not TOML: {error}"]) from error
    entries = found.get("merchant", [])
    if set(found) - {"merchant"} or not isinstance(entries, list):
        raise MerchantFileError(["the file holds [[merchant]] tables and nothing else"])
    faults: list[str] = []
    merchants: list[Merchant] = []
    for number, entry in enumerate(entries, start=1):
        wrong = _faults_of(entry)
        name = entry.get("key") if isinstance(entry, dict) else None
        faults += [f"merchant {name or number}: {fault}" for fault in wrong]
        if not wrong:
            merchants.append(_merchant(entry))
    faults += _clashes(merchants)
    if faults:
        raise MerchantFileError(faults)
    return merchants


def _faults_of(entry: object) -> list[str]:
    if not isinstance(entry, dict):
        return ["it is not a table"]
    faults = [f"{name} is missing" for name in _NEEDED if name not in entry]
    faults += [f"{name} is not a field" for name in entry if name not in _FIELDS]
    if faults:
        return faults
    return [text for text, is_right in _rules(entry).items() if not is_right]


def _rules(entry: dict[str, Any]) -> dict[str, bool]:
    suppliers, options = entry["suppliers"], entry.get("options", {})
    texts = isinstance(options, dict) and all(isinstance(each, str) for each in options.values())
    return {
        "key is not 1 to 40 small letters, digits and hyphens": _fits(_KEY, entry["key"]),
        "gateway is not a name": _fits(_KEY, entry["gateway"]),
        "mode is neither live nor test": entry["mode"] in {"live", "test"},
        "merchant is not 1 to 32 letters and digits": _fits(_NUMBER, entry["merchant"]),
        "sub_merchant is not 1 to 32 letters and digits": (
            "sub_merchant" not in entry or _fits(_NUMBER, entry["sub_merchant"])
        ),
        f"settlement is not one of: {', '.join(get_args(SettlementMode))}": (
            entry["settlement"] in get_args(SettlementMode)
        ),
        "suppliers is not a list of references": isinstance(suppliers, list)
        and bool(suppliers)
        and all(_fits(_SUPPLIER, each) for each in suppliers),
        "shares_refunds is neither true nor false": isinstance(
            entry.get("shares_refunds", False), bool
        ),
        "options are not texts": texts,
        "options hold a key itself: write file:PATH or env:NAME": not texts
        or not any(_is_key_itself(name, each) for name, each in options.items()),
    }


def _is_key_itself(name: str, value: str) -> bool:
    """Tell whether an option holds what should lie in a file or in the environment."""
    if _SECRET.search(value):
        return True
    return bool(_KEY_OPTION.fullmatch(name) and value and not _REFERENCE.fullmatch(value))


def _fits(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _merchant(entry: dict[str, Any]) -> Merchant:
    return Merchant(
        key=entry["key"],
        context=MerchantContext(
            gateway=entry["gateway"],
            mode=entry["mode"],
            merchant=entry["merchant"],
            sub_merchant=entry.get("sub_merchant", ""),
            options=dict(entry.get("options", {})),
        ),
        settlement=entry["settlement"],
        suppliers=tuple(entry["suppliers"]),
        shares_refunds=entry.get("shares_refunds", False),
    )


def _clashes(merchants: list[Merchant]) -> list[str]:
    """Name what two merchants may not share: a key, an account at a gateway."""
    faults = []
    for what, of in (
        ("key", lambda each: each.key),
        ("account", lambda each: (each.gateway, each.context.mode, each.context.account)),
    ):
        seen: set[object] = set()
        for merchant in merchants:
            if of(merchant) in seen:
                faults.append(f"merchant {merchant.key}: another one has the same {what}")
            seen.add(of(merchant))
    return faults
