"""What tests steer: clock, faults, guests' decisions, notices, and the whole truth."""

import urllib.error
import urllib.parse
import urllib.request

import signing
from world import written, yuan


class Control:
    """Steers one world. Not safe for threads: who calls holds the world's lock."""

    def __init__(self, world):
        self.world = world
        self.faults = []

    def answer(self, path, asked):
        """Return the JSON answer to a command. Raises: KeyError where there is no such command."""
        return getattr(self, f"do_{path.rpartition('/')[2]}")(asked)

    def _app(self, asked):
        return self.world.apps[asked["app_id"]]

    def do_clock(self, asked):
        if "file" in asked:
            self.world.share_clock(asked["file"])
            return {"now": self.world.now()}
        self.world.set_clock(asked.get("now", self.world.now() + asked.get("advance", 0)))
        return {"now": self.world.now()}

    def do_app(self, asked):
        """Open an app, or change one that is named."""
        app = self._app(asked) if "app_id" in asked else self.world.open_app()
        for name in ("is_open", "is_short", "refunds_wait", "max_ratio", "split_after"):
            setattr(app, name, asked.get(name, getattr(app, name)))
        app.denied = set(asked.get("denied", app.denied))
        app.short_receivers = set(asked.get("short_receivers", app.short_receivers))
        app.tokens.update(asked.get("tokens", {}))
        return self._described(app)

    def do_key(self, asked):
        """Change keys: ``ours`` (of the app) or ``theirs`` (the gateway signs with the last)."""
        app = self._app(asked)
        if asked["what"] == "ours":
            app.keys = [self.world.spare[asked["place"]]]
        else:
            app.gateway_keys = [self.world.gateway_keys[asked["place"]]]
        return self._described(app)

    def _described(self, app):
        return {
            "app_id": app.name,
            "seller": app.seller,
            "private_keys": [signing.private_text(key) for key in self.world.spare],
            "public_keys": [
                signing.public_text(key.public_key()) for key in self.world.gateway_keys
            ],
            "own_public_key": signing.public_text(self.world.spare[0].public_key()),
            "private_pem": signing.private_pem(self.world.spare[0]),
        }

    def do_fault(self, asked):
        """Let the next ``count`` answers to ``path`` (the beginning of a method) go wrong.

        ``is_exact``: to just that method.
        """
        self.faults.append({"count": 1, "path": "", "app_id": "", **asked})
        return {"faults": len(self.faults)}

    def do_finish(self, asked):
        """Let the time for refunds of a trade be over."""
        trade = self._app(asked).trades[asked["number"]]
        trade.status = "TRADE_FINISHED"
        return {"status": trade.status}

    def do_calm(self, asked):
        del asked
        self.faults.clear()
        return {}

    def fault_for(self, method, app_id):
        """Return the fault that an answer meets, and count it down."""
        for fault in self.faults:
            is_meant = method.startswith(fault["path"])
            if fault.get("is_exact"):
                is_meant = method == fault["path"]
            if is_meant and fault["app_id"] in ("", app_id):
                fault["count"] -= 1
                if fault["count"] <= 0:
                    self.faults.remove(fault)
                return fault
        return {}

    # -- guests and the world -------------------------------------------------------------------

    def do_pay(self, asked):
        """Let a guest ``scan`` (sign in), ``pay``, or pay ``late``."""
        trade = self.world.decide(self._app(asked), asked["number"], asked.get("how", "pay"))
        return self._brief(trade)

    def do_decline(self, asked):
        return self._brief(self.world.decide(self._app(asked), asked["number"], "scan"))

    def do_trade(self, asked):
        """Change a trade by hand: its total, its status."""
        trade = self._app(asked).trades[asked["number"]]
        trade.total = asked.get("total", trade.total)
        trade.status = asked.get("status", trade.status)
        return self._brief(trade)

    def do_refund(self, asked):
        """Refund in the console, or end a refund that is named."""
        app = self._app(asked)
        trade = app.trades[asked["number"]]
        if "state" in asked:
            found = trade.refunds[asked["refund_no"]]
            found["state"] = asked["state"]
            found["dback"] = asked.get("dback", "")
        else:
            found, _ = self.world.refund(app, trade, asked["amount"], f"C{self.world.number()}")
        return {"number": found["number"], "state": found["state"]}

    def do_leg(self, asked):
        """Let a leg or a reversal stand otherwise: PROCESSING, FAIL."""
        trade = self._app(asked).trades[asked["number"]]
        for each in trade.splits[asked["split_no"]][1]:
            each["state"] = asked["state"]
            if asked["state"] == "FAIL":
                each["error_code"] = "TXN_RESULT_ACCOUNT_BALANCE_NOT_ENOUGH"
        return {}

    # -- notices --------------------------------------------------------------------------------

    def do_notice(self, asked):
        """Return headers and body of a notice about a trade as it stands.

        ``how``: right, forged, other_body, unsigned, garbage, other_key. ``shift``: seconds off.
        ``altered``: fields that are others, and signed so.
        """
        app = self._app(asked)
        trade = app.trades[asked["number"]]
        fields = self._fields(app, trade, asked.get("shift", 0)) | asked.get("altered", {})
        fields = {name: value for name, value in fields.items() if value is not None}
        how = asked.get("how", "right")
        key = self.world.stranger if how in {"forged", "other_key"} else app.signing_key
        names = sorted(fields)
        signature = signing.sign(key, "&".join(f"{name}={fields[name]}" for name in names))
        if how == "garbage":
            signature = "%%% no base64 ü"
        if how == "other_body":
            fields["total_amount"] = yuan(trade.total + 1)
        signed = {} if how == "unsigned" else {"sign": signature}
        body = urllib.parse.urlencode({**fields, **signed, "sign_type": "RSA2"})
        kind = "application/x-www-form-urlencoded; charset=utf-8"
        return {"headers": {"Content-Type": kind}, "body": body, "id": fields["notify_id"]}

    def _fields(self, app, trade, shift):
        now = self.world.now() + shift
        # The same event keeps its name however often it is sent; the stamp is of the sending.
        name = f"{trade.trade_no}{trade.status}{len(trade.refunds)}"
        fields = {
            "notify_time": written(now),
            "notify_type": "trade_status_sync",
            "notify_id": name,
            "charset": "utf-8",
            "version": "1.0",
            "app_id": app.name,
            "auth_app_id": app.name,
            "trade_no": trade.trade_no,
            "out_trade_no": trade.out_trade_no,
            "seller_id": app.seller,
            "buyer_id": "2088000000000009",
            "trade_status": trade.status,
            "total_amount": yuan(trade.total),
            "subject": "点点 124 kg + x&y=z",
            "body": "",
            "gmt_create": written(trade.created),
        }
        if trade.paid_at:
            fields["gmt_payment"] = written(trade.paid_at)
        if trade.refunds:
            last = list(trade.refunds.values())[-1]
            fields |= {
                "out_biz_no": last["number"],
                "refund_fee": yuan(trade.refunded),
                "gmt_refund": written(last["at"]) + ".123",
            }
        return fields

    def deliver(self, asked, notice):
        """Send a notice until the seven letters come back; return what came. Holds no lock."""
        said = []
        for _ in range(asked.get("tries", 3)):
            request = urllib.request.Request(  # noqa: S310 - an address that a test gives
                asked["url"], notice["body"].encode(), notice["headers"], method="POST"
            )
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
                    said.append(answer.read(64).decode("latin-1"))
            except urllib.error.HTTPError as error:
                said.append(str(error.code))
            except OSError:
                said.append("")
            if said[-1] == "success" and not asked.get("repeat"):
                break
        return {"said": said, "id": notice["id"]}

    # -- truth ----------------------------------------------------------------------------------

    def truth(self):
        """Return all that ever happened here, by app; amounts in fen."""
        return {
            name: {
                "links": len(app.links),
                "payments": [self._brief(trade) for trade in app.trades.values()],
                "disputes": app.disputes,
            }
            for name, app in self.world.apps.items()
        }

    def _brief(self, trade):
        legs, backs = [], []
        for number, (_, details) in trade.splits.items():
            for each in details:
                kept = backs if each["operation_type"] == "transfer_refund" else legs
                account = each.get("trans_in") or each.get("trans_out")
                kept.append([number, account, each["amount"], each["state"]])
        return {
            "out_trade_no": trade.out_trade_no,
            "trade_no": trade.trade_no,
            "total": trade.total,
            "status": trade.status,
            "paid_at": trade.paid_at,
            "is_frozen": trade.is_frozen,
            "refunds": [[r["number"], r["amount"], r["state"]] for r in trade.refunds.values()],
            "splits": legs,
            "reversals": backs,
        }
