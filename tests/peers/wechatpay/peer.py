"""A peer that plays WeChat Pay on this machine: ``python tests/peers/wechatpay/peer.py --port 0``.

It prints its address on the first line, and ends when its standard input does. It was written
against the gateway's public documentation, not against our adapter, and refuses what it refuses.
"""

import argparse
import json
import os
import re
import socket
import socketserver
import struct
import sys
import threading
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bills
import faults
import notices
import sharing
import signing
from control import Control
from world import RefusedError, World, needed, rfc3339

LARGEST_BODY = 1 << 20
_CREATE = re.compile(r"/v3/pay/(partner/)?transactions/(jsapi|h5|native)")
_BY_NO = re.compile(r"/v3/pay/(partner/)?transactions/out-trade-no/([^/]+)")
_BY_ID = re.compile(r"/v3/pay/(partner/)?transactions/id/([^/]+)")
_CLOSE = re.compile(r"/v3/pay/(partner/)?transactions/out-trade-no/([^/]+)/close")
_REFUND = re.compile(r"/v3/refund/domestic/refunds/([^/]+)")
_SPLIT = re.compile(r"/v3/profitsharing/orders/([^/]+)")
_RETURN = re.compile(r"/v3/profitsharing/return-orders/([^/]+)")
_RATIO = re.compile(r"/v3/profitsharing/merchant-configs/([^/]+)")


@dataclass
class Request:
    method: str
    target: str
    headers: object
    body: bytes

    def facts(self):
        try:
            found = json.loads(self.body)
        except ValueError as error:
            raise RefusedError(400, "PARAM_ERROR", "the body is not JSON") from error
        if not isinstance(found, dict):
            raise RefusedError(400, "PARAM_ERROR", "the body is not an object")
        return found


class Gateway:
    """Routes: what a merchant may ask."""

    def __init__(self, *, allow_http_notices):
        self.world = World(allow_http_notices=allow_http_notices)
        self.faults, self.keys = faults.Faults(), [signing.PlatformKey()]
        self.control = Control(self.world, self.faults, self.keys)
        self.base = ""

    def key_of(self, request):
        wanted = request.headers.get("Wechatpay-Serial", "")
        for key in self.keys:
            if key.id == wanted:
                return key
        if wanted:
            raise RefusedError(400, "PARAM_ERROR", "Wechatpay-Serial is not a key of ours")
        return self.keys[0]

    def answer(self, merchant, request):
        """Return status and facts (None for an empty body) of a merchant's request."""
        path, query = signing.query_of(request.target)
        if not (request.headers.get("Accept") and request.headers.get("User-Agent")):
            raise RefusedError(400, "INVALID_REQUEST", "Accept and User-Agent must be there")
        route = self._post if request.method == "POST" else self._get
        return route(merchant, request, path, query)

    def _post(self, merchant, request, path, _query):
        world, facts = self.world, request.facts()
        if match := _CREATE.fullmatch(path):
            trade = world.create(merchant, match[2], facts, is_partner=bool(match[1]))
            return 200, self._way_to_pay(trade)
        if match := _CLOSE.fullmatch(path):
            own = needed(facts, "sp_mchid" if match[1] else "mchid", str)
            sub = needed(facts, "sub_mchid", str) if match[1] else ""
            if own != merchant.mchid:
                raise RefusedError(400, "MCH_NOT_EXISTS")
            world.close(merchant, match[2], sub)
            return 204, None
        if path == "/v3/refund/domestic/refunds":
            return 200, refund_facts(world, world.refund(merchant, facts))
        if path in {"/v3/profitsharing/orders", "/v3/profitsharing/orders/unfreeze"}:
            is_release = path.endswith("unfreeze")
            found = sharing.split(world, merchant, facts, is_release=is_release)
            return 200, sharing.split_facts(world, found)
        if path == "/v3/profitsharing/return-orders":
            return 200, sharing.reversal_facts(sharing.reverse(world, merchant, facts))
        if path == "/v3/profitsharing/receivers/add":
            return 200, sharing.add_receiver(world, merchant, facts, self.key_of(request))
        raise RefusedError(404, "RESOURCE_NOT_EXISTS", path)

    def _get(self, merchant, _request, path, query):
        world = self.world
        if match := _BY_NO.fullmatch(path) or _BY_ID.fullmatch(path):
            find = world.trade_of if _BY_NO.fullmatch(path) else world.trade_by_id
            own = query.get("sp_mchid" if match[1] else "mchid")
            if own != merchant.mchid:
                raise RefusedError(400, "MCH_NOT_EXISTS")
            sub = query.get("sub_mchid", "") if match[1] else ""
            return 200, notices.transaction(world, find(merchant, match[2], sub))
        if match := _REFUND.fullmatch(path):
            found = world.refund_of(merchant, match[1], query.get("sub_mchid", ""))
            return 200, refund_facts(world, found)
        if match := _SPLIT.fullmatch(path):
            return 200, sharing.split_facts(
                world, sharing.split_of(world, merchant, match[1], query)
            )
        if match := _RETURN.fullmatch(path):
            return 200, sharing.reversal_facts(
                sharing.reversal_of(world, merchant, match[1], query)
            )
        if match := _RATIO.fullmatch(path):
            world.check_sub(merchant, match[1])
            return 200, {"sub_mchid": match[1], "max_ratio": merchant.subs[match[1]]}
        if path in {"/v3/bill/tradebill", "/v3/bill/fundflowbill"}:
            token, digest = bills.make(world, merchant, path.rpartition("/")[2], query)
            url = f"https://api.mch.weixin.qq.com/v3/billdownload/file?token={token}"
            return 200, {"hash_type": "SHA1", "hash_value": digest, "download_url": url}
        raise RefusedError(404, "RESOURCE_NOT_EXISTS", path)

    def _way_to_pay(self, trade):
        number = self.world.next_ref("wx")
        if trade.kind == "native":
            return {"code_url": f"weixin://wxpay/bizpayurl?pr={number}"}
        if trade.kind == "h5":
            return {"h5_url": f"{self.base}/cgi-bin/mmpayweb-bin/checkmweb?prepay_id={number}"}
        return {"prepay_id": number}


