"""Books what came back of a supplier's part with a refund, and what is given back again.

*Source:* payments design, section 8.
"""

from datetime import datetime

from diandian.kernel.money import Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger import payouts
from diandian.ledger.rules import TransferLine
from diandian.payments import merchants
from diandian.payments.models import Payment
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.lines import queries as line_queries
from diandian.settlement.models import Line, Return, ReturnWay


def book(found: Return, line: Line, payment: Payment, at: datetime) -> None:
    """Book a return that is done, in the caller's transaction; one of nothing books nothing."""
    lines = _lines_of(found, line, payment) if found.amount_minor else []
    _post(f"part_{found.way}", f"return:{found.return_no}", line, lines, at)


def book_given_back(found: Return, line: Line, at: datetime) -> None:
    """Book that a done return is settled with the supplier, in the caller's transaction.

    The part is owed to it by bank; our fee, of one who collects, is claimed from it by bank.
    """
    if not found.amount_minor:
        return
    supplier_ref, amount = line.supplier_ref, Money(found.amount_minor, line.currency)
    number = f"return:{found.return_no}:given_back"
    if line.is_fee_leg:
        already = line_queries.fee_went_back(line, but=found)
        lines = payouts.build_split_fee_claimed(amount, already=already, supplier_ref=supplier_ref)
        line_actions.claim(line, source_ref=number, amount=amount, at=at)
    else:
        is_dispute = found.cause == "dispute"
        lines = payouts.build_given_back(amount, supplier_ref=supplier_ref, is_dispute=is_dispute)
    _post("part_given_back", number, line, lines, at)


def book_taken_up(found: Return, line: Line, at: datetime) -> None:
    """Book that a part is owed again as it was before it was forgone, in the same transaction.

    Of our fee nothing was booked: it was not earned yet.
    """
    amount, is_dispute = Money(found.amount_minor, line.currency), found.cause == "dispute"
    if amount.amount_minor and not line.is_fee_leg:
        lines = payouts.build_given_back(
            amount, supplier_ref=line.supplier_ref, is_dispute=is_dispute
        )
        _post("part_taken_up", f"return:{found.return_no}:taken_up", line, lines, at)


def _lines_of(found: Return, line: Line, payment: Payment) -> list[TransferLine]:
    amount, supplier_ref = Money(found.amount_minor, line.currency), line.supplier_ref
    is_dispute = found.cause == "dispute"
    if line.is_fee_leg:
        return _of_fee(found, line, payment, amount)
    if found.way == ReturnWay.CLAIMED:
        return payouts.build_claim(amount, supplier_ref=supplier_ref, is_dispute=is_dispute)
    if found.way == ReturnWay.FORGONE:
        return payouts.build_forgone(amount, supplier_ref=supplier_ref, is_dispute=is_dispute)
    return payouts.build_transfer_reversed(
        amount, gateway=payment.gateway, merchant=payment.received_by, is_dispute=is_dispute
    )


def _of_fee(found: Return, line: Line, payment: Payment, amount: Money) -> list[TransferLine]:
    if found.way == ReturnWay.FORGONE:
        return []  # the fee was never earned
    already = line_queries.fee_went_back(line, but=found)
    if found.way == ReturnWay.OWED:
        return payouts.build_split_fee_owed(amount, already=already, supplier_ref=line.supplier_ref)
    return payouts.build_split_fee_reversed(
        amount,
        already=already,
        gateway=payment.gateway,
        merchant=merchants.of_payment(payment).context.merchant,
    )


def _post(kind: str, source_ref: str, line: Line, lines: list[TransferLine], at: datetime) -> None:
    if lines:
        ledger_actions.post(
            kind=kind, source_ref=source_ref, owner_ref=line.owner_ref, lines=lines, at=at
        )
