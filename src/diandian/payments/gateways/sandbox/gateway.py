"""The sandbox gateway: our side of the line, with every check that a real gateway needs.

Its answers are signed and its notices are distrusted like a real one's, so that the product's
behaviour under faults can be tried by anybody, on any machine, without money.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diandian.payments import messages as port
from diandian.payments.gateways.sandbox import disputes, refunds, statement, statement_peer
from diandian.payments.gateways.sandbox import splits as dividing
from diandian.payments.gateways.sandbox.peer import (
    LATE_SECONDS,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Peer,
    SignedAnswer,
    TradeRefusedError,
)
from diandian.payments.gateways.sandbox.ways import FLOWS, instruction

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from diandian.payments import splits, statements
    from diandian.payments.messages import MerchantContext, Outcome

_FOREVER_DAYS = 36_500


@cache
def _peer(store: str, keys_dir: str, late_seconds: int) -> Peer:
    return Peer(Path(store), Path(keys_dir), late_seconds=late_seconds)


def peer_of(context: MerchantContext) -> Peer:
    """Return the outside world that a context points at."""
    options = context.options
    late_seconds = int(options.get("late_seconds", LATE_SECONDS))
    return _peer(options["store"], options["keys_dir"], late_seconds)


class SandboxGateway:
    """Keeps the contract of ``payments.gateway.Gateway``."""

    key = "sandbox"
    # Its page is one of ours.
    pay_origins: tuple[str, ...] = ()

    def capabilities(self, context: MerchantContext) -> port.Capabilities:
        """Return what the sandbox can do."""
        limits = dict.fromkeys(("CNY", "EUR", "USD", "GBP", "HKD", "JPY"), (1, 100_000_000))
        return port.Capabilities(
            limits_minor=limits,
            flows=FLOWS,
            can_close=True,
            can_partial_refund=True,
            refund_window_days=_FOREVER_DAYS,
            statements=statement.KINDS,
            split=dividing.terms(context),
        )

    def create_payment(
        self, context: MerchantContext, request: port.PaymentRequest, *, at: datetime
    ) -> Outcome[port.Instruction]:
        """Open a trade and return the way to its page."""
        if request.expires_at <= at:
            return port.Rejected("expired")
        if request.amount.amount_minor <= 0:
            return port.Rejected("amount_out_of_range")
        try:
            token = peer_of(context).create(
                payment_no=request.payment_no,
                merchant=context.account,
                amount_minor=request.amount.amount_minor,
                currency=request.amount.currency,
                subject=request.subject,
                return_url=request.return_url,
                expires_at=request.expires_at,
            )
        except TradeRefusedError as error:
            return port.Rejected(error.code)
        except sqlite3.Error as error:
            return port.Unknown(str(error))
        return port.Done(instruction(request.flow, token, request.return_url))

    def query_payment(
        self, context: MerchantContext, payment_no: str, *, at: datetime
    ) -> Outcome[port.Snapshot]:
        """Ask where a trade stands."""
        peer = peer_of(context)
        try:
            more = {"disputes": disputes.facts_of(peer, payment_no)}
            answer = peer.query(payment_no, at, more)
        except sqlite3.Error as error:
            return port.Unknown(str(error))
        facts = _believed(peer, answer)
        if facts is None:
            return port.Unknown("unsigned answer")
        if not facts["found"]:
            return port.Rejected(port.NOT_FOUND)
        return port.Done(_snapshot(facts, answer))

    def close_payment(
        self, context: MerchantContext, payment_no: str, *, at: datetime
    ) -> Outcome[port.CloseAnswer]:
        """Make an unpaid trade unpayable."""
        peer = peer_of(context)
        try:
            facts = _believed(peer, peer.close(payment_no, at))
        except sqlite3.Error as error:
            return port.Unknown(str(error))
        match facts and facts["state"]:
            case "closed" | "failed" | "expired":
                return port.Done("closed")
            case "succeeded":
                return port.Done("already_paid")
            case "not_found":
                return port.Done("not_found_yet")
            case "paying":
                return port.Pending()
        return port.Unknown("unsigned answer")

    def refund(
        self, context: MerchantContext, request: port.RefundRequest, *, at: datetime
    ) -> Outcome[port.RefundSnapshot]:
        """Give money back; the sandbox does so at once, unless its desk was told to think."""
        peer = peer_of(context)
        try:
            peer.refund(
                refund_no=request.refund_no,
                payment_no=request.payment_no,
                amount_minor=request.amount.amount_minor,
                currency=request.amount.currency,
            )
            statement_peer.note_refund(peer, request.refund_no, at)
            refunds.take(peer, request.refund_no, request.payment_no)
        except TradeRefusedError as error:
            return port.Rejected(error.code)
        except sqlite3.Error as error:
            return port.Unknown(str(error))
        return self.query_refund(context, request.refund_no, at=at)

    def query_refund(
        self, context: MerchantContext, refund_no: str, *, at: datetime
    ) -> Outcome[port.RefundSnapshot]:
        """Ask where a refund stands."""
        del at
        peer = peer_of(context)
        try:
            row = peer.refund_by_no(refund_no)
            state = refunds.state_of(peer, refund_no)
        except sqlite3.Error as error:
            return port.Unknown(str(error))
        if row is None:
            return port.Rejected(port.NOT_FOUND)
        return port.Done(port.RefundSnapshot(state, row.refund_no, row.amount_minor, row.currency))

    def mend_refund(
        self, context: MerchantContext, request: port.RefundRequest, *, at: datetime
    ) -> Outcome[port.RefundSnapshot]:
        """Find another way home for a refund that is abnormal."""
        try:
            refunds.mend(peer_of(context), request.refund_no)
        except sqlite3.Error as error:
            return port.Unknown(str(error))
        return self.query_refund(context, request.refund_no, at=at)

    def split(
        self, context: MerchantContext, request: splits.SplitRequest, *, at: datetime
    ) -> Outcome[splits.SplitSnapshot]:
        """Divide a received payment."""
        return dividing.split(peer_of(context), context, request, at=at)

    def query_split(
        self, context: MerchantContext, request: splits.SplitRequest, *, at: datetime
    ) -> Outcome[splits.SplitSnapshot]:
        """Ask where a division stands."""
        del at
        return dividing.query_split(peer_of(context), request)

    def reverse_split(
        self, context: MerchantContext, request: splits.ReversalRequest, *, at: datetime
    ) -> Outcome[splits.ReversalSnapshot]:
        """Take a leg back."""
        return dividing.reverse(peer_of(context), request, at=at)

    def query_reversal(
        self, context: MerchantContext, request: splits.ReversalRequest, *, at: datetime
    ) -> Outcome[splits.ReversalSnapshot]:
        """Ask where a reversal stands."""
        del at
        return dividing.query_reversal(peer_of(context), request)

    def fetch_statement(
        self, context: MerchantContext, day: date, kind: statements.StatementKind, *, at: datetime
    ) -> Outcome[statements.Statement]:
        """Return the statement of a day, from ten o'clock of the next."""
        return statement.fetch(peer_of(context), context, day, kind, at=at)

    def check(
        self, context: MerchantContext, *, notify_url: str, at: datetime
    ) -> list[port.Finding]:
        """Say that there is nothing to set up."""
        del context, notify_url, at
        return [port.Finding("sandbox", is_fine=True, text="It needs no keys; no money moves.")]

    def parse_notification(
        self, context: MerchantContext, headers: Mapping[str, str], body: bytes, *, at: datetime
    ) -> port.VerifiedNotice | port.NoticeRefused:
        """Verify a notice: signature over the very bytes, then age, then form, then addressee."""
        given = {name.lower(): value for name, value in headers.items()}
        stamp = given.get(TIMESTAMP_HEADER.lower(), "")
        signature = given.get(SIGNATURE_HEADER.lower(), "")
        stamp_bytes = stamp.encode("utf-8", "surrogatepass")
        if not peer_of(context).is_signed(signature, b"notice", stamp_bytes, body):
            return port.NoticeRefused("bad_signature")
        if not _is_fresh(stamp, at):
            return port.NoticeRefused("stale")
        facts = _json_object(body)
        try:
            notice = port.VerifiedNotice(
                notice_id=_short_text(facts["id"]),
                kind=_short_text(facts["kind"]),
                payment_no=_short_text(facts["payment_no"]),
                occurred_at=_instant(facts["occurred_ms"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError, OSError):
            return port.NoticeRefused("malformed")
        if (facts.get("merchant"), facts.get("mode")) != (context.account, context.mode):
            return port.NoticeRefused("not_ours")
        return notice

    def ack(self, refusal: port.NoticeRefused | None) -> port.Ack:
        """Answer ``ok``, or the reason of the refusal with 401 or 400."""
        if refusal is None:
            return port.Ack(200, b"ok")
        status = 401 if refusal.reason in {"bad_signature", "unknown_key"} else 400
        return port.Ack(status, refusal.reason.encode())


def _believed(peer: Peer, answer: SignedAnswer) -> dict[str, Any] | None:
    """Return the facts of a signed answer; None when the signature is not the sandbox's."""
    if not peer.is_signed(answer.signature, b"answer", answer.body):
        return None
    return _json_object(answer.body)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _snapshot(facts: Mapping[str, Any], answer: SignedAnswer) -> port.Snapshot:
    paid_ms = facts["paid_ms"]
    return port.Snapshot(
        state=facts["state"],
        payment_no=facts["payment_no"],
        merchant=facts["merchant"],
        mode=facts["mode"],
        amount_minor=facts["amount_minor"],
        currency=facts["currency"],
        gateway_ref=facts["trade_ref"],
        paid_at=None if paid_ms is None else _instant(paid_ms),
        refunded_minor=facts["refunded_minor"],
        raw_digest=hashlib.sha256(answer.body).hexdigest(),
        disputes=disputes.snapshots(facts["disputes"]),
    )


def _is_fresh(stamp: str, at: datetime) -> bool:
    """Tell whether a signed time lies within the window, in the past or in the future."""
    if not (stamp.isascii() and stamp.isdigit()):
        return False
    return abs(int(stamp) - int(at.timestamp())) <= port.NOTICE_WINDOW_SECONDS


def _short_text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 32 or not value.isprintable():  # noqa: PLR2004
        raise ValueError("not a short text")
    return value


def _instant(milliseconds: object) -> datetime:
    if type(milliseconds) is not int:
        raise TypeError("not an integer of milliseconds")
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


GATEWAY = SandboxGateway()
