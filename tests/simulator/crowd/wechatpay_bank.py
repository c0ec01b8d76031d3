"""The peer that plays WeChat Pay, as a bank of the crowd."""

from collections import Counter
from contextlib import suppress

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from tests.peers.wechatpay import fixture
from tests.peers.wechatpay.fixture import API_KEY, APP, MERCHANT, SERIAL, SUB_MERCHANT
from tests.simulator.crowd.banks import Bank, Notice, Part, Taken
from tests.simulator.crowd.peers import SILENCE_SECONDS, Levers, RefusedError

_SILENCE = {"milliseconds": int(SILENCE_SECONDS * 1_000)}
_FAULTS = (
    {"kind": "timeout_with_effect", **_SILENCE},
    {"kind": "timeout_without_effect", **_SILENCE},
    {"kind": "reset_with_effect"},
    {"kind": "reset_with_effect"},
    {"kind": "reset_without_effect"},
    {"kind": "reset_without_effect"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429, "code": "FREQUENCY_LIMITED", "signed": True},
    {"kind": "unsigned"},
    {"kind": "signature"},
    {"kind": "other_key"},
    {"kind": "unknown_key"},
    {"kind": "stale"},
    {"kind": "tampered"},
    {"kind": "tampered"},
    {"kind": "html", "status": 502},
    {"kind": "garbage"},
    {"kind": "half_closed"},
)
_STORM = (
    {"kind": "status", "status": 503},
    {"kind": "reset_with_effect"},
    {"kind": "reset_without_effect"},
)
_SPLIT, _OWN, _OWN_MERCHANT = "wechatpay-sun", "wechatpay-wind", "1900000999"


def _account(payment):
    """Return of which merchant of ours a payment is."""
    return {"mchid": payment.merchant.partition("/")[0]}


