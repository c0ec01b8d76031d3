"""The calls that the gateway answers: who may call, what is done, what is signed."""

import json

import bills
import signing
from world import RefusedError, fen, read, written, yuan

# Further off than this and the gateway refuses a call.
SKEW_SECONDS = 600
PAGES = {"alipay.trade.wap.pay": "QUICK_WAP_WAY", "alipay.trade.page.pay": "FAST_INSTANT_TRADE_PAY"}
_SECRET = ("sign",)


class UnsignedError(Exception):
    """A refusal before the gateway knows who calls; it goes out without a signature."""

    def __init__(self, sub_code, code="40002"):
        self.facts = {"code": code, "msg": "Invalid Arguments", "sub_code": sub_code}
        super().__init__(sub_code)


class Calls:
    """Answers calls. Not safe for threads: who calls holds the world's lock."""

    def __init__(self, world):
        self.world = world

    def caller(self, form):
        """Return who calls, its signature proven. Raises: UnsignedError."""
        app = self.world.apps.get(form.get("app_id", ""))
        if app is None or not app.is_open:
            raise UnsignedError("isv.invalid-app-id")
        if form.get("sign_type") != "RSA2" or form.get("charset", "").lower() != "utf-8":
            raise UnsignedError("isv.invalid-signature-type")
        names = sorted(name for name in form if name not in _SECRET and form[name] != "")
        text = "&".join(f"{name}={form[name]}" for name in names)
        signature = form.get("sign", "")
        if not any(signing.is_signed(self._public(key), text, signature) for key in app.keys):
            raise UnsignedError("isv.invalid-signature")
        try:
            stamp = read(form.get("timestamp", ""))
        except ValueError:
            raise UnsignedError("isv.missing-timestamp") from None
        if abs(stamp - self.world.now()) > SKEW_SECONDS:
            raise UnsignedError("isv.invalid-timestamp")
        return app

    def _public(self, key):
        known = self.world.public_by_key
        if id(key) not in known:
            known[id(key)] = key.public_key()
        return known[id(key)]

    def answer(self, app, form):
        """Return the facts of an answer, refusals too."""
        method = form.get("method", "")
        token = form.get("app_auth_token")
        if token is not None and token not in app.tokens:
            return {"code": "20001", "msg": "x", "sub_code": "aop.invalid-app-auth-token"}
        if method in app.denied:
            sub_code = "isv.insufficient-isv-permissions"
            return {"code": "40006", "msg": "Insufficient Permissions", "sub_code": sub_code}
        act = getattr(self, "do_" + method.removeprefix("alipay.").replace(".", "_"), None)
        if act is None:
            return {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-method"}
        try:
            content = json.loads(form.get("biz_content") or "{}")
            facts = act(app, content, form)
        except RefusedError as error:
            said = {"code": error.code, "msg": "Business Failed", "sub_code": error.sub_code}
            return {**said, "sub_msg": error.text}
        except (KeyError, ValueError, TypeError, AttributeError):
            sub_code = "isv.invalid-parameter"
            return {"code": "40002", "msg": "Invalid Arguments", "sub_code": sub_code}
        return {"code": "10000", "msg": "Success", **facts}

    def open_page(self, app, form):
        """Note the way to pay that a guest follows. Raises: RefusedError."""
        content = json.loads(form["biz_content"])
        if content.get("product_code") != PAGES[form["method"]]:
            raise RefusedError("ACQ.INVALID_PARAMETER", "product_code")
        link = self.world.begin(app, content, form.get("notify_url", ""))
        link["return_url"] = form.get("return_url", "")
        return link

    # -- trades ---------------------------------------------------------------------------------

    def do_trade_precreate(self, app, content, form):
        link = self.world.begin(app, content, form.get("notify_url", ""))
        qr = f"https://qr.alipay.com/bax{abs(hash(link['number'])) % 10**12:012d}"
        return {"out_trade_no": link["number"], "qr_code": link.setdefault("qr", qr)}

    def do_trade_query(self, app, content, form):
        trade = self.world.find(app, content)
        facts = {
            "trade_no": trade.trade_no,
            "out_trade_no": trade.out_trade_no,
            "buyer_logon_id": "gue***@peer.example",
            "trade_status": trade.status,
            "total_amount": yuan(trade.total),
            "buyer_user_id": "2088000000000009",
            # Text that a reader of braces stumbles over.
            "store_name": 'a "store" }{ with braces }',
        }
        if trade.paid_at:
            facts["send_pay_date"] = written(trade.paid_at)
            facts["receipt_amount"] = facts["buyer_pay_amount"] = yuan(max(trade.total - 1, 0))
        return facts

    def do_trade_close(self, app, content, form):
        trade = self.world.find(app, content)
        self.world.close(trade)
        return {"trade_no": trade.trade_no, "out_trade_no": trade.out_trade_no}

    # -- money back -----------------------------------------------------------------------------

    def do_trade_refund(self, app, content, form):
        trade = self.world.find(app, content)
        amount, number = fen(content["refund_amount"]), content["out_request_no"]
        back = content.get("refund_royalty_parameters") or []
        if back:
            self.world.take_back(app, trade, number, back)
        has_moved = False
        if amount or not back:
            _, has_moved = self.world.refund(app, trade, amount, number)
        return {
            "trade_no": trade.trade_no,
            "out_trade_no": trade.out_trade_no,
            "buyer_logon_id": "gue***@peer.example",
            "fund_change": "Y" if has_moved else "N",
            "refund_fee": yuan(trade.refunded),
        }

    def do_trade_fastpay_refund_query(self, app, content, form):
        trade = self.world.find(app, content)
        found = trade.refunds.get(content["out_request_no"])
        facts = {"trade_no": trade.trade_no, "out_trade_no": trade.out_trade_no}
        if found is None:
            return facts
        facts |= {
            "out_request_no": found["number"],
            "refund_amount": yuan(found["amount"]),
            "total_amount": yuan(trade.total),
        }
        if found["state"] != "processing":
            facts["refund_status"] = "REFUND_" + found["state"].upper()
        if found.get("dback"):
            facts["deposit_back_info"] = {
                "has_deposit_back": "true",
                "dback_status": found["dback"],
            }
        return facts

    # -- royalty --------------------------------------------------------------------------------

    def do_trade_royalty_relation_bind(self, app, content, form):
        app.receivers.update(each["account"] for each in content["receiver_list"])
        return {"result_code": "SUCCESS"}

    def do_trade_royalty_rate_query(self, app, content, form):
        return {"user_id": app.seller, "max_ratio": str(app.max_ratio)}

    def do_trade_order_settle(self, app, content, form):
        trade = self.world.find(app, {"trade_no": content["trade_no"]})
        more = content.get("extend_params") or {}
        settle_no = self.world.settle(
            app,
            trade,
            content["out_request_no"],
            content.get("royalty_parameters") or [],
            is_last=more.get("royalty_finish") == "true",
        )
        return {"trade_no": trade.trade_no, "settle_no": settle_no}

    def do_trade_order_settle_query(self, app, content, form):
        trade = self.world.find(app, {"trade_no": content["trade_no"]})
        number = content["out_request_no"]
        if number not in trade.splits:
            raise RefusedError("ACQ.SETTLE_NOT_EXIST", "分账不存在")
        details = [
            {**each, "amount": yuan(each["amount"]), "execute_dt": written(each["at"])}
            for each in trade.splits[number][1]
        ]
        for each in details:
            each.pop("at")
        return {"out_request_no": number, "royalty_detail_list": details}

    # -- the rest -------------------------------------------------------------------------------

    def do_open_auth_token_app_query(self, app, content, form):
        seller = app.tokens.get(content.get("app_auth_token"))
        if seller is None:
            raise RefusedError("isv.invalid-app-auth-token", "token", code="40002")
        return {"user_id": seller, "auth_app_id": app.name, "status": "valid"}

    def do_data_dataservice_bill_downloadurl_query(self, app, content, form):
        day, kind = content["bill_date"], content["bill_type"]
        if not bills.is_ready(self.world, day) or not bills.rows(app, day, kind):
            raise RefusedError("isp.BILL_NOT_EXIST", "账单不存在")
        address = f"{self.world.url}/bill/{app.name}/{kind}/{day}"
        return {"bill_download_url": address}