def refund_facts(world, found):
    trade, status = found.trade, found.status(world.now())
    facts = {
        "refund_id": found.id,
        "out_refund_no": found.no,
        "transaction_id": trade.transaction_id,
        "out_trade_no": trade.no,
        "channel": "ORIGINAL",
        "user_received_account": "balance",
        "create_time": rfc3339(found.created),
        "status": status,
        "funds_account": "AVAILABLE",
        "amount": {
            "total": trade.total,
            "refund": found.amount,
            "payer_total": trade.total - trade.coupon,
            "payer_refund": found.amount,
            "settlement_refund": found.amount,
            "settlement_total": trade.total,
            "discount_refund": 0,
            "currency": "CNY",
        },
    }
    return facts | ({"success_time": rfc3339(world.now())} if status == "SUCCESS" else {})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # One write for the whole answer.
    wbufsize = 1 << 16

    def log_message(self, *_args):
        pass

    def do_GET(self):
        self._serve("GET")

    def do_POST(self):
        self._serve("POST")

    def _serve(self, method):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, LARGEST_BODY))
        request = Request(method, self.path, self.headers, body)
        path = self.path.partition("?")[0]
        if path.startswith("/control/"):
            self._control(path, request)
        elif path == "/v3/billdownload/file":
            self._download(request)
        else:
            self._merchant(path, request)

    def _control(self, path, request):
        gateway = self.server.gateway
        try:
            facts = request.facts() if request.body else {}
            with gateway.world.lock:
                status, found = 200, gateway.control.answer(path[len("/control/") :], facts)
        except RefusedError as error:
            status, found = error.status, {"code": error.code, "message": error.message}
        except (KeyError, TypeError, ValueError) as error:
            status, found = 400, {"code": "CONTROL", "message": repr(error)}
        self._send(status, json.dumps(found, ensure_ascii=False).encode(), {})

    def _download(self, request):
        gateway = self.server.gateway
        merchant = signing.caller(gateway.world.merchants, request, gateway.world.now())
        fault = gateway.faults.next("GET", "/v3/billdownload/file")
        if isinstance(merchant, str):
            return self._send(401, _error("SIGN_ERROR", merchant), {})
        try:
            packed = bills.file(gateway.world, signing.query_of(request.target)[1])
        except RefusedError as error:
            return self._send(error.status, _error(error.code, error.message), {})
        if fault.get("kind") == "truncated":
            packed = packed[: len(packed) // 2]
        if fault.get("kind") == "garbage":
            packed = os.urandom(200)
        # By design without a signature: the digest of the signed answer is the proof.
        return self._send(200, packed, {}, kind="application/octet-stream")

    def _merchant(self, path, request):
        gateway = self.server.gateway
        fault = gateway.faults.next(request.method, path)
        kind = fault.get("kind", "")
        if kind in faults.BEFORE:
            return self._broken(fault, None)
        merchant = signing.caller(gateway.world.merchants, request, gateway.world.now())
        if isinstance(merchant, str):
            return self._send(401, _error("SIGN_ERROR", merchant), {})
        key = gateway.keys[0]
        try:
            key = gateway.key_of(request)
            with gateway.world.lock:
                status, facts = gateway.answer(merchant, request)
            body = b"" if facts is None else json.dumps(facts, ensure_ascii=False).encode()
        except RefusedError as error:
            status, body = error.status, _error(error.code, error.message)
        if kind:
            return self._broken(fault, (status, body, key))
        return self._send(status, body, signing.headers_for(key, body, gateway.world.now()))

    def _broken(self, fault, answer):
        """Answer wrongly; ``answer``: what would have been right, None before any effect."""
        kind = fault["kind"]
        if kind == "status":
            body = _error(fault.get("code", "SYSTEM_ERROR"), "on order")
            key, now = self.server.gateway.keys[0], self.server.gateway.world.now()
            headers = signing.headers_for(key, body, now) if fault.get("signed") else {}
            return self._send(fault.get("status", 500), body, headers)
        if kind.startswith("timeout"):
            faults.wait(fault)
            return self._hang_up()
        if kind.startswith("reset"):
            return self._hang_up(is_hard=True)
        return self._wrong(fault, *answer)

    def _wrong(self, fault, status, body, key):
        """Answer with wrong content, then perhaps in a wrong way."""
        kind, now = fault["kind"], self.server.gateway.world.now()
        if kind == "slow":
            faults.wait(fault)
        if kind == "html":
            page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
            return self._send(fault.get("status", 200), page, {}, kind="text/html")
        if kind == "unsigned":
            return self._send(status, body, {})
        if kind == "altered":
            body = faults.altered(body, fault["changes"])
        if kind == "garbage":
            body = fault.get("body", "\ud800{").encode("utf-8", "surrogatepass")
        stamp = now + fault.get("shift_seconds", 301) if kind == "stale" else now
        headers = signing.headers_for(key, body, stamp, fault=kind)
        if kind == "tampered":
            body = body.replace(b"0", b"1")
        return self._wrongly_sent(fault, status, body, headers)

    def _wrongly_sent(self, fault, status, body, headers):
        match fault["kind"]:
            case "half_closed":
                self._send(status, body[: len(body) // 2], headers, length=len(body))
            case "redirect":
                self._send(307, body, headers | {"Location": fault["location"]})
            case "drip":
                self._drip(headers, body, fault)
            case "endless":
                self._endless(headers, fault.get("bytes", 4 << 20))
            case _:
                self._send(status, body, headers)

    def _send(self, status, body, headers, *, kind="application/json", length=None):
        self.send_response_only(status)
        self.send_header("Date", formatdate(self.server.gateway.world.now(), usegmt=True))
        if status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        if length is not None:
            self._hang_up()

    def _drip(self, headers, body, fault):
        """Send a byte now and then; each comes in time, the whole does not."""
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for number in range(len(body)):
                self.wfile.write(body[number : number + 1])
                self.wfile.flush()
                faults.wait(fault)
        except OSError:
            self._hang_up()

    def _endless(self, headers, size):
        self.send_response_only(200)
        self.send_header("Content-Length", str(size))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(b" " * size)
        except OSError:
            self._hang_up()

    def _hang_up(self, *, is_hard=False):
        self.close_connection = True
        if is_hard:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()


def _error(code, message):
    return json.dumps({"code": code, "message": message}, ensure_ascii=False).encode()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        """A client that goes away is no news."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--allow-http-notices", action="store_true")
    parser.add_argument("--stay", action="store_true", help="do not end with standard input")
    wishes = parser.parse_args()
    server = Server(("127.0.0.1", wishes.port), Handler)
    server.gateway = Gateway(allow_http_notices=wishes.allow_http_notices)
    server.gateway.base = f"http://127.0.0.1:{server.server_address[1]}"
    sys.stdout.write(f"{server.gateway.base}\n")
    sys.stdout.flush()
    if wishes.stay:
        server.serve_forever()
    else:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # Whoever started it holds the other end: when that closes, it is over.
        sys.stdin.read()


if __name__ == "__main__":
    main()
