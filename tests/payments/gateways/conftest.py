"""Whatever a gateway does in these tests: no line of any log tells a secret, signature or payer."""

import logging
import re

import pytest

from tests.peers.wechatpay.desk import OPENID
from tests.peers.wechatpay.fixture import API_KEY

# Keys of the three gateways, signatures by RSA (256 bytes in base64), and who paid.
_TOLD = re.compile(
    rf"{re.escape(API_KEY)}|{re.escape(OPENID)}|[sr]k_(test|live)_\w|whsec_\w|-----BEGIN"
    r"|[A-Za-z0-9+/%]{300,}|v1=[0-9a-f]{64}|buyer_logon_id"
)


class Listener(logging.Handler):
    """Keeps what is logged, at the chattiest level, with the text of each error."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record):
        self.lines.append(self.format(record))


def told(lines):
    """Return the lines that tell what no log may."""
    return [line for line in lines if _TOLD.search(line)]


@pytest.fixture(autouse=True)
def nothing_told():
    root, listener = logging.getLogger(), Listener()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    yield listener
    root.setLevel(level)
    root.removeHandler(listener)
    assert told(listener.lines) == []