class WechatpayBank(Bank):
    """A merchant at the peer: one supplier collects by itself, of the other we bought."""

    gateway, signature = "wechatpay", "Wechatpay-Signature"
    has_wire = True

    def __init__(self, clock):
        super().__init__()
        self._peer = fixture.running()
        self._levers = Levers(self._peer.base)
        self._levers("reset")
        self._enrol()
        self._clock = clock
        self._levers("clock", file=str(clock.path))
        self._coupons, self._payments_of = {}, {}

    def _enrol(self):
        """Open an account of our own, beside the one that acts for a supplier."""
        key = load_pem_private_key(self._peer.private_pem.encode(), None).public_key()
        text = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        facts = {"serial": SERIAL, "public_key": text, "apps": [APP], "api_key": API_KEY}
        self._levers("merchant", mchid=_OWN_MERCHANT, **facts)

    def merchants(self, folder):
        """Return our two accounts: one with a sub-merchant, one of our own."""
        # Who it is that pays, it could ask; a crowd knows it.
        (folder / "app-secret").write_text("known to no test", encoding="utf-8")
        found = []
        for key, settlement, supplier, merchant, sub in (
            (_SPLIT, "gateway_split", "supplier-sun", MERCHANT, SUB_MERCHANT),
            (_OWN, "principal", "supplier-wind", _OWN_MERCHANT, ""),
        ):
            options = self._peer.options(folder, app_secret=f"file:{folder / 'app-secret'}")
            table = {
                "key": key,
                "gateway": self.gateway,
                "mode": "test",
                "merchant": merchant,
                "settlement": settlement,
                "suppliers": [supplier],
                "options": options,
            }
            if sub:
                table["sub_merchant"] = sub
                options["split_receiver_name"] = "Diandian"
            else:
                options["principal_confirmed"] = "yes"
            found.append(table)
        return found

    # -- clock and wire -----------------------------------------------------------------------

    def follow(self, at):
        """Set the peer's clock."""
        self._clock.set(at)

    def break_wire(self, dice, *, call, is_aimed, is_storm):
        """Let the next answer, or the next to what changes something, go wrong; return how."""
        del call
        method = "POST" if is_aimed else ""
        fault = dice.choice(_STORM if is_storm else _FAULTS)
        self._levers("fault", path="/", method=method, **fault)
        return fault["kind"] + (f" {fault['status']}" if "status" in fault else "")

    def mend_wire(self):
        """Forget faults that nobody met."""
        self._levers("fault", clear=True)

    def close(self):
        """Leave the peer without faults on order."""
        self.mend_wire()
        self.forget()
        self._levers("clock", now=None)
        self._levers.close()

    # -- guests -------------------------------------------------------------------------------

    def choose(self, payment, choice, at):
        """Let a guest pay or go away; return the notices, nothing where it cannot be paid."""
        self.follow(at)
        if choice == "declined":
            return []  # to this gateway that is no event
        number = payment.payment_no
        try:
            paid = self._pay(payment, coupon=self._coupons.get(number, 0))
        except RefusedError:
            return []
        if choice in {"silent", "late"}:
            return []
        first = self._wrapped(payment, paid["notice"], at)
        return [first, first, self._told(payment, at)] if choice == "twice" else [first]

    def pay_late(self, payment, at):
        """Take money although the payment was closed or over; return the notice."""
        self.follow(at)
        try:
            paid = self._pay(payment, even_if_closed=True)
        except RefusedError:
            return []
        return [self._wrapped(payment, paid["notice"], at)]

    def _pay(self, payment, **wishes):
        self._payments_of[payment.payment_no] = payment
        return self._levers("pay", out_trade_no=payment.payment_no, **_account(payment), **wishes)

    def take_otherwise(self, payment, change_minor):
        """Let a coupon pay a part: that is no other amount, so False."""
        self._coupons[payment.payment_no] = min(abs(change_minor), payment.amount_minor - 1)
        return False

    # -- what it tells ------------------------------------------------------------------------

    def tell_again(self, payment_no, at):
        """Return a fresh notice of a payment that the bank took."""
        self.follow(at)
        return self._told(self._payments_of[payment_no], at)

    def tell_refund(self, refund_no, at):
        """Return the notice of a refund, None where it was never made."""
        self.follow(at)
        payment = self._payments_of.get(refund_no.removeprefix("R").partition("-")[0])
        if payment is None:
            return None
        with suppress(RefusedError):
            sent = self._levers("notice", out_refund_no=refund_no, **_account(payment))
            return self._wrapped(payment, sent, at)
        return None

    def _told(self, payment, at):
        sent = self._levers("notice", out_trade_no=payment.payment_no, **_account(payment))
        return self._wrapped(payment, sent, at)

    def _wrapped(self, payment, sent, at):
        key = _SPLIT if "/" in payment.merchant else _OWN
        return Notice(self.gateway, sent["headers"], sent["body"].encode(), at, key)

    def books(self, at):
        """Return what was taken for each payment, and given back."""
        self.follow(at)
        truth = self._levers("truth")
        returned = {}
        for back in truth["refunds"]:
            if back["status"] == "SUCCESS":
                number = back["out_trade_no"]
                returned[number] = returned.get(number, 0) + back["amount"]
        return {
            trade["out_trade_no"]: Taken(
                trade["total"] if trade["state"] in {"SUCCESS", "REFUND"} else 0,
                returned.get(trade["out_trade_no"], 0),
                "CNY",
                kept_minor=trade["fee"],
            )
            for trade in truth["payments"]
        }

    def payees(self):
        """Return the account of the supplier that collects."""
        return (("supplier-sun", SUB_MERCHANT),)

    def fee_accounts(self):
        """Return our own account, which gets the fee."""
        return {"supplier-sun": MERCHANT}

    def parts(self, at):
        """Return what was divided off, and came back."""
        self.follow(at)
        truth = self._levers("truth")
        back = Counter()
        for each in truth["reversals"]:
            if each["result"] == "SUCCESS":
                back[each["out_order_no"]] += each["amount"]
        return [
            Part(each["out_trade_no"], MERCHANT, each["amount"], back[each["out_order_no"]])
            for each in truth["splits"]
            if each["result"] == "SUCCESS" and each["amount"]
        ]
