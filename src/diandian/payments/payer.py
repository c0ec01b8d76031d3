"""Who pays, for flows that must know it: WeChat is asked for the payer's openid; pure.

The guest is sent to WeChat and comes back with a code; the code is exchanged here, from server to
server. The openid goes into the one call that opens the payment: it is never stored, logged or
shown. *Source:* payments design, sections 2 and 12; WeChat's web authorisation, scope snsapi_base.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from diandian.payments.carrier import Limits, carry
from diandian.payments.errors import PayerUnknownError
from diandian.payments.facts import NoAnswerError
from diandian.payments.messages import SecretMissingError

if TYPE_CHECKING:
    from diandian.payments.messages import MerchantContext

_ASK_URL = "https://open.weixin.qq.com/connect/oauth2/authorize"
_ANSWER_URL = "https://api.weixin.qq.com"
_ANSWER_PATH = "/sns/oauth2/access_token"
# A guest waits: for the whole exchange.
_LIMITS = Limits(connect_seconds=5, whole_seconds=5, largest_bytes=16_384)
_CODE = re.compile(r"[A-Za-z0-9_-]{1,128}")
_OPENID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def can_ask(context: MerchantContext) -> bool:
    """Tell whether a merchant's options name the service account that asks."""
    return bool(_app_id(context) and context.options.get("app_secret"))


def question_url(context: MerchantContext, *, return_url: str, state: str) -> str:
    """Return where to send the guest. ``state`` comes back with them. Raises: PayerUnknownError."""
    asked = {
        "appid": _app_id(context),
        "redirect_uri": return_url,
        "response_type": "code",
        "scope": "snsapi_base",
        "state": state,
    }
    # The fragment is part of WeChat's protocol.
    return f"{_address(context, 'oauth_url', _ASK_URL)}?{urlencode(asked)}#wechat_redirect"


def openid_of(context: MerchantContext, code: str) -> str:
    """Exchange the code that a guest came back with for their openid. Raises: PayerUnknownError."""
    if not _CODE.fullmatch(code):
        raise PayerUnknownError
    try:
        secret = context.secret("app_secret")
    except SecretMissingError:
        raise PayerUnknownError from None
    answer = _asked(
        _address(context, "oauth_api_url", _ANSWER_URL) + _ANSWER_PATH,
        {
            "appid": _app_id(context),
            "secret": secret,
            "code": code,
            "grant_type": "authorization_code",
        },
    )
    openid = answer.get("openid")
    if not isinstance(openid, str) or not _OPENID.fullmatch(openid):
        raise PayerUnknownError
    return openid


def _app_id(context: MerchantContext) -> str:
    """Return the account for which the openid holds: the supplier's own, where it has one."""
    own = context.options.get("sub_app_id", "") if context.sub_merchant else ""
    return own or context.options.get("app_id", "")


def _asked(url: str, sent: dict[str, str]) -> dict[str, object]:
    """Ask with secrets in the address, as the protocol has it: no error may carry it further.

    What leads elsewhere is no answer: the secret goes to one host.
    """
    try:
        reply = carry("GET", f"{url}?{urlencode(sent)}", headers={}, limits=_LIMITS)
    except (NoAnswerError, ValueError):
        raise PayerUnknownError from None
    if reply.status != HTTPStatus.OK:
        raise PayerUnknownError
    return _json_object(reply.body)


def _json_object(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _address(context: MerchantContext, option: str, official: str) -> str:
    """Return the official address, or another one of a test on this machine or over TLS."""
    other = context.options.get(option, "")
    if not other:
        return official
    parts = urlsplit(other)
    is_safe = parts.scheme == "https" or parts.hostname in _LOOPBACK
    if context.mode != "test" or not is_safe:
        # A changed host is a way to steal the account's secret.
        raise PayerUnknownError
    return other.rstrip("/")
