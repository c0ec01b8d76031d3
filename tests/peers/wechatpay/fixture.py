"""Starts the peer once for each worker, and speaks to its control side."""

import atexit
import json
import os
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from diandian.payments.messages import MerchantContext

MERCHANT = "1900000001"
SUB_MERCHANT = "1900000109"
APP = "wxd678efh567hg6787"
SERIAL = "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C"
API_KEY = "0123456789abcdefghijABCDEFGHIJ_-"
PROGRAM = Path(__file__).with_name("peer.py")


@dataclass
class Peer:
    """The running peer, and the facts of a merchant there.

    ``private_pem``: the merchant's key, as text.
    """

    base: str
    private_pem: str
    keys: list = field(default_factory=list)

    def control(self, name, **facts):
        """Do something at the peer that no merchant could do; return its answer."""
        request = urllib.request.Request(  # noqa: S310 - on this machine
            f"{self.base}/control/{name}",
            json.dumps(facts).encode(),
            {"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return json.loads(answer.read())

    def set_clock(self, at: datetime):
        self.control("clock", now=at.isoformat())

    def fault(self, path, kind, **wishes):
        self.control("fault", path=path, kind=kind, **wishes)

    def options(self, folder: Path, **changes):
        """Return a merchant's options, with its keys written into a folder."""
        first = self.keys[0]
        texts = {"private_key": self.private_pem, "public_key": first["public_key"]}
        texts["apiv3_key"] = API_KEY
        found = {
            "app_id": APP,
            "serial_no": SERIAL,
            "public_key_id": first["id"],
            "base_url": self.base,
            "read_timeout_seconds": "2",
        }
        for name, text in texts.items():
            path = folder / f"{name}.pem"
            path.write_text(text, encoding="utf-8")
            found[name] = f"file:{path}"
        return found | changes

    def context(self, folder: Path, sub_merchant="", **changes):
        return MerchantContext(
            gateway="wechatpay",
            mode="test",
            merchant=MERCHANT,
            sub_merchant=sub_merchant,
            options=self.options(folder, **changes),
        )


def start(*arguments):
    """Start the peer; return its process and its address."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), "--port", "0", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return process, process.stdout.readline().strip()


def enrol(base):
    """Make a merchant's key, tell the peer its public half, return the peer."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    public_pem = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    peer = Peer(base, private_pem)
    peer.control(
        "merchant",
        mchid=MERCHANT,
        serial=SERIAL,
        public_key=public_pem,
        apps=[APP],
        api_key=API_KEY,
        subs={SUB_MERCHANT: 3_000},
    )
    peer.keys = peer.control("keys")["keys"]
    return peer


@cache
def running():
    """Return the peer of this process; it ends with it."""
    process, base = start()

    def end():
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()

    atexit.register(end)
    return enrol(base)


@pytest.fixture
def wechatpay_peer():
    """A peer that has forgotten what the test before did."""
    running().control("reset")
    return running()
