"""Reads the gateway's notices (webhook events): signature, then age, then form, then addressee.

The signature is checked over the very bytes with our own clock: the vendor's library decodes the
body first, reads the machine's clock, and lets stamps from the future pass.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from diandian.payments.gateways.stripe import answers
from diandian.payments.gateways.stripe.answers import MalformedError
from diandian.payments.messages import (
    NOTICE_WINDOW_SECONDS,
    Ack,
    NoticeRefused,
    SecretMissingError,
    VerifiedNotice,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from diandian.payments.gateways.stripe.answers import Facts
    from diandian.payments.messages import MerchantContext, RefusalReason

# Two secrets while one replaces the other.
SECRET_OPTIONS = ("webhook_secret", "webhook_secret_2")

_HEADER = "stripe-signature"
_STAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_LONGEST_HEADER = 4_096
_LONGEST_KIND = 40
_LONGEST_ID = 80
_STATUSES: dict[RefusalReason, int] = {
    "bad_signature": 401,
    "unknown_key": 401,
    "stale": 400,
    "malformed": 400,
    # The sender is who it says, and means somebody else: sent again it would be no different.
    "not_ours": 200,
}


# Where a thing names its charge.
_CHARGE_OF = {
    "charge": "id",
    "refund": "charge",
    "dispute": "charge",
    "transfer": "source_transaction",
}
# Disputes, and refunds made by hand there, carry no number of ours, but name their charge.
_BY_CHARGE = ("refund", "dispute")


class _About(NamedTuple):
    payment_no: str = ""
    gateway_ref: str = ""
    refund_no: str = ""


def parse(
    context: MerchantContext, headers: Mapping[str, str], body: bytes, *, at: datetime
) -> VerifiedNotice | NoticeRefused:
    """Return a notice that is verified, or why it is not believed. Calls nobody."""
    secrets = _secrets(context)
    if not secrets:
        return NoticeRefused("unknown_key")
    stamp = _signed_stamp(headers, body, secrets)
    if stamp is None:
        return NoticeRefused("bad_signature")
    if abs(stamp - int(at.timestamp())) > NOTICE_WINDOW_SECONDS:
        return NoticeRefused("stale")
    try:
        event = _object(body)
        notice = _notice(event)
        is_live = answers.flag(event, "livemode")
    except MalformedError:
        return NoticeRefused("malformed")
    # Events of connected accounts name the account; they are not about payments to us.
    account = event.get("account")
    is_ours = account is None or account == context.merchant
    if is_live != (context.mode == "live") or not is_ours or notice is None:
        return NoticeRefused("not_ours")
    return notice


def ack(refusal: NoticeRefused | None) -> Ack:
    """Return the answer: any 2xx is taken; all else is sent again for up to three days."""
    if refusal is None:
        return Ack(200, b"ok")
    return Ack(_STATUSES[refusal.reason], refusal.reason.encode())


def _secrets(context: MerchantContext) -> list[bytes]:
    found = []
    for option in SECRET_OPTIONS:
        try:
            secret = context.secret(option)
        except SecretMissingError:
            continue
        if secret:
            found.append(secret.encode("utf-8", "surrogateescape"))
    return found


def _signed_stamp(headers: Mapping[str, str], body: bytes, secrets: list[bytes]) -> int | None:
    """Return the stamp that one of our secrets signed together with the body, else None."""
    given = {str(name).lower(): value for name, value in headers.items()}.get(_HEADER, "")
    if not isinstance(given, str) or len(given) > _LONGEST_HEADER:
        return None
    pairs = [part.strip().partition("=") for part in given.split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    signatures = [value for name, _, value in pairs if name == "v1" and _SIGNATURE.fullmatch(value)]
    if len(stamps) != 1 or not _STAMP.fullmatch(stamps[0]):
        return None
    signed = stamps[0].encode() + b"." + body
    for secret in secrets:
        right = hmac.new(secret, signed, hashlib.sha256).hexdigest()
        if any(hmac.compare_digest(right, signature) for signature in signatures):
            return int(stamps[0])
    return None


def _object(body: bytes) -> Facts:
    try:
        return answers.mapping(json.loads(body.decode("utf-8")), "the notice")
    except (ValueError, RecursionError) as error:
        raise MalformedError("the notice is no JSON object") from error


def _notice(event: Facts) -> VerifiedNotice | None:
    """Return what an event says; None when it names no payment. Raises: MalformedError."""
    if event.get("object") != "event":
        raise MalformedError("it is no event")
    kind, name = answers.text(event, "type"), answers.text(event, "id")
    if len(kind) > _LONGEST_KIND or len(name) > _LONGEST_ID:
        kind, name = kind[:_LONGEST_KIND], answers.ref(event)
    thing = answers.mapping(answers.mapping(event.get("data"), "data").get("object"), "object")
    occurred_at = answers.instant(event)
    about = _about(thing)
    if not (about.payment_no or about.gateway_ref):
        return None
    return VerifiedNotice(
        notice_id=name,
        kind=kind,
        payment_no=about.payment_no,
        occurred_at=occurred_at,
        gateway_ref=about.gateway_ref,
        refund_no=about.refund_no,
    )


def _about(thing: Facts) -> _About:
    """Return what names the payment of a session, charge, intent, refund, dispute or transfer."""
    number = answers.noted(thing, "payment_no")[:32]
    what = thing.get("object")
    if what == "checkout.session":
        return _About(number or answers.our_number(thing.get("client_reference_id"))[:32])
    if not number and what not in _BY_CHARGE:
        return _About()
    charge = _CHARGE_OF.get(what, "") if isinstance(what, str) else ""
    refund_no = answers.noted(thing, "refund_no") if what == "refund" else ""
    return _About(number, _ref(thing, charge), refund_no)


def _ref(thing: Facts, name: str) -> str:
    return answers.ref(thing, name) if thing.get(name) is not None else ""
