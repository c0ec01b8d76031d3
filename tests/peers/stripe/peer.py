"""Plays Stripe on this machine: its own process, its own keys, a clock that tests set.

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
from urllib.parse import parse_qs, urlsplit

from bank import Bank
from calls import Calls
from control import Control
from forms import RefusedError

# 2026-11-22, 9 o'clock in UTC.
BEGINNING = 1_795_338_000
LONGEST_BODY = 2**20
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


class Peer:
    """The bank, its calls and its levers behind one lock."""

    def __init__(self):
        self.bank = Bank(BEGINNING)
        self.calls, self.control = Calls(self.bank), Control(self.bank)
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
        self._serve("GET")

    def do_POST(self):
        self._serve("POST")

    def _serve(self, method):
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST_BODY:
            self.close_connection = True
            return self._send(413, b"{}")
        body = self.rfile.read(length)
        if parts.path.startswith("/control/"):
            return self._steer(parts.path, body)
        if parts.path.startswith("/c/pay/"):
            return self._page(method, parts.path, body)
        return self._call(method, parts, body)

    # -- the gateway's own calls ----------------------------------------------------------------

    def _call(self, method, parts, body):
        headers = {name.lower(): value for name, value in self.headers.items()}
        key = headers.get("authorization", "").rpartition(" ")[2]
        with self.peer.lock:
            fault = self.peer.control.fault_for(method, parts.path, key) or {}
            kind = fault.get("kind", "")
            if kind in {"timeout_not_done", "reset", "status", "html"}:
                answer = None
            else:
                answer = self.peer.calls.answer(
                    method, parts.path, parts.query, headers, body.decode("latin-1")
                )
                if kind == "altered":
                    _alter(answer[2], fault["facts"])
                elif kind == "raw":
                    answer = None
        if kind:
            return self._go_wrong(fault, answer)
        status, extra, facts = answer
        return self._send(status, json.dumps(facts).encode(), extra=extra)

    def _go_wrong(self, fault, answer):
        kind = fault["kind"]
        status = fault.get("status", 200)
        if kind in {"timeout_done", "timeout_not_done", "reset", "reset_done"}:
            self._break_off(kind, fault.get("seconds", 3))
        elif kind == "status":
            text = {"error": {"type": "api_error", "message": "Sorry."}}
            self._send(status, json.dumps(text).encode())
        elif kind == "html":
            self._send(status, HTML, content_type="text/html")
        elif kind == "raw":
            self._send(status, fault["body"].encode("latin-1") * fault.get("times", 1))
        else:
            self._send_badly(kind, fault.get("seconds", 1), answer)

    def _break_off(self, kind, seconds):
        """Answer nothing: after a while, or at once by a reset."""
        self.close_connection = True
        if kind.startswith("timeout"):
            time.sleep(seconds)
            return
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def _send_badly(self, kind, seconds, answer):
        """Send an answer that is altered, slow, or ends in the middle."""
        status, extra, facts = answer
        text = json.dumps(facts).encode()
        if kind == "slow":
            time.sleep(seconds)
        if kind == "drip":
            self._head(status, len(text), "application/json", extra)
            for place in range(len(text)):
                self.wfile.write(text[place : place + 1])
                self.wfile.flush()
                time.sleep(seconds)
        elif kind == "half_closed":
            self._head(status, len(text), "application/json", extra)
            self.wfile.write(text[: len(text) // 2])
            self.close_connection = True
        else:
            self._send(status, text, extra=extra)

    # -- the hosted page ------------------------------------------------------------------------

    def _page(self, method, path, body):
        name = path.removeprefix("/c/pay/").strip("/")
        with self.peer.lock:
            account = next(
                (a for a in self.peer.bank.accounts.values() if name in a.sessions.by_name), None
            )
            page = account.page_of(name) if account else None
            if page is None or page["status"] != "open":
                return self._send(404, b"This page has expired.", content_type="text/plain")
            if method == "POST":
                how = parse_qs(body.decode("latin-1")).get("how", ["pay"])[0]
                back = page["cancel_url"] if how == "back" else page["success_url"]
                if how in {"pay", "decline", "waits"}:
                    account.decide(page, how)
                return self._send(303, b"", extra={"Location": back})
        choices = "".join(
            f'<button name="how" value="{how}">{how}</button>'
            for how in ("pay", "decline", "waits", "back")
        )
        asked = f"{page['amount_total']} {html.escape(page['currency'])}"
        text = (
            f'<!doctype html><title>Peer</title><p>{asked}</p><form method="post">{choices}</form>'
        )
        return self._send(200, text.encode(), content_type="text/html; charset=utf-8")

    # -- levers -----------------------------------------------------------------------------------

    def _steer(self, path, body):
        control = self.peer.control
        try:
            asked = json.loads(body or b"{}")
            with self.peer.lock:
                if path == "/control/truth":
                    found = control.truth()
                elif path == "/control/deliver":
                    found = control.answer("/control/notice", asked)
                else:
                    found = control.answer(path, asked)
                text = json.dumps(found)
            if path == "/control/deliver":
                text = json.dumps(control.deliver(asked, found))
        except RefusedError as error:
            return self._send(error.status, json.dumps(error.body).encode())
        except (KeyError, ValueError, IndexError) as error:
            return self._send(400, json.dumps({"error": repr(error)}).encode())
        return self._send(200, text.encode())

    # -- bytes ---------------------------------------------------------------------------------

    def _send(self, status, body, *, content_type="application/json", extra=None):
        self._head(status, len(body), content_type, extra or {})
        self.wfile.write(body)
        self.wfile.flush()

    def _head(self, status, length, content_type, extra):
        self.send_response_only(status)
        with_date = {
            "Date": formatdate(self.peer.bank.now(), usegmt=True),
            "Content-Type": content_type,
            "Content-Length": str(length),
            "Request-Id": "req_peer",
            **extra,
        }
        for name, value in with_date.items():
            self.send_header(name, value)
        self.end_headers()


def _alter(facts, changes):
    """Change facts of an answer, and of every entry of a list."""
    if isinstance(facts.get("data"), list) and facts.get("object") == "list":
        for entry in facts["data"]:
            entry.update(changes)
    else:
        facts.update(changes)


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
    Handler.peer.bank.url = f"http://127.0.0.1:{server.server_port}"
    print(Handler.peer.bank.url, flush=True)  # noqa: T201 - a command
    server.serve_forever()


if __name__ == "__main__":
    main()
