"""Builds balanced transfers for each event of the money; pure.

What belongs to the payout of suppliers stands in ``payouts``.
*Source:* example postings of the payments design, section 8.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from diandian.kernel.canonical import digest_hex
from diandian.kernel.money import Money, round_half_up
from diandian.ledger import chart

# Our fee is a service of the "modern services" class, 6 %, contained in the price.
VAT_BASIS_POINTS = 600
_WHOLE = 10_000
# Who closes a day locks it by this number; the guard of journals takes it shared for each booking.
DAY_LOCK = 3_688


@dataclass(frozen=True, slots=True)
class TransferLine:
    """One amount from one account (credit) to another (debit).

    ``amount_minor`` > 0 in minor units; both codes begin with ``currency``.
    """

    debit_code: str
    credit_code: str
    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int or self.amount_minor <= 0:
            raise ValueError("a transfer moves a positive whole number of minor units")
        if self.debit_code == self.credit_code:
            raise ValueError("a transfer joins two accounts")
        for side in (self.debit_code, self.credit_code):
            if chart.currency_of(side) != self.currency:
                raise ValueError(f"{side} is not an account in {self.currency}")

    def swapped(self) -> "TransferLine":
        """Return the line that undoes this one."""
        return TransferLine(self.credit_code, self.debit_code, self.amount_minor, self.currency)


def line(debit_code: str, credit_code: str, amount: Money) -> TransferLine:
    """Make a transfer line from money."""
    return TransferLine(debit_code, credit_code, amount.amount_minor, amount.currency)


def _taken(currency: str, gateway: str, merchant: str, *, at_supplier: bool) -> str:
    """Return where money of guests lies: at the gateway for us, or with the supplier (memo)."""
    where = chart.gross_at_supplier if at_supplier else chart.gateway_clearing
    return where(currency, gateway, merchant)


def _prepaid(currency: str, *, at_supplier: bool) -> str:
    if at_supplier:
        return chart.gross_contra(currency, "paid")
    return chart.customer_prepayments(currency)


def _aside(currency: str, *, at_supplier: bool) -> str:
    return chart.gross_contra(currency, "aside") if at_supplier else chart.unallocated(currency)


def _in_transit(currency: str, *, at_supplier: bool) -> str:
    if at_supplier:
        return chart.gross_contra(currency, "refunding")
    return chart.refunds_in_transit(currency)


def build_capture(
    amount: Money, *, gateway: str, merchant: str, at_supplier: bool = False
) -> list[TransferLine]:
    """Book a captured payment: the gateway owes us, we owe the customer.

    ``at_supplier``: the supplier collected; then these are memos, and so is all that follows.
    """
    taken = _taken(amount.currency, gateway, merchant, at_supplier=at_supplier)
    return [line(taken, _prepaid(amount.currency, at_supplier=at_supplier), amount)]


def build_unallocated(
    amount: Money, *, gateway: str, merchant: str, at_supplier: bool = False
) -> list[TransferLine]:
    """Book money that no order expects: paid twice, too late or in the wrong amount."""
    taken = _taken(amount.currency, gateway, merchant, at_supplier=at_supplier)
    return [line(taken, _aside(amount.currency, at_supplier=at_supplier), amount)]


def build_allocated(amount: Money, *, at_supplier: bool = False) -> list[TransferLine]:
    """Book that money which no order expected is an order's price after all."""
    aside = _aside(amount.currency, at_supplier=at_supplier)
    return [line(aside, _prepaid(amount.currency, at_supplier=at_supplier), amount)]


def vat_within(gross: Money, basis_points: int = VAT_BASIS_POINTS) -> Money:
    """Return the tax contained in a gross amount. Rounding: half up."""
    assert basis_points >= 0, "a tax is not negative"
    part = Decimal(gross.amount_minor) * basis_points / (_WHOLE + basis_points)
    return Money(round_half_up(part), gross.currency)


def build_sale(
    *, supplier: Money, fee: Money, supplier_ref: str, vat_basis_points: int = VAT_BASIS_POINTS
) -> list[TransferLine]:
    """Book a confirmed retirement: the prepayment becomes supplier's part, fee and its tax (M3)."""
    return list(_sale(supplier, fee, supplier_ref, vat_basis_points))


# A hall buys at few prices: their lines are made once.
@lru_cache(maxsize=4096)
def _sale(
    supplier: Money, fee: Money, supplier_ref: str, vat_basis_points: int
) -> tuple[TransferLine, ...]:
    currency = supplier.currency
    vat = vat_within(fee, vat_basis_points)
    shares = (
        (chart.supplier_payable(currency, supplier_ref), supplier),
        (chart.fee_revenue(currency), fee - vat),
        (chart.output_vat(currency), vat),
    )
    prepaid = chart.customer_prepayments(currency)
    lines = [line(prepaid, target, amount) for target, amount in shares if amount.amount_minor]
    assert sum(entry.amount_minor for entry in lines) == (supplier + fee).amount_minor, "M3"
    return tuple(lines)


def build_refund(
    amount: Money, *, from_unallocated: bool = False, at_supplier: bool = False
) -> list[TransferLine]:
    """Book a refund that was asked of the gateway, before the grams were retired."""
    source = _aside if from_unallocated else _prepaid
    transit = _in_transit(amount.currency, at_supplier=at_supplier)
    return [line(source(amount.currency, at_supplier=at_supplier), transit, amount)]


