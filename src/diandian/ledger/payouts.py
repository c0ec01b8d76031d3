"""Builds balanced transfers for what suppliers get, by who collected the money; pure.

We collected and the gateway passes on (connect); the supplier collected and the gateway gives us
our fee (gateway split); we sold credits of our own (principal).
*Source:* example postings of the payments design, section 8, modes A, B and C.
"""

from diandian.kernel.money import Money
from diandian.ledger import chart
from diandian.ledger.rules import VAT_BASIS_POINTS, TransferLine, line, vat_within


def build_split_sale(total: Money) -> list[TransferLine]:
    """Book a retirement whose price the supplier holds: a memo that nothing of it is open."""
    paid, retired = (chart.gross_contra(total.currency, stands) for stands in ("paid", "retired"))
    return [line(paid, retired, total)]


def build_split_fee(
    fee: Money, *, gateway: str, vat_basis_points: int = VAT_BASIS_POINTS
) -> list[TransferLine]:
    """Book our fee that a gateway divided off what a supplier collected, and its tax."""
    receivable = chart.fees_from_splits(fee.currency, gateway)
    return _taxed(receivable, chart.fee_revenue(fee.currency), fee, vat_basis_points)


def build_split_fee_credited(fee: Money, *, gateway: str, merchant: str) -> list[TransferLine]:
    """Book that a divided-off fee stands in our own account at the gateway."""
    clearing = chart.gateway_clearing(fee.currency, gateway, merchant)
    return [line(clearing, chart.fees_from_splits(fee.currency, gateway), fee)]


def build_split_fee_reversed(
    fee: Money,
    *,
    already: Money,
    gateway: str,
    merchant: str,
    vat_basis_points: int = VAT_BASIS_POINTS,
) -> list[TransferLine]:
    """Book a fee that went back to the supplier, before the guest's refund.

    ``already``: of the same fee before; so the tax of all parts together is that of the whole.
    """
    clearing = chart.gateway_clearing(fee.currency, gateway, merchant)
    return [each.swapped() for each in _fee_part(clearing, fee, already, vat_basis_points)]


def build_split_fee_claimed(
    fee: Money,
    *,
    supplier_ref: str,
    already: Money | None = None,
    vat_basis_points: int = VAT_BASIS_POINTS,
) -> list[TransferLine]:
    """Book our fee, and its tax, that no gateway divides off: off the supplier's next payout."""
    owes = chart.due_from_supplier(fee.currency, supplier_ref)
    return _fee_part(owes, fee, already or Money(0, fee.currency), vat_basis_points)


def build_split_fee_owed(
    fee: Money,
    *,
    already: Money,
    supplier_ref: str,
    vat_basis_points: int = VAT_BASIS_POINTS,
) -> list[TransferLine]:
    """Book our fee, claimed by bank, that goes back: no claim any more, and owed to the supplier.

    Whether the claim was taken off a payout meanwhile makes no difference. ``already``: as above.
    """
    owes = chart.due_from_supplier(fee.currency, supplier_ref)
    owed = line(owes, chart.supplier_payable(fee.currency, supplier_ref), fee)
    earned = _fee_part(owes, fee, already, vat_basis_points)
    return [*(each.swapped() for each in earned), owed]


def build_principal_sale(
    total: Money, *, vat_basis_points: int = VAT_BASIS_POINTS
) -> list[TransferLine]:
    """Book a retirement of credits that are ours: the whole price is our sale, and its tax."""
    prepaid = chart.customer_prepayments(total.currency)
    return _taxed(prepaid, chart.credit_sales(total.currency), total, vat_basis_points)


def build_purchase(cost: Money, *, supplier_ref: str) -> list[TransferLine]:
    """Book credits that we buy to sell, owed to their supplier."""
    payable = chart.supplier_payable(cost.currency, supplier_ref)
    return [line(chart.credits_inventory(cost.currency), payable, cost)]


