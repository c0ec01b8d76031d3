"""What a test may do at the peer: set its clock, be a guest, order faults, read its truth."""

from datetime import datetime

import notices
import signing
from world import Merchant, RefusedError


class Control:
    def __init__(self, world, faults, keys):
        self.world, self.faults, self.keys = world, faults, keys

    def answer(self, name, facts):
        call = getattr(self, f"do_{name.replace('-', '_')}", None)
        if call is None:
            raise RefusedError(404, "RESOURCE_NOT_EXISTS", name)
        return call(facts)

    # -- set-up -----------------------------------------------------------------------------

    def do_keys(self, _facts):
        return {"keys": [{"id": key.id, "public_key": key.public_pem()} for key in self.keys]}

    def do_key(self, _facts):
        """Make a further key; answers are signed by the one that a request names."""
        self.keys.append(signing.PlatformKey())
        return self.do_keys({})

    def do_merchant(self, facts):
        key = signing.public_key(facts["public_key"])
        merchant = self.world.merchants.get(facts["mchid"])
        if merchant is None or facts.get("afresh"):
            merchant = Merchant(facts["mchid"], {}, [], "")
            self.world.merchants[facts["mchid"]] = merchant
        merchant.keys[facts["serial"]] = key
        merchant.apps = facts["apps"]
        merchant.api_key = facts["api_key"]
        merchant.subs |= facts.get("subs", {})
        merchant.products = facts.get("products", merchant.products)
        merchant.balance = facts.get("balance")
        return {}

    def do_clock(self, facts):
        if facts.keys() & {"now", "file"}:
            self.world.share_clock(facts.get("file"))
        if "now" in facts:
            now = facts["now"]
            self.world.fixed = None if now is None else int(datetime.fromisoformat(now).timestamp())
        if "advance_seconds" in facts:
            self.world.fixed = self.world.now() + facts["advance_seconds"]
        return {"now": self.world.now()}

    def do_fault(self, facts):
        if facts.get("clear"):
            self.faults.clear()
        else:
            self.faults.add(facts)
        return {"hits": self.faults.hits}

    def do_reset(self, _facts):
        """Forget every payment, and every fault; merchants and keys stay."""
        world = self.world
        for each in (world.trades, world.by_id, world.refunds, world.splits, world.reversals):
            each.clear()
        world.receiver_balances.clear()
        world.files.clear()
        world.tells_amount = False
        self.faults.clear()
        return {}

    def do_tells_amount(self, facts):
        self.world.tells_amount = facts["value"]
        return {}

    def do_balance(self, facts):
        """Set what a merchant can refund from, or what a receiver can give back."""
        if "receiver" in facts:
            self.world.receiver_balances[facts["receiver"]] = facts["balance"]
        else:
            self.world.merchants[facts["mchid"]].balance = facts["balance"]
        return {}

    # -- a guest, and what comes of it --------------------------------------------------------

    def do_pay(self, facts):
        trade = self._trade(facts)
        self.world.pay(
            trade, coupon=facts.get("coupon", 0), even_if_closed=facts.get("even_if_closed", False)
        )
        notice = self._sent(facts, trade.notify_url, self._payment_notice(trade, facts))
        return {"transaction_id": trade.transaction_id, "notice": notice}

    def do_decline(self, facts):
        """A guest goes away: to the gateway that is no event, the payment stays unpaid."""
        return {"trade_state": self._trade(facts).state}

    def do_refund(self, facts):
        """Decide about a refund: SUCCESS, CLOSED, ABNORMAL or PROCESSING for ever."""
        found = self.world.refunds[facts["mchid"], facts["out_refund_no"]]
        found.decided = facts["status"]
        return {}

    def do_split(self, facts):
        """Decide about a split: SUCCESS, CLOSED with a reason, PENDING for ever."""
        found = self.world.splits[facts["mchid"], facts["out_order_no"]]
        found.decided, found.reason = facts["result"], facts.get("reason", "")
        return {}

    def do_notice(self, facts):
        if "out_refund_no" in facts:
            return self._refund_notice(facts)
        if "out_order_no" in facts:
            found = self.world.splits[facts["mchid"], facts["out_order_no"]]
            return notices.split(
                self.world, self._key(facts), self.world.merchants[facts["mchid"]], found, facts
            )
        return self._payment_notice(self._trade(facts), facts)

    def _refund_notice(self, facts):
        found = self.world.refunds.get((facts["mchid"], facts["out_refund_no"]))
        if found is None:
            raise RefusedError(404, "RESOURCE_NOT_EXISTS")
        merchant = self.world.merchants[facts["mchid"]]
        return notices.refund(self.world, self._key(facts), merchant, found, facts)

    def do_deliver(self, facts):
        notice = self.do_notice(facts)
        url = facts.get("url") or self._trade(facts).notify_url
        return {"statuses": notices.deliver(notice, url, facts.get("most", 1))}

    def _sent(self, facts, url, notice):
        if facts.get("deliver"):
            notice["statuses"] = notices.deliver(notice, url, facts.get("most", 1))
        return notice

    def _payment_notice(self, trade, facts):
        merchant = self.world.merchants[trade.mchid]
        return notices.payment(self.world, self._key(facts), merchant, trade, facts)

    def _key(self, facts):
        wanted = facts.get("key_id")
        return next((key for key in self.keys if key.id == wanted), self.keys[0])

    def _trade(self, facts):
        trade = self.world.trades.get((facts["mchid"], facts["out_trade_no"]))
        if trade is None:
            raise RefusedError(404, "ORDER_NOT_EXIST")
        return trade

    # -- the truth ----------------------------------------------------------------------------

    def do_truth(self, _facts):
        world, now = self.world, self.world.now()
        return {
            "now": now,
            "payments": [
                {
                    "out_trade_no": each.no,
                    "mchid": each.mchid,
                    "sub_mchid": each.sub,
                    "state": each.state,
                    "total": each.total,
                    "fee": each.fee,
                    "transaction_id": each.transaction_id,
                    "paid": each.paid,
                }
                for each in world.trades.values()
            ],
            "refunds": [
                {
                    "out_refund_no": each.no,
                    "out_trade_no": each.trade.no,
                    "amount": each.amount,
                    "status": each.status(now),
                }
                for each in world.refunds.values()
            ],
            "splits": [
                {
                    "out_order_no": each.no,
                    "out_trade_no": each.trade.no,
                    "amount": each.shared(),
                    "result": each.result(now),
                }
                for each in world.splits.values()
            ],
            "reversals": [
                {
                    "out_return_no": each.no,
                    "out_order_no": each.split.no,
                    "amount": each.amount,
                    "result": each.result,
                }
                for each in world.reversals.values()
            ],
            # This gateway has none.
            "disputes": [],
        }
