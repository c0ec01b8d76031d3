"""Plays Alipay on this machine: its own process, its own keys, a clock that tests set.

Written from the gateway's public documentation. ``python peer.py --port 0`` prints its address.
"""

import argparse
import html
import json
import socket
import struct
import sys
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import bills
import signing
from calls import PAGES, Calls, UnsignedError
from control import Control
from world import RefusedError, World

# 2026-11-22, 17 o'clock in China.
BEGINNING = 1_795_338_000
LONGEST_BODY = 2**20
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


class Peer:
    """The world, its calls and its levers behind one lock."""

    def __init__(self):
        self.world = World(BEGINNING)
        self.calls, self.control = Calls(self.world), Control(self.world)
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """One connection; kept open between calls."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    peer = None

    def log_message(self, *args):
        """Say nothing; tests ask for the truth."""

    def do_GET(self):
        self._serve()

    def do_POST(self):
        self._serve()

    def _serve(self):
        there = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST_BODY:
            self.close_connection = True
            return self._send(413, b"{}")
        body = self.rfile.read(length)
        if there.path.startswith("/control/"):
            return self._steer(there.path, body)
        if there.path.startswith("/bill/"):
            return self._bill(there.path)
        if there.path != "/gateway.do":
            return self._send(404, HTML, content_type="text/html")
        text = f"{there.query}&{body.decode('latin-1')}"
        form = dict(parse_qsl(text, keep_blank_values=True))
        if form.get("method") in PAGES:
            return self._page(form)
        return self._call(form)

    # -- the gateway's own calls ----------------------------------------------------------------

    def _call(self, form):
        method = form.get("method", "")
        peer, key, facts = self.peer, None, None
        with peer.lock:
            fault = peer.control.fault_for(method, form.get("app_id", ""))
            kind = fault.get("kind", "")
            try:
                app = peer.calls.caller(form)
                key = app.signing_key
                if kind not in {"timeout_not_done", "reset", "status", "html", "raw"}:
                    facts = peer.calls.answer(app, form)
            except UnsignedError as error:
                facts = error.facts
        if kind == "altered":
            facts = {k: v for k, v in (facts | fault["facts"]).items() if v is not None}
        if kind in {"wrong_signature", "unsigned", "other_key"}:
            key = None if kind == "unsigned" else peer.world.stranger
        node = method.replace(".", "_") + "_response"
        if kind == "error_response":
            node, facts, key = "error_response", fault["facts"], None
        text = self._text(node, facts, key) if facts is not None else b""
        if kind in {"", "altered", "wrong_signature", "unsigned", "other_key", "error_response"}:
            return self._send(200, text)
        return self._go_wrong(fault, text)

    def _text(self, node, facts, key):
        """Return an answer; the signature is over the very text of its node."""
        raw = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
        signature = f',"sign":"{signing.sign(key, raw)}"' if key else ""
        return f'{{"{node}":{raw}{signature}}}'.encode()

    def _go_wrong(self, fault, text):
        kind, status = fault["kind"], fault.get("status", 200)
        if kind in {"timeout_done", "timeout_not_done", "reset", "reset_done"}:
            self._break_off(kind, fault.get("seconds", 3))
        elif kind == "status":
            self._send(status, b'{"error":"busy"}')
        elif kind == "html":
            self._send(status, HTML, content_type="text/html")
        elif kind == "raw":
            self._send(status, fault["body"].encode("latin-1") * fault.get("times", 1))
        elif kind == "slow":
            time.sleep(fault.get("seconds", 1))
            self._send(200, text)
        elif kind == "drip":
            self._head(200, len(text), "text/html;charset=utf-8", {})
            for place in range(len(text)):
                self.wfile.write(text[place : place + 1])
                self.wfile.flush()
                time.sleep(fault.get("seconds", 1))
        else:
            self._head(200, len(text), "text/html;charset=utf-8", {})
            self.wfile.write(text[: len(text) // 2])
            self.close_connection = True

    def _break_off(self, kind, seconds):
        """Answer nothing: after a while, or at once by a reset."""
        self.close_connection = True
        if kind.startswith("timeout"):
            time.sleep(seconds)
            return
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    # -- pages and files ------------------------------------------------------------------------

    def _page(self, form):
        """Show the way to pay; the trade comes with the guest's decision."""
        with self.peer.lock:
            try:
                app = self.peer.calls.caller(form)
                link = self.peer.calls.open_page(app, form)
            except (UnsignedError, RefusedError, KeyError, ValueError) as error:
                text = f"Refused: {html.escape(str(error))}"
                return self._send(400, text.encode(), content_type="text/plain")
            if form.get("decide"):
                self.peer.world.decide(app, link["number"], form["decide"])
        asked = f"{link['total']} fen, {html.escape(link['number'])}"
        return self._send(200, asked.encode(), content_type="text/html; charset=utf-8")

    def _bill(self, path):
        _, _, name, kind, day = path.split("/")
        with self.peer.lock:
            fault = self.peer.control.fault_for("bill", name)
            found = bills.archive(self.peer.world, self.peer.world.apps[name], day, kind)
        if fault.get("kind") == "cut":
            found = found[: fault["length"]]
        elif fault.get("kind") == "raw":
            found = fault["body"].encode("latin-1")
        return self._send(200, found, content_type="application/zip")

    # -- levers -----------------------------------------------------------------------------------

    def _steer(self, path, body):
        control = self.peer.control
        try:
            asked = json.loads(body or b"{}")
            with self.peer.lock:
                if path == "/control/truth":
                    found = control.truth()
                elif path == "/control/deliver":
                    found = control.do_notice(asked)
                else:
                    found = control.answer(path, asked)
                text = json.dumps(found)
            if path == "/control/deliver":
                text = json.dumps(control.deliver(asked, found))
        except RefusedError as error:
            return self._send(400, json.dumps({"refused": repr(error)}).encode())
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            return self._send(400, json.dumps({"error": repr(error)}).encode())
        return self._send(200, text.encode())

    # -- bytes ---------------------------------------------------------------------------------

    def _send(self, status, body, *, content_type="text/html;charset=utf-8", extra=None):
        self._head(status, len(body), content_type, extra or {})
        self.wfile.write(body)
        self.wfile.flush()

    def _head(self, status, length, content_type, extra):
        self.send_response_only(status)
        with_date = {
            "Date": formatdate(self.peer.world.now(), usegmt=True),
            "Content-Type": content_type,
            "Content-Length": str(length),
            **extra,
        }
        for name, value in with_date.items():
            self.send_header(name, value)
        self.end_headers()


class Server(ThreadingHTTPServer):
    """Many connections at once."""

    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        """Forgive whoever hangs up."""
        if not isinstance(sys.exc_info()[1], OSError | ValueError):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    Handler.peer = Peer()
    server = Server(("127.0.0.1", chosen.port), Handler)
    Handler.peer.world.url = f"http://127.0.0.1:{server.server_port}"
    print(Handler.peer.world.url, flush=True)  # noqa: T201 - a command
    server.serve_forever()


if __name__ == "__main__":
    main()
