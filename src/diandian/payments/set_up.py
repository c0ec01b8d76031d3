"""What stands in the way of payments before the first guest comes, in plain words; pure.

Above all no set-up in which suppliers' money would rest with us on its way: there the gateway
divides it, or we bought the credits first. *Source:* payments design, sections 1, 9 and 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diandian.payments.merchant_files import EVERY_SUPPLIER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from diandian.payments.gateway import Gateway
    from diandian.payments.merchant_files import Merchant
    from diandian.payments.messages import Capabilities

SANDBOX = "sandbox"
# The option by which an operator says: we bought these credits, we sell ours.
PRINCIPAL_CONFIRMED = "principal_confirmed"
_POOLED_CURRENCY = "CNY"
# Options that name accounts of ours.
_OURS = ("fee_account", "seller_id")


@dataclass(frozen=True, slots=True)
class Frame:
    """What the house around the merchants is. ``mode``: live or test. ``gateways``: all there are.

    ``is_https``: of the address that guests and gateways use.
    """

    in_use: tuple[str, ...]
    mode: str
    is_https: bool
    gateways: Mapping[str, Gateway]


def faults(merchants: Sequence[Merchant], frame: Frame) -> list[str]:
    """Name each fault of a set-up; none: payments may begin."""
    return [*_of_gateways(merchants, frame), *_of_merchants(merchants, frame)]


def _of_gateways(merchants: Sequence[Merchant], frame: Frame) -> Iterable[str]:
    served = {merchant.gateway for merchant in merchants}
    for key in frame.in_use:
        if key not in frame.gateways:
            known = ", ".join(sorted(frame.gateways))
            yield f"DIANDIAN_GATEWAYS names {key}, which is no gateway; there are: {known}"
        elif key == SANDBOX:
            if frame.mode != "test":
                yield (
                    "DIANDIAN_GATEWAYS names sandbox: it takes no money, and in production it"
                    " would give credits away"
                )
        elif key not in served:
            yield (
                f"DIANDIAN_GATEWAYS names {key}, but no merchant in DIANDIAN_MERCHANTS is there:"
                " nobody could be paid"
            )


def _of_merchants(merchants: Sequence[Merchant], frame: Frame) -> Iterable[str]:
    for merchant in merchants:
        for fault in _of_merchant(merchant, frame):
            yield f"merchant {merchant.key}: {fault}"


def _of_merchant(merchant: Merchant, frame: Frame) -> Iterable[str]:
    mode = merchant.context.mode
    if mode != frame.mode:
        where = "production" if frame.mode == "live" else "a demo"
        yield f"it is {mode}, and {where} takes {frame.mode} merchants only"
    if mode == "live" and not frame.is_https:
        yield "it is live, but DIANDIAN_BASE_URL is not https"
    gateway = frame.gateways.get(merchant.gateway)
    if merchant.gateway == SANDBOX:
        yield "the sandbox has one merchant of its own and takes no other"
    elif gateway is None:
        yield f"{merchant.gateway} is no gateway; there are: {', '.join(sorted(frame.gateways))}"
    else:
        try:
            terms = gateway.capabilities(merchant.context)
        except Exception as error:  # noqa: BLE001 - an adapter on options that nobody checked yet
            yield f"{merchant.gateway} cannot use its options ({type(error).__name__})"
        else:
            yield from _disguised(merchant)
            yield from _pooled(merchant, terms)


def _disguised(merchant: Merchant) -> Iterable[str]:
    """Name an account of ours that stands where a supplier's should."""
    context = merchant.context
    ours = {context.merchant, *(context.options.get(option) for option in _OURS)}
    if context.sub_merchant and context.sub_merchant in ours:
        yield (
            "its sub_merchant is our own account: suppliers' money would come to us. Name the"
            " account of the supplier, who collects"
        )


def _pooled(merchant: Merchant, terms: Capabilities) -> Iterable[str]:
    """Name why suppliers' money would rest with us, or never reach us as it should."""
    pays_supplier = terms.split is not None and terms.split.pays_supplier
    match merchant.settlement:
        case "gateway_split":
            if not merchant.context.sub_merchant and _POOLED_CURRENCY in terms.limits_minor:
                yield (
                    "the whole price would come to our own account (sub_merchant is empty) and"
                    " suppliers would be paid out of it; only a licensed institution may do that."
                    " Let the supplier collect: name its sub_merchant"
                )
            if terms.split is None:
                yield "settlement is gateway_split, and this gateway does not split"
            elif pays_supplier:
                yield (
                    "settlement is gateway_split, but at this gateway we collect and it pays the"
                    " supplier: say connect"
                )
            if EVERY_SUPPLIER in merchant.suppliers:
                yield (
                    "one supplier would collect for all of them: list the suppliers that this"
                    " account belongs to"
                )
        case "connect":
            if not pays_supplier:
                yield (
                    "settlement is connect, but this gateway does not pay suppliers: their money"
                    " would stay with us. Say gateway_split with the supplier's sub_merchant"
                )
        case "principal":
            if merchant.context.options.get(PRINCIPAL_CONFIRMED) != "yes":
                yield (
                    "settlement is principal: only where the credits were bought before they are"
                    f' sold. Confirm it with the option {PRINCIPAL_CONFIRMED} = "yes"'
                )
