"""The banks that a crowd pays at: what they took is the truth that everything is held against."""

from dataclasses import dataclass
from datetime import datetime

from diandian.payments.gateways.sandbox.peer import TradeRefusedError


@dataclass(frozen=True, slots=True)
class Notice:
    """What a bank sends to our address, and when it signed it. ``gateway``: whose."""

    gateway: str
    headers: dict
    body: bytes
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """What a bank took for a payment and gave back, in minor units."""

    taken_minor: int
    returned_minor: int
    currency: str


class SandboxBank:
    """The sandbox's own peer, whose books are a file of its own."""

    gateway = "sandbox"

    def __init__(self, peer):
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

    def forged(self, notice, dice):
        """Return a notice that the bank never sent in this form."""
        headers, body = dict(notice.headers), notice.body
        way = dice.randrange(4)
        if way == 0:
            body += b" "
        elif way == 1:
            headers["Sandbox-Signature"] = "0" * 64
        elif way == 2:
            headers["Sandbox-Signature"] = headers["Sandbox-Signature"][::-1]
        else:
            del headers["Sandbox-Signature"]
        return Notice(notice.gateway, headers, body, notice.sent_at)

    def books(self):
        """Return what was taken for each payment, and given back."""
        rows = self.peer.run(
            "SELECT payment_no, state, amount_minor, refunded_minor, currency FROM trade", ()
        )
        return {
            number: Taken(amount if state == "succeeded" else 0, refunded, currency)
            for number, state, amount, refunded, currency in rows
        }

    def _notice(self, sent, at):
        return Notice(self.gateway, sent.headers, sent.body, at)
