"""The listener of these tests hears what it must."""

import logging

import pytest

from tests.payments.gateways.conftest import told
from tests.peers.wechatpay.desk import OPENID
from tests.peers.wechatpay.fixture import API_KEY

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    "secret",
    [
        *(API_KEY, OPENID, "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "whsec_abc", "v1=" + "0f" * 32),
        *("-----BEGIN PRIVATE KEY-----", "A" * 344, "buyer_logon_id=gue***"),
    ],
)
def test_a_secret_in_a_chatty_library_is_heard(nothing_told, secret):
    logging.getLogger("a.library").debug("sent %s", secret)
    logging.getLogger("a.library").error("failed", exc_info=ValueError(secret))
    assert len(told(nothing_told.lines)) == 2
    nothing_told.lines.clear()


def test_a_plain_line_is_none(nothing_told):
    logging.getLogger("a.library").info("payment %s: succeeded", "DD2611220B6TYVAP64E02CG1")
    assert told(nothing_told.lines) == []