def build_cost_of_sale(cost: Money) -> list[TransferLine]:
    """Book that credits of ours were retired for a guest."""
    currency = cost.currency
    return [line(chart.cost_of_credits(currency), chart.credits_inventory(currency), cost)]


def build_transfer(
    amount: Money, *, supplier_ref: str, gateway: str, merchant: str
) -> list[TransferLine]:
    """Book the supplier's part that a gateway passed on."""
    currency = amount.currency
    clearing = chart.gateway_clearing(currency, gateway, merchant)
    return [line(chart.supplier_payable(currency, supplier_ref), clearing, amount)]


def build_transfer_reversed(
    amount: Money, *, gateway: str, merchant: str, is_dispute: bool = False
) -> list[TransferLine]:
    """Book a supplier's part that came back: less goodwill, or less loss by a chargeback."""
    currency = amount.currency
    clearing = chart.gateway_clearing(currency, gateway, merchant)
    return [line(clearing, _relieved(currency, is_dispute=is_dispute), amount)]


def build_claim(
    amount: Money, *, supplier_ref: str, is_dispute: bool = False
) -> list[TransferLine]:
    """Book what a supplier must give back although it was paid: off its next payout."""
    currency = amount.currency
    owes = chart.due_from_supplier(currency, supplier_ref)
    return [line(owes, _relieved(currency, is_dispute=is_dispute), amount)]


def build_forgone(
    amount: Money, *, supplier_ref: str, is_dispute: bool = False
) -> list[TransferLine]:
    """Book that a supplier does not get what it was not paid yet: its guest got it back."""
    currency = amount.currency
    payable = chart.supplier_payable(currency, supplier_ref)
    return [line(payable, _relieved(currency, is_dispute=is_dispute), amount)]


def build_given_back(
    amount: Money, *, supplier_ref: str, is_dispute: bool = False
) -> list[TransferLine]:
    """Book that a supplier gets again what it gave for a refund that did not happen."""
    forgone = build_forgone(amount, supplier_ref=supplier_ref, is_dispute=is_dispute)
    return [each.swapped() for each in forgone]


def build_payout(owed: Money, taken_off: Money, *, supplier_ref: str) -> list[TransferLine]:
    """Book a payout by bank: what was owed, less what the supplier had to give back."""
    currency = owed.currency
    payable = chart.supplier_payable(currency, supplier_ref)
    paid = owed - taken_off
    assert paid.amount_minor > 0, "nothing is paid out below zero"
    lines = [line(payable, chart.bank(currency), paid)]
    if taken_off.amount_minor:
        lines.append(line(payable, chart.due_from_supplier(currency, supplier_ref), taken_off))
    return lines


def build_withdrawal(amount: Money, *, gateway: str, merchant: str) -> list[TransferLine]:
    """Book what a gateway paid out to our own bank."""
    currency = amount.currency
    return [line(chart.bank(currency), chart.gateway_clearing(currency, gateway, merchant), amount)]


def _relieved(currency: str, *, is_dispute: bool) -> str:
    return chart.chargeback_loss(currency) if is_dispute else chart.goodwill(currency)


def _taxed(source: str, revenue: str, gross: Money, vat_basis_points: int) -> list[TransferLine]:
    """Split a gross amount into revenue and the tax that it contains."""
    return _divided(source, revenue, gross, vat_within(gross, vat_basis_points))


def _fee_part(source: str, fee: Money, already: Money, vat_basis_points: int) -> list[TransferLine]:
    """Split a part of our fee: its tax is what the tax of ``already`` lacks of that of both."""
    vat = vat_within(already + fee, vat_basis_points) - vat_within(already, vat_basis_points)
    return _divided(source, chart.fee_revenue(fee.currency), fee, vat)


def _divided(source: str, revenue: str, gross: Money, vat: Money) -> list[TransferLine]:
    parts = ((revenue, gross - vat), (chart.output_vat(gross.currency), vat))
    return [line(source, target, amount) for target, amount in parts if amount.amount_minor]
