"""The peer that plays Stripe, as a bank of the crowd."""

import heapq
from collections import Counter
from contextlib import suppress
from datetime import timedelta

from diandian.payments.gateways.stripe import client
from tests.peers.stripe import fixture
from tests.simulator.crowd.banks import Bank, Dispute, Notice, Part, Taken
from tests.simulator.crowd.peers import SILENCE_SECONDS, Levers, RefusedError

_FAULTS = (
    {"kind": "timeout_done", "seconds": SILENCE_SECONDS},
    {"kind": "timeout_not_done", "seconds": SILENCE_SECONDS},
    {"kind": "reset"},
    {"kind": "reset"},
    {"kind": "reset_done"},
    {"kind": "reset_done"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429},
    {"kind": "html", "status": 502},
    {"kind": "half_closed"},
    {"kind": "raw", "body": "{"},
)
_STORM = ({"kind": "status", "status": 503}, {"kind": "reset"}, {"kind": "reset_done"})
_PAID, _PAID_AFTER_ALL = "checkout.session.completed", "checkout.session.async_payment_succeeded"


class StripeBank(Bank):
    """One account at the peer. Money that comes late there is a debit that takes its time."""

    gateway, signature = "stripe", "Stripe-Signature"
    has_wire = True
    key = "stripe"
    # Below four yuan it takes nothing.
    least_kg = 60

    def __init__(self, clock):
        super().__init__()
        self._levers = Levers(fixture.running().url)
        self._url = fixture.running().url
        self._facts = self._levers("account", currency="cny")
        self._account = self._facts["account"]
        self._clock = clock
        self._levers("clock", file=str(clock.path))
        # (when, number) of debits that are on their way; what will be taken instead of the price.
        self._coming, self._altered, self._waiting = [], {}, set()

    def merchants(self, folder):
        """Return our account, which collects for every supplier and passes on."""
        options = {"base_url": self._url}
        for name, value in (
            ("api_key", self._facts["keys"][0]),
            ("webhook_secret", self._facts["secrets"][0]),
        ):
            path = folder / f"stripe-{name}"
            path.write_text(value, encoding="utf-8")
            options[name] = f"file:{path}"
        return [
            {
                "key": self.key,
                "gateway": self.gateway,
                "mode": "test",
                "merchant": self._account,
                "settlement": "connect",
                "suppliers": ["*"],
                "shares_refunds": True,
                "options": options,
            }
        ]

    def payees(self):
        """Return where both suppliers receive: they share an account there."""
        place = self._facts["destination"]
        return (("supplier-sun", place), ("supplier-wind", place))

    # -- clock and wire -----------------------------------------------------------------------

    def follow(self, at):
        """Set the peer's clock, and let debits arrive whose time has come."""
        self._clock.set(at)
        while self._coming and self._coming[0][0] <= at:
            self._arrive(heapq.heappop(self._coming)[1])

    def break_wire(self, dice, *, call, is_aimed, is_storm):
        """Let the next answer, or the next to what changes something, go wrong; return how."""
        del call
        method = "POST" if is_aimed else ""
        fault = dice.choice(_STORM if is_storm else _FAULTS)
        self._levers("fault", key=self._facts["keys"][0], method=method, **fault)
        return fault["kind"] + (f" {fault['status']}" if "status" in fault else "")

    def mend_wire(self):
        """Forget faults that nobody met."""
        self._levers("calm")

    def forget(self):
        """Forget the pages and the account that our process knows."""
        client._line.cache_clear()

    def close(self):
        """Leave the peer without faults on order."""
        self.mend_wire()
        self.forget()
        self._levers("clock", advance=0)
        self._levers.close()

    # -- guests -------------------------------------------------------------------------------

    def choose(self, payment, choice, at):
        """Let a guest pay or decline; return the notices, nothing where the page is over."""
        self.follow(at)
        number = payment.payment_no
        if choice == "late":
            self.wait(payment, at)
            if number in self._waiting:
                heapq.heappush(self._coming, (at + timedelta(seconds=40), number))
            return []
        how = "decline" if choice == "declined" else "pay"
        if not self._decide(number, how, self._altered.get(number, {})):
            return []
        if choice == "silent":
            return []
        if choice == "declined":
            return [self._notice(number, "charge.failed", at)]
        first = self._notice(number, _PAID, at)
        if choice == "twice":
            return [first, first, self._notice(number, "payment_intent.succeeded", at)]
        return [first]

    def wait(self, payment, at):
        """Let a guest choose a debit: the page is done with, the money is on its way."""
        self.follow(at)
        if self._decide(payment.payment_no, "waits", {}):
            self._waiting.add(payment.payment_no)

    def _decide(self, number, how, altered):
        try:
            self._levers("decide", account=self._account, number=number, how=how, altered=altered)
        except RefusedError:
            return False
        return True

    def _arrive(self, number):
        self._waiting.remove(number)
        self._levers("settle", account=self._account, number=number, how="pay")

    def pay_late(self, payment, at):
        """Let the debit arrive, or pay on a page that is still open."""
        self.follow(at)
        number = payment.payment_no
        if number in self._waiting:
            self._arrive(number)
            return [self._notice(number, _PAID_AFTER_ALL, at)]
        return self.choose(payment, "paid", at)

    def take_otherwise(self, payment, change_minor):
        """Let an unpaid payment take another amount; tell whether it does."""
        amount = payment.amount_minor + change_minor
        self._altered[payment.payment_no] = {"amount": amount, "amount_captured": amount}
        return True

    def give_by_hand(self, payment, amount_minor, at):
        """Give money back in the console."""
        self.follow(at)
        number = payment.payment_no
        try:
            made = self._levers("refund", account=self._account, number=number, amount=amount_minor)
        except RefusedError:
            return None
        return lambda now: self._notice(made["id"], "refund.created", now)

    def fail_refund(self, refund_no, at):
        """Let a refund that was made not arrive; return what tells it, None where it was not made.

        Its money is back in our account.
        """
        self.follow(at)
        asked = {"account": self._account, "refund_no": refund_no, "status": "failed"}
        try:
            made = self._levers("refund", **asked)
        except RefusedError:
            return None
        return lambda now: self._notice(made["id"], "refund.failed", now)

    def dispute(self, payment, amount_minor, at):
        """Let a payer's bank take all of it, and a fee with it."""
        del amount_minor
        self.follow(at)
        number = payment.payment_no
        asked = {"account": self._account, "number": number, "status": "needs_response"}
        made = self._levers("dispute", **asked)
        return number, lambda now: self._notice(made["id"], "charge.dispute.created", now)

    def decide_dispute(self, ref, verdict, at):
        """Let a payer's bank decide; return what tells it."""
        self.follow(at)
        made = self._levers("dispute", account=self._account, number=ref, status=verdict)
        return lambda now: self._notice(made["id"], "charge.dispute.closed", now)

    # -- what it tells ------------------------------------------------------------------------

    def tell_again(self, payment_no, at):
        """Return a fresh notice of a payment, None where the peer has forgotten its event."""
        self.follow(at)
        for kind in (_PAID_AFTER_ALL, _PAID):
            with suppress(RefusedError):
                return self._notice(payment_no, kind, at)
        return None

    def tell_refund(self, refund_no, at):
        """Return the notice of a refund, None where it was never made."""
        self.follow(at)
        with suppress(RefusedError):
            return self._notice(refund_no, "refund.created", at)
        return None

    def _notice(self, number, kind, at):
        self.follow(at)
        sent = self._levers("notice", account=self._account, type=kind, number=number)
        return Notice(self.gateway, sent["headers"], sent["body"].encode(), at, self.key)

    def books(self, at):
        """Return what was taken for each payment, and given back."""
        self.follow(at)
        truth = self._levers("truth")[self._account]
        found = {
            page["client_reference_id"]: Taken(0, 0, page["currency"].upper())
            for page in truth["pages"]
        }
        by_hand, disputes = Counter(), {}
        for back in truth["refunds"]:
            if back["status"] == "succeeded" and "refund_no" not in back["metadata"]:
                by_hand[back["charge"]] += back["amount"]
        fees = Counter()
        for move in truth["movements"]:
            fees[move["source"]] += move["fee"]
        for each in truth["disputes"]:
            state = each["status"] if each["status"] in {"won", "lost"} else "open"
            found_there = Dispute(each["id"], state, each["amount"], fees[each["id"]])
            disputes.setdefault(each["charge"], []).append(found_there)
        for charge in truth["charges"]:
            if charge["status"] == "succeeded":
                number = charge["transfer_group"]
                so_far = found[number]
                found[number] = Taken(
                    so_far.taken_minor + charge["amount"],
                    so_far.returned_minor + charge["amount_refunded"],
                    charge["currency"].upper(),
                    so_far.by_hand_minor + by_hand[charge["id"]],
                    (*so_far.disputes, *disputes.get(charge["id"], ())),
                    so_far.kept_minor + fees[charge["id"]],
                )
        return found

    def parts(self, at):
        """Return what was passed on, and came back."""
        self.follow(at)
        return [
            Part(
                each["transfer_group"],
                each["destination"],
                each["amount"],
                each["amount_reversed"],
            )
            for each in self._levers("truth")[self._account]["transfers"]
        ]

    def pay_out(self, amount_minor, at):
        """Send money of our account to our bank."""
        self.follow(at)
        self._levers("payout", account=self._account, amount=amount_minor)

    def paid_out_minor(self, at):
        """Return what went to our bank."""
        self.follow(at)
        moves = self._levers("truth")[self._account]["movements"]
        return -sum(move["amount"] for move in moves if move["type"] == "payout")
