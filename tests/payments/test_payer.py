"""Who pays, asked of WeChat: the question, the exchange on a loopback, and what is never said."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from diandian.payments import payer
from diandian.payments.errors import PayerUnknownError
from diandian.payments.messages import MerchantContext

pytestmark = pytest.mark.pure
SECRET = "s3cret-of-the-account"


class Wechat(HTTPServer):
    """Plays WeChat's side of the exchange: one answer, and what it was asked."""

    status, body, headers = 200, b'{"openid": "oUpF8uMuAJO"}', ()
    asked = ""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked = self.path
        self.send_response(self.server.status)
        for name, value in self.server.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        pass


@pytest.fixture
def wechat():
    server = Wechat(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def context(wechat, tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    return merchant(
        oauth_api_url=f"http://127.0.0.1:{wechat.server_port}",
        app_secret=f"file:{tmp_path}/secret",
    )


def merchant(mode="test", **options):
    return MerchantContext("wechatpay", mode, "1900000001", options={"app_id": "wx1", **options})


def test_the_question_names_the_account_and_the_way_back():
    url = payer.question_url(merchant(), return_url="https://a.example/o/t/payer", state="ab12")
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path) == (
        "https",
        "open.weixin.qq.com",
        "/connect/oauth2/authorize",
    )
    assert parts.fragment == "wechat_redirect"
    assert parse_qs(parts.query) == {
        "appid": ["wx1"],
        "redirect_uri": ["https://a.example/o/t/payer"],
        "response_type": ["code"],
        "scope": ["snsapi_base"],
        "state": ["ab12"],
    }


def test_the_code_is_exchanged_from_server_to_server(context, wechat):
    assert payer.openid_of(context, "021abcDEF-_9") == "oUpF8uMuAJO"
    assert wechat.asked.startswith("/sns/oauth2/access_token?")
    assert parse_qs(urlsplit(wechat.asked).query) == {
        "appid": ["wx1"],
        "secret": [SECRET],
        "code": ["021abcDEF-_9"],
        "grant_type": ["authorization_code"],
    }


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'{"errcode": 40029, "errmsg": "invalid code"}'),
        (200, b'{"openid": ""}'),
        (200, b'{"openid": 7}'),
        (200, b'{"openid": "<script>"}'),
        (200, json.dumps({"openid": "o" * 129}).encode()),
        (200, b'["openid"]'),
        (200, b"[" * 16_000),
        (200, b"\xff\xfe"),
        (200, b""),
        (500, b'{"openid": "oUpF8uMuAJO"}'),
        (302, b'{"openid": "oUpF8uMuAJO"}'),
    ],
)
def test_anything_else_than_an_openid_is_no_payer(context, wechat, status, body):
    wechat.status, wechat.body = status, body
    if status == 302:
        wechat.headers = (("Location", f"http://127.0.0.1:{wechat.server_port}/elsewhere"),)
    with pytest.raises(PayerUnknownError) as refused:
        payer.openid_of(context, "021abc")
    assert not wechat.asked.startswith("/elsewhere"), "the secret goes to one host only"
    assert SECRET not in repr(refused.getrepr(showlocals=False))


@pytest.mark.parametrize("code", ["", "a b", "x" * 129, "a&appid=other", "\x00", "码"])
def test_a_code_that_is_none_is_not_sent(context, wechat, code):
    with pytest.raises(PayerUnknownError):
        payer.openid_of(context, code)
    assert wechat.asked == ""


def test_nobody_answers_and_the_secret_is_in_no_error(tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    shut = merchant(oauth_api_url="http://127.0.0.1:9", app_secret=f"file:{tmp_path}/secret")
    with pytest.raises(PayerUnknownError) as refused:
        payer.openid_of(shut, "021abc")
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(
    ("mode", "url"),
    [("live", "https://127.0.0.1:1"), ("test", "http://elsewhere.example"), ("test", "file:///x")],
)
def test_another_address_is_for_tests_on_this_machine_or_over_tls(mode, url, tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    moved = merchant(mode, oauth_api_url=url, oauth_url=url, app_secret=f"file:{tmp_path}/secret")
    with pytest.raises(PayerUnknownError):
        payer.openid_of(moved, "021abc")
    with pytest.raises(PayerUnknownError):
        payer.question_url(moved, return_url="https://a.example/", state="s")


def test_a_secret_that_is_not_there_is_no_payer():
    context = merchant(app_secret="env:DIANDIAN_TEST_NOT_SET")
    assert payer.can_ask(context)
    with pytest.raises(PayerUnknownError):
        payer.openid_of(context, "021abc")
    assert not payer.can_ask(merchant())


def test_a_supplier_with_an_account_of_its_own_asks_by_that():
    options = {"app_id": "wx1", "sub_app_id": "wx2", "app_secret": "env:NOWHERE"}
    for sub_merchant, expected in (("1900000002", "wx2"), ("", "wx1")):
        context = MerchantContext("wechatpay", "test", "1900000001", sub_merchant, options)
        url = payer.question_url(context, return_url="https://a.example/", state="s")
        assert parse_qs(urlsplit(url).query)["appid"] == [expected]
