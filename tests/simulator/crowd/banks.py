"""The banks that a crowd pays at: what they took is the truth that everything is held against."""

from dataclasses import dataclass, replace
from datetime import datetime

from diandian.payments.gateways.sandbox.peer import TradeRefusedError


@dataclass(frozen=True, slots=True)
class Notice:
    """What a bank sends to our address, and when it signed it. ``gateway``: whose.

    ``merchant_key``: of the address, "" for the short one.
    """

    gateway: str
    headers: dict
    body: bytes
    sent_at: datetime
    merchant_key: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a bank took for a payment and gave back, in minor units."""

    taken_minor: int
    returned_minor: int
    currency: str


class Bank:
    """What every bank has. ``signature``: the header that proves a notice.

    ``refunds``: numbers of refunds that a bank was asked for and has not told about. ``has_wire``:
    it is another process, and has ``break_wire`` and ``mend_wire``.
    """

    gateway = signature = ""
    has_wire = False

    def __init__(self):
        self.refunds = []

    def merchants(self, folder):
        """Return our accounts there as tables of the merchants' file, keys written to a folder."""
        del folder
        return []

    def follow(self, at):
        """Set the bank's clock."""

    def forget(self):
        """Forget what our process remembers of the bank, as after a death."""

    def close(self):
        """Leave the bank."""
        self.forget()

    def wait(self, payment, at):
        """Let a guest begin what succeeds later, where the bank has such a thing."""

    def tell_refund(self, refund_no, at):
        """Return the bank's notice of a refund, None where it sends none."""
        del refund_no, at

    def forged(self, notice, dice):
        """Return a notice that the bank never sent in this form."""
        headers, body, name = dict(notice.headers), notice.body, self.signature
        way = dice.randrange(4)
        if way == 0:
            body += b" "
        elif way == 1:
            headers[name] = "0" * 64
        elif way == 2:
            headers[name] = headers[name][::-1]
        else:
            del headers[name]
        return replace(notice, headers=headers, body=body)


class SandboxBank(Bank):
    """The sandbox's own peer, whose books are a file of its own."""

    gateway, signature = "sandbox", "Sandbox-Signature"

    def __init__(self, peer):
        super().__init__()
        self.peer = peer

    def _trade(self, payment):
        return self.peer.by_no(payment.payment_no)

    def choose(self, payment, choice, at):
        """Let a guest pay or decline; return the bank's notices, nothing where it refuses."""
        trade = self._trade(payment)
        if trade is None:
            return []
        try:
            sent = self.peer.decide(trade.token, choice, at)
        except TradeRefusedError:
            return []
        return [self._notice(each, at) for each in sent]

    def pay_late(self, payment, at):
        """Take money although the payment was closed or over; return the notice."""
        trade = self._trade(payment)
        if trade is None or trade.paid_ms:
            return []
        return [self._notice(self.peer.settle_anyway(trade.payment_no, at), at)]

    def tell_again(self, payment_no, at):
        """Return a fresh notice of a payment that the bank took."""
        trade = self.peer.by_no(payment_no)
        return self._notice(self.peer.notice(trade, "payment.succeeded", at), at)

    def take_otherwise(self, payment, change_minor):
        """Change what an unpaid payment will take; tell whether it does."""
        trade = self._trade(payment)
        if trade is None or trade.amount_minor + change_minor <= 0:
            return False
        self.peer.run(
            "UPDATE trade SET amount_minor = amount_minor + ? WHERE payment_no = ?"
            " AND state = 'pending'",
            (change_minor, trade.payment_no),
        )
        return True

    def books(self, at):
        """Return what was taken for each payment, and given back."""
        del at
        rows = self.peer.run(
            "SELECT payment_no, state, amount_minor, refunded_minor, currency FROM trade", ()
        )
        return {
            number: Taken(amount if state == "succeeded" else 0, refunded, currency)
            for number, state, amount, refunded, currency in rows
        }

    def _notice(self, sent, at):
        return Notice(self.gateway, sent.headers, sent.body, at)
