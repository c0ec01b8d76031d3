"""What suppliers got, by the books of the banks, beside what the prices say that they get."""

from collections import Counter
from dataclasses import dataclass, replace

from tests.simulator.book import require
from tests.simulator.crowd.office import ACCOUNTS


@dataclass(frozen=True, slots=True)
class Sale:
    """A completed order: its price's payment and parts, in minor units. ``mode``: who collected.

    ``granted_minor``, ``by_hand_minor`` and ``lost_minor``: what of it went back after its
    retirement by our word, in a console, or by a bank's. ``is_shared``: the supplier stands for it.
    ``in_vain_minor``: was granted before, and did not arrive: what the supplier gave for that is
    settled with it by bank, and so is what it gives for what is granted once more; unless it
    ``was_taken_up``, as nothing was sent yet. ``by_bank``: its gateway passed on nothing, as less
    was left of the payment than what is due.
    """

    payment_no: str
    gateway: str
    mode: str
    supplier_ref: str
    supplier_minor: int
    fee_minor: int
    granted_minor: int
    by_hand_minor: int
    lost_minor: int
    is_shared: bool
    in_vain_minor: int = 0
    was_taken_up: bool = False
    by_bank: bool = False

    @property
    def leg_minor(self):
        """Return what is moved of it: the supplier's part, or our fee where that collects."""
        return self.fee_minor if self.mode == "gateway_split" else self.supplier_minor

    def _share_minor(self, refund_minor):
        """Return what of the leg goes back with a refund. Rounding: half up."""
        total = self.supplier_minor + self.fee_minor
        if not self.is_shared or not refund_minor:
            return 0
        return min(self.leg_minor, round_half_up_of(self.leg_minor * refund_minor, total))

    @property
    def shared_grants_minor(self):
        """Return what of the leg goes back, or is not moved, for goodwill."""
        return self._share_minor(self.granted_minor)

    @property
    def shared_losses_minor(self):
        """Return what of the leg goes back, or is not moved, for chargebacks."""
        return self._share_minor(self.lost_minor)

    @property
    def afterwards_minor(self):
        """Return what is settled by bank after a grant in vain: owed again, less the next share."""
        again = 0 if self.was_taken_up else self._share_minor(self.in_vain_minor)
        return again - self.shared_grants_minor if again else 0

    @property
    def moved_minor(self):
        """Return what is moved of it in the end."""
        back = self.shared_grants_minor + self.afterwards_minor
        return self.leg_minor - back - self.shared_losses_minor

    @property
    def advanced_minor(self):
        """Return what the supplier's account paid for us, and we owe."""
        is_ours = self.mode == "gateway_split" and not self.is_shared
        return self.granted_minor + self.lost_minor if is_ours else 0


def round_half_up_of(numerator, denominator):
    """Return a quotient as a whole number."""
    return (2 * numerator + denominator) // (2 * denominator)


def owed_by_bank(sales):
    """Return what each supplier gets by bank, claims taken off, in minor units."""
    owed = Counter()
    for sale in sales:
        if sale.by_bank and sale.mode == "gateway_split":
            owed[sale.supplier_ref] -= sale.moved_minor
        elif sale.by_bank or sale.mode == "principal":
            owed[sale.supplier_ref] += sale.moved_minor
        owed[sale.supplier_ref] += sale.advanced_minor + sale.afterwards_minor
    return owed


def judge(crowd, sales, books, accounts_by_code):
    """Compare what was passed on and paid with what the sales say. Returns sales and banks' moves.

    Raises: BreachError.
    """
    moved, pieces = _parts(crowd, sales)
    sales = [replace(sale, was_taken_up=_was_taken_up(sale, moved)) for sale in sales]
    sales = [replace(sale, by_bank=_by_bank(sale, moved, books)) for sale in sales]
    for sale in sales:
        number, due = sale.payment_no, 0 if sale.by_bank else sale.moved_minor
        if sale.mode != "principal":
            got = moved[number]
            require(got == due, "of", sale, "a bank passed on", got, "not", due)
            require(pieces[number] <= 1, number, "was passed on", pieces[number], "times")
    _payouts(crowd, sales, accounts_by_code)
    return sales, moved


def _was_taken_up(sale, moved):
    """Tell whether a bank passed on what is due of a payment as if nothing had been in vain."""
    return moved[sale.payment_no] == replace(sale, was_taken_up=True).moved_minor


def _by_bank(sale, moved, books):
    """Tell whether nothing was passed on of a payment of which less was left than what is due."""
    taken = books[sale.payment_no]
    left = taken.taken_minor - taken.returned_minor
    is_short = left < sale.moved_minor
    return sale.mode != "principal" and is_short and not moved[sale.payment_no]


def _parts(crowd, sales):
    """Return what was passed on of each payment, and in how many parts.

    Every part went to whom it belongs; and nothing of other payments.
    """
    due = {sale.payment_no: sale for sale in sales if sale.mode != "principal"}
    moved, pieces = Counter(), Counter()
    for bank in crowd.banks.values():
        places, ours = bank.payees(), bank.fee_accounts()
        for part in bank.parts(crowd.stage.now):
            number = part.payment_no
            moved[number] += part.net_minor
            pieces[number] += part.net_minor > 0
            if part.net_minor:
                require(number in due, "of", number, "nothing is due, and passed on was", part)
                sale = due[number]
                is_fee = sale.mode == "gateway_split"
                place = (ours if is_fee else dict(places))[sale.supplier_ref]
                require(part.receiver == place, "a part went to", part.receiver, "not", place)
    return moved, pieces


def _payouts(crowd, sales, accounts_by_code):
    """Each supplier got by bank what it gets, but what is below the least payout, or owed by it."""
    owed, least = owed_by_bank(sales), crowd.least_payout_minor
    for supplier, account in ACCOUNTS.items():
        left = owed[supplier] - crowd.office.bank.paid[account]
        said = -accounts_by_code[f"CNY:2010:{supplier}"] - accounts_by_code[f"CNY:1130:{supplier}"]
        require(left == said, supplier, "is owed", left, "by its sales and the bank;", said, "here")
        require(left < least, supplier, "was never paid", left)
