"""Our own bank: it pays suppliers by the files that the office brings, each number once."""

import csv
import io
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

_REFUSED = 0.1


@dataclass(slots=True)
class Order:
    """A payout as the bank took it. ``state``: taken, paid or failed."""

    account: str
    amount_minor: int
    state: str = "taken"
    is_told: bool = False


class HouseBank:
    """``paid``: what each account got, in minor units. ``counts``: what happened."""

    def __init__(self, dice):
        self._dice = dice
        self.orders, self.paid, self.counts = {}, Counter(), Counter()

    def knows(self, number):
        """Tell whether a payout was handed in."""
        return number in self.orders

    def take(self, content):
        """Take a file; a number that is known already is not paid again."""
        [row] = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
        if self.knows(row["number"]):
            self.counts["files refused as copies"] += 1
            return
        assert row["currency"] == "CNY", row
        self.orders[row["number"]] = Order(row["payee_account"], int(Decimal(row["amount"]) * 100))

    def work(self):
        """Pay what was handed in, or find that an account is closed today."""
        for order in self.orders.values():
            if order.state == "taken":
                order.state = "failed" if self._dice.random() < _REFUSED else "paid"
                self.counts[f"payouts {order.state}"] += 1
                if order.state == "paid":
                    self._pay(order)

    def _pay(self, order):
        self.paid[order.account] += order.amount_minor

    def results(self, number):
        """Return what became of a payout as a file, empty while nothing did."""
        order = self.orders.get(number)
        if order is None or order.state == "taken":
            return b""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(("number", "amount", "currency", "state", "bank_ref", "reason"))
        amount = f"{order.amount_minor // 100}.{order.amount_minor % 100:02d}"
        reason = "" if order.state == "paid" else "account closed today"
        writer.writerow((number, amount, "CNY", order.state, f"B-{number}", reason))
        return out.getvalue().encode()
