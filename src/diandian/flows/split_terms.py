"""How much of a payment a gateway lets be divided off, and whether our fee keeps within it.

The floor of our fee makes it a large share of a small payment, so each amount is asked about, too.
*Source:* payments design, section 9: asked before a fee rate is accepted.
"""

from diandian.kernel.errors import N_, ConflictError, Fixer
from diandian.kernel.money import Money
from diandian.payments import merchants
from diandian.payments.merchant_files import Merchant
from diandian.payments.models import Payment
from diandian.payments.splits import SplitTerms
from diandian.settlement import rules

_WHOLE = 10_000


class FeeOverCapError(ConflictError):
    """A gateway would not divide our fee off what the supplier collects."""

    code = "fee_over_cap"
    message = N_(
        "Our fee is more than %(gateway)s divides off a payment to this supplier (%(cap)s of"
        " 10000). Nothing was changed. Please lower the fee, or have the ratio raised there."
    )
    fixer = Fixer.OPERATOR


def terms_at(merchant: Merchant) -> SplitTerms | None:
    """Return how payments at a merchant may be divided; None: not at all."""
    return merchants.gateway_of(merchant.gateway).capabilities(merchant.context).split


def terms_of(payment: Payment) -> SplitTerms | None:
    """Return how a payment may be divided. Raises: UnknownGatewayError."""
    return terms_at(merchants.of_payment(payment))


def takes_fee(merchant: Merchant, fee: Money, total: Money) -> bool:
    """Tell whether a merchant's gateway would divide our fee off a payment of this total.

    Raises: UnknownGatewayError.
    """
    if merchant.settlement != "gateway_split":
        return True
    terms = terms_at(merchant)
    return terms is None or rules.is_within_cap(fee, total, terms.cap_basis_points)


def refuse_over_cap(supplier_ref: str, fee_basis_points: int) -> None:
    """Refuse a fee rate, on top of the supplier's price, that some gateway would not divide off.

    Raises: FeeOverCapError.
    """
    for merchant in merchants.serving(supplier_ref):
        terms = terms_at(merchant) if merchant.settlement == "gateway_split" else None
        if terms is None:
            continue
        # The rate is one on the supplier's part, the cap is one on the whole.
        if fee_basis_points * _WHOLE > terms.cap_basis_points * (_WHOLE + fee_basis_points):
            raise FeeOverCapError(gateway=merchant.gateway, cap=terms.cap_basis_points)