def build_goodwill_refund(amount: Money, *, is_ours: bool = True) -> list[TransferLine]:
    """Book a refund after retirement: our cost, the grams stay retired (R11).

    ``is_ours``: False where the supplier bears it, from the account that collected.
    """
    currency = amount.currency
    if not is_ours:
        return build_memo_returning(amount)
    return [line(chart.goodwill(currency), chart.refunds_in_transit(currency), amount)]


def build_memo_returning(amount: Money) -> list[TransferLine]:
    """Book the memo that a supplier's own account gives a guest money back after retirement."""
    returned, refunding = (
        chart.gross_contra(amount.currency, stands) for stands in (chart.RETURNED, "refunding")
    )
    return [line(returned, refunding, amount)]


def build_refund_advanced(amount: Money, *, supplier_ref: str) -> list[TransferLine]:
    """Book that a supplier's account paid a refund that is our cost: we owe it to the supplier."""
    payable = chart.supplier_payable(amount.currency, supplier_ref)
    return [line(chart.refunds_in_transit(amount.currency), payable, amount)]


def build_refund_otherwise(amount: Money) -> list[TransferLine]:
    """Book a refund that was paid from our bank, since the gateway found no way to its payer."""
    currency = amount.currency
    return [line(chart.refunds_in_transit(currency), chart.bank(currency), amount)]


def build_refund_settled(
    amount: Money, *, gateway: str, merchant: str, at_supplier: bool = False
) -> list[TransferLine]:
    """Book a refund that the gateway confirmed."""
    taken = _taken(amount.currency, gateway, merchant, at_supplier=at_supplier)
    return [line(_in_transit(amount.currency, at_supplier=at_supplier), taken, amount)]


def _with_banks(currency: str, *, at_supplier: bool) -> str:
    if at_supplier:
        return chart.gross_contra(currency, chart.DISPUTED)
    return chart.disputed_funds(currency)


def build_disputed(
    amount: Money, *, gateway: str, merchant: str, at_supplier: bool = False
) -> list[TransferLine]:
    """Book that a payer's bank took money back until a chargeback is decided."""
    taken = _taken(amount.currency, gateway, merchant, at_supplier=at_supplier)
    return [line(_with_banks(amount.currency, at_supplier=at_supplier), taken, amount)]


def build_dispute_fee(fee: Money, *, gateway: str, merchant: str) -> list[TransferLine]:
    """Book what the gateway charges for a chargeback, however it ends."""
    clearing = chart.gateway_clearing(fee.currency, gateway, merchant)
    return [line(chart.chargeback_loss(fee.currency), clearing, fee)]


def build_dispute_won(
    amount: Money, *, gateway: str, merchant: str, at_supplier: bool = False
) -> list[TransferLine]:
    """Book that the money of a chargeback came back."""
    opened = build_disputed(amount, gateway=gateway, merchant=merchant, at_supplier=at_supplier)
    return [each.swapped() for each in opened]


def build_dispute_lost(
    amount: Money, *, covered: Money, source: str, at_supplier: bool = False
) -> list[TransferLine]:
    """Book that the money of a chargeback is gone.

    ``covered``: what of it was still owed to the customer, on the account of number ``source``:
    nothing retired, so nothing lost. The rest is our loss: the grams stay retired. ``at_supplier``:
    a memo that it left the supplier's account; whose loss it is, is booked beside it.
    """
    currency, lost = amount.currency, amount - covered
    taken = _with_banks(currency, at_supplier=at_supplier)
    assert min(covered.amount_minor, lost.amount_minor) >= 0, "no more is covered than was taken"
    lines = []
    if covered.amount_minor:
        where = _aside if source == chart.UNALLOCATED else _prepaid
        lines.append(line(where(currency, at_supplier=at_supplier), taken, covered))
    if lost.amount_minor:
        gone = chart.chargeback_loss(currency)
        if at_supplier:
            gone = chart.gross_contra(currency, chart.RETURNED)
        lines.append(line(gone, taken, lost))
    return lines


def build_dispute_advanced(amount: Money, *, supplier_ref: str) -> list[TransferLine]:
    """Book that a bank took our loss out of a supplier's account: we owe it to the supplier."""
    payable = chart.supplier_payable(amount.currency, supplier_ref)
    return [line(chart.chargeback_loss(amount.currency), payable, amount)]


def build_completion(cost: Money, *, supplier_ref: str) -> list[TransferLine]:
    """Book the rest of a tonne that we buy ourselves: our cost, owed to its supplier."""
    currency = cost.currency
    payable = chart.supplier_payable(currency, supplier_ref)
    return [line(chart.cost_of_credits(currency), payable, cost)]


def build_gateway_fee(amount: Money, *, gateway: str, merchant: str) -> list[TransferLine]:
    """Book what the gateway kept for itself, as its statement says."""
    clearing = chart.gateway_clearing(amount.currency, gateway, merchant)
    return [line(chart.gateway_fees(amount.currency), clearing, amount)]


def closed_day_sha256(facts: Mapping[str, object], previous_sha256: str) -> str:
    """Return the seal of a closed day over its facts and the seal of the day before."""
    return digest_hex(
        {"schema": "diandian/closed-day/1", **facts, "previous_sha256": previous_sha256}
    )


def build_remedy(amount: Money, *, supplier_ref: str) -> list[TransferLine]:
    """Book credits that replace recalled ones: our cost, by way of the provision, to the owner."""
    currency = amount.currency
    provision = chart.provisions(currency)
    return [
        line(chart.remedies(currency), provision, amount),
        line(provision, chart.supplier_payable(currency, supplier_ref), amount),
    ]
