"""The banks that a crowd pays at: what they took is the truth that everything is held against."""

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings

from diandian.payments.gateways.sandbox import disputes, movements
from diandian.payments.gateways.sandbox import refunds as desk
from diandian.payments.gateways.sandbox.peer import TradeRefusedError
from diandian.payments.merchants import SANDBOX_MERCHANT

_DISPUTE_FEE_MINOR, _FEE_BASIS_POINTS = 1_500, 60
_SPLIT, _SUB = "sandbox-sun", "subsun"


@dataclass(frozen=True, slots=True)
class Notice:
    """What a bank sends to our address, and when it signed it. ``gateway``: whose.

    ``merchant_key``: of the address, "" for the short one. ``about``: whose payment it is, where
    the bank needs to know.
    """

    gateway: str
    headers: dict
    body: bytes
    sent_at: datetime
    merchant_key: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Dispute:
    """What a payer's bank took of a payment: "open", "won" (it came back) or "lost"."""

    ref: str
    state: str
    amount_minor: int
    fee_minor: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What a bank took for a payment and gave back, in minor units.

    ``by_hand_minor``: of that, in its console. ``disputes``: of payers' banks. ``kept_minor``: the
    bank's own fee, of whoever collected.
    """

    taken_minor: int
    returned_minor: int
    currency: str
    by_hand_minor: int = 0
    disputes: tuple = ()
    kept_minor: int = 0

    @property
    def lost_minor(self):
        """Return what payers' banks took for good."""
        return sum(each.amount_minor for each in self.disputes if each.state == "lost")

    @property
    def fees_minor(self):
        """Return what disputes cost, however they ended."""
        return sum(each.fee_minor for each in self.disputes)


@dataclass(frozen=True, slots=True)
class Part:
    """What a bank passed on of a payment, and what of that came back, in minor units."""

    payment_no: str
    receiver: str
    amount_minor: int
    back_minor: int = 0

    @property
    def net_minor(self):
        """Return what the receiver has of it."""
        return self.amount_minor - self.back_minor


class Bank:
    """What every bank has. ``signature``: the header that proves a notice.

    ``refunds``: numbers of refunds that a bank was asked for and has not told about. ``has_wire``:
    it is another process, and has ``break_wire`` and ``mend_wire``. ``least_kg``: of what it takes
    the price for; of less our fee is more than may be divided off.
    """

    gateway = signature = ""
    has_wire = False
    least_kg = 25

    def __init__(self):
        self.refunds = []

    def merchants(self, folder):
        """Return our accounts there as tables of the merchants' file, keys written to a folder."""
        del folder
        return []

    def payees(self):
        """Return suppliers with their accounts there."""
        return ()

    def fee_accounts(self):
        """Return, by supplier, which account of ours gets the fee of what that collects itself."""
        return {}

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

    def give_by_hand(self, payment, amount_minor, at):
        """Give money back in the console; return what tells it, None where it cannot be done."""
        del payment, amount_minor, at

    def fail_refund(self, refund_no, at):
        """Let a refund that was made not arrive; return what tells it, None where it cannot be."""
        del refund_no, at

    def dispute(self, payment, amount_minor, at):
        """Let a payer's bank take money; return its number and what tells it, None: not here."""
        del payment, amount_minor, at

    def pay_out(self, amount_minor, at):
        """Send money of ours to our own bank, where this bank's statements tell of it."""
        del amount_minor, at

    def paid_out_minor(self, at):
        """Return what went to our own bank."""
        del at
        return 0

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

    def merchants(self, folder):
        """Return where one supplier collects; for the other the sandbox's own account does."""
        del folder
        options = {
            "store": str(settings.SANDBOX_STORE),
            "keys_dir": str(settings.KEYS_DIR),
            "split": "fee",
        }
        return [
            {
                "key": _SPLIT,
                "gateway": self.gateway,
                "mode": "test",
                "merchant": SANDBOX_MERCHANT,
                "sub_merchant": _SUB,
                "settlement": "gateway_split",
                "suppliers": ["supplier-sun"],
                "options": options,
            }
        ]

    def payees(self):
        """Return the account that collects, and one to which is passed on."""
        return (("supplier-sun", _SUB), ("supplier-wind", "acct_wind"))

    def fee_accounts(self):
        """Return our own account: it is the one that collects for the other supplier."""
        return {"supplier-sun": SANDBOX_MERCHANT}

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

    def give_by_hand(self, payment, amount_minor, at):
        """Give money back in the console."""
        number = payment.payment_no
        with suppress(TradeRefusedError):
            desk.by_hand(self.peer, number, amount_minor, at)
            return lambda now: self._notice(desk.notice(self.peer, number, now), now)
        return None

    def dispute(self, payment, amount_minor, at):
        """Let a payer's bank take money, and a fee with it."""
        number = payment.payment_no
        ref, _ = disputes.begin(
            self.peer, number, amount_minor=amount_minor, fee_minor=_DISPUTE_FEE_MINOR, now=at
        )
        return ref, lambda now: self._notice(desk.notice(self.peer, number, now), now)

    def decide_dispute(self, ref, verdict, at):
        """Let a payer's bank decide; return what tells it."""
        disputes.end(self.peer, ref, verdict, at)
        return lambda now: self._notice(disputes.end(self.peer, ref, verdict, now), now)

    def books(self, at):
        """Return what was taken for each payment, and given back."""
        del at
        rows = self.peer.run(
            "SELECT payment_no, state, amount_minor, refunded_minor, currency FROM trade", ()
        )
        by_hand = dict(
            self.peer.run(
                "SELECT payment_no, sum(amount_minor) FROM refund"
                " WHERE refund_no LIKE 'console-%' GROUP BY payment_no",
                (),
            )
        )
        taken_back = {}
        disputes.facts_of(self.peer, "")  # where it never had one, the table is made by a question
        for number, *facts in self.peer.run(
            "SELECT payment_no, dispute_ref, state, amount_minor, fee_minor FROM dispute", ()
        ):
            taken_back.setdefault(number, []).append(Dispute(*facts))
        return {
            number: Taken(
                amount if state == "succeeded" else 0,
                refunded,
                currency,
                by_hand.get(number, 0),
                tuple(taken_back.get(number, ())),
                (amount * _FEE_BASIS_POINTS + 5_000) // 10_000 if state == "succeeded" else 0,
            )
            for number, state, amount, refunded, currency in rows
        }

    def parts(self, at):
        """Return what was passed on, and divided off."""
        del at
        rows = self.peer.run(
            "SELECT payment_no, receiver, amount_minor, back_minor FROM leg"
            " WHERE state = 'succeeded'",
            (),
        )
        return [Part(*row) for row in rows]

    def pay_out(self, amount_minor, at):
        """Send money of our own account to our bank."""
        movements.pay_out(self.peer, SANDBOX_MERCHANT, amount_minor, "CNY", at)

    def paid_out_minor(self, at):
        """Return what went to our bank."""
        del at
        movements.payouts(self.peer, "", 0, 0)  # the table is made by a question
        return self.peer.run("SELECT coalesce(sum(amount_minor), 0) FROM payout", ())[0][0]

    def _notice(self, sent, at):
        number = json.loads(sent.body)["payment_no"]
        is_split = "/" in self.peer.by_no(number).merchant
        return Notice(self.gateway, sent.headers, sent.body, at, _SPLIT if is_split else "sandbox")
