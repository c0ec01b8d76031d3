"""The peer that plays Alipay, as a bank of the crowd."""

from tests.peers.alipay import fixture
from tests.simulator.crowd.banks import Bank, Notice, Part, Taken
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
    {"kind": "unsigned"},
    {"kind": "wrong_signature"},
    {"kind": "other_key"},
    {"kind": "altered", "facts": {"code": "20000", "sub_code": "aop.unknow-error"}},
    {"kind": "error_response", "facts": {"code": "20000", "sub_code": "isp.unknow-error"}},
)
_STORM = ({"kind": "status", "status": 503}, {"kind": "reset"}, {"kind": "reset_done"})
# What a merchant changes by: questions are answered by other methods.
_CHANGES = {
    "create_payment": "alipay.trade.precreate",
    "close_payment": "alipay.trade.close",
    "refund": "alipay.trade.refund",
    "split": "alipay.trade.order.settle",
    "reverse_split": "alipay.trade.refund",
}
_FORGERIES = ("forged", "other_body", "unsigned", "garbage", "other_key")
_FEE_BASIS_POINTS = 60
_SPLIT, _OWN = "alipay-sun", "alipay-wind"


class AlipayBank(Bank):
    """Two apps at the peer: one acts for a supplier that collects, one sells what we bought.

    A trade is there only once its guest signed in; whoever is declined may still pay.
    """

    gateway = "alipay"
    has_wire = True

    def __init__(self, clock):
        super().__init__()
        self._url = fixture.running().url
        self._levers = Levers(self._url)
        self._levers("calm")
        self._clock = clock
        self._levers("clock", file=str(clock.path))
        self._apps = {key: self._levers("app") for key in (_SPLIT, _OWN)}
        self._token = f"token of {self._apps[_SPLIT]['app_id']}"
        tokens = {self._token: self._apps[_SPLIT]["seller"]}
        self._ask(_SPLIT, "app", tokens=tokens)
        self._payments_of = {}

    def _ask(self, key, command, **asked):
        return self._levers(command, app_id=self._apps[key]["app_id"], **asked)

    def merchants(self, folder):
        """Return our two accounts: the supplier's, for which our app acts, and one of our own."""
        found = []
        for key, settlement, supplier in (
            (_SPLIT, "gateway_split", "supplier-sun"),
            (_OWN, "principal", "supplier-wind"),
        ):
            facts = self._apps[key]
            secrets = {
                "app_private_key": facts["private_keys"][0],
                "alipay_public_key": facts["public_keys"][0],
            }
            options = {"base_url": self._url}
            table = {
                "key": key,
                "gateway": self.gateway,
                "mode": "test",
                "merchant": facts["app_id"],
                "settlement": settlement,
                "suppliers": [supplier],
                "options": options,
            }
            if key == _SPLIT:
                table["sub_merchant"] = facts["seller"]
                table["shares_refunds"] = True
                options["fee_account"] = self._apps[_OWN]["seller"]
                secrets["app_auth_token"] = self._token
            else:
                table["shares_refunds"] = True
                options |= {"seller_id": facts["seller"], "principal_confirmed": "yes"}
            for name, value in secrets.items():
                path = folder / f"{key}-{name}"
                path.write_text(value, encoding="utf-8")
                options[name] = f"file:{path}"
            found.append(table)
        return found

    def payees(self):
        """Return the account of the supplier that collects."""
        return (("supplier-sun", self._apps[_SPLIT]["seller"]),)

    def fee_accounts(self):
        """Return our own account, which gets the fee."""
        return {"supplier-sun": self._apps[_OWN]["seller"]}

    # -- clock and wire -----------------------------------------------------------------------

    def follow(self, at):
        """Set the peer's clock."""
        self._clock.set(at)

    def break_wire(self, dice, *, call, is_aimed, is_storm):
        """Let the next answer, or the one that a call changes something by, go wrong."""
        fault = dice.choice(_STORM if is_storm else _FAULTS)
        path = _CHANGES.get(call, "") if is_aimed else ""
        self._levers("fault", **{"path": path, "is_exact": bool(path), **fault})
        return fault["kind"] + (f" {fault['status']}" if "status" in fault else "")

    def mend_wire(self):
        """Forget faults that nobody met."""
        self._levers("calm")

    def close(self):
        """Leave the peer without faults on order."""
        self.mend_wire()
        self._levers("clock", advance=0)
        self._levers.close()

    # -- guests -------------------------------------------------------------------------------

    def choose(self, payment, choice, at):
        """Let a guest pay or go away; return the notices, nothing where it cannot be paid."""
        self.follow(at)
        how = "scan" if choice == "declined" else "pay"
        if not self._decide(payment, how) or choice in {"declined", "silent", "late"}:
            return []
        first = self._told(payment, at)
        return [first, first, self._told(payment, at)] if choice == "twice" else [first]

    def wait(self, payment, at):
        """Let a guest sign in and leave it at that for a while."""
        self.follow(at)
        self._decide(payment, "scan")

    def pay_late(self, payment, at):
        """Take money although the trade was closed or over; return the notice."""
        self.follow(at)
        return [self._told(payment, at)] if self._decide(payment, "late") else []

    def _decide(self, payment, how):
        """Follow the way to pay and decide there; tell whether it could be done."""
        self._payments_of[payment.payment_no] = payment
        address = payment.instruction.get("url", "")
        try:
            if address and how != "late":
                self._levers.visit(address)
            self._ask(self._key(payment), "pay", number=payment.payment_no, how=how)
        except RefusedError:
            return False
        return True

    def take_otherwise(self, payment, change_minor):
        """Let nobody pay another amount than was asked for: this gateway has no such thing."""
        del payment, change_minor
        return False

    def give_by_hand(self, payment, amount_minor, at):
        """Give all of it back in the console: a part would show in no answer about the trade."""
        del amount_minor
        self.follow(at)
        asked = {"number": payment.payment_no, "amount": payment.amount_minor}
        try:
            self._ask(self._key(payment), "refund", **asked)
        except RefusedError:
            return None
        return lambda now: self._told(payment, now)

    # -- what it tells ------------------------------------------------------------------------

    def tell_again(self, payment_no, at):
        """Return a fresh notice of a payment that the bank took."""
        self.follow(at)
        return self._told(self._payments_of[payment_no], at)

    def tell_refund(self, refund_no, at):
        """Return the notice of a refund, None where it was never made."""
        self.follow(at)
        payment = self._payments_of.get(refund_no.removeprefix("R").partition("-")[0])
        return None if payment is None else self._told(payment, at)

    def forged(self, notice, dice):
        """Return a notice that the bank never sent in this form; the signature is in the body."""
        payment = self._payments_of[notice.about]
        self.follow(notice.sent_at)
        return self._told(payment, notice.sent_at, how=dice.choice(_FORGERIES))

    def _told(self, payment, at, how="right"):
        self.follow(at)
        number, key = payment.payment_no, self._key(payment)
        sent = self._ask(key, "notice", number=number, how=how)
        return Notice(self.gateway, sent["headers"], sent["body"].encode(), at, key, about=number)

    def _key(self, payment):
        return _SPLIT if "/" in payment.merchant else _OWN

    def books(self, at):
        """Return what was taken for each payment, and given back."""
        self.follow(at)
        truth = self._levers("truth")
        found = {}
        for facts in self._apps.values():
            for trade in truth[facts["app_id"]]["payments"]:
                back = {no: amount for no, amount, state in trade["refunds"] if state == "success"}
                taken = trade["total"] if trade["paid_at"] else 0
                by_hand = sum(amount for no, amount in back.items() if no.startswith("C"))
                number = trade["out_trade_no"]
                fee = (taken * _FEE_BASIS_POINTS + 5_000) // 10_000
                found[number] = Taken(taken, sum(back.values()), "CNY", by_hand, kept_minor=fee)
        return found

    def parts(self, at):
        """Return what was divided off, and came back."""
        self.follow(at)
        truth, found = self._levers("truth"), []
        for facts in self._apps.values():
            for trade in truth[facts["app_id"]]["payments"]:
                back = sum(each[2] for each in trade["reversals"] if each[3] == "SUCCESS")
                for _, receiver, amount, state in trade["splits"]:
                    if state == "SUCCESS":
                        found.append(Part(trade["out_trade_no"], receiver, amount, back))
                        back = 0
        return found
