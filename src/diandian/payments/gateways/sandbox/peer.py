"""The outside world of the sandbox: a bank that moves no money, in a file of its own.

It stands for another company's computer: our own tables never see this file, and what it says is
signed with a key that it makes at first use. A guest's choice on its page decides what happens.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import threading
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from diandian.payments.gateways.sandbox.tables import LEGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Choice = Literal["paid", "declined", "late", "silent", "twice"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
TradeState = Literal["pending", "paying", "succeeded", "failed", "closed", "expired"]

LATE_SECONDS = 20
SIGNATURE_HEADER = "Sandbox-Signature"
TIMESTAMP_HEADER = "Sandbox-Timestamp"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS trade (
    token TEXT PRIMARY KEY, payment_no TEXT NOT NULL UNIQUE, merchant TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), currency TEXT NOT NULL,
    subject TEXT NOT NULL, return_url TEXT NOT NULL, expires_ms INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending', choice TEXT NOT NULL DEFAULT '', paid_ms INTEGER,
    refunded_minor INTEGER NOT NULL DEFAULT 0,
    CHECK (refunded_minor BETWEEN 0 AND amount_minor)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refund (
    refund_no TEXT PRIMARY KEY, payment_no TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL
) WITHOUT ROWID;
"""
_COLUMNS = (
    "token, payment_no, merchant, amount_minor, currency, subject, return_url,"
    " expires_ms, state, choice, paid_ms, refunded_minor"
)


@dataclass(frozen=True, slots=True)
class Trade:
    """A payment as the sandbox keeps it. ``paid_ms`` may lie ahead: the money is on its way."""

    token: str
    payment_no: str
    merchant: str
    amount_minor: int
    currency: str
    subject: str
    return_url: str
    expires_ms: int
    stored_state: str
    choice: str
    paid_ms: int | None
    refunded_minor: int

    @property
    def expires_at(self) -> datetime:
        """Return the instant from which the trade cannot be decided any more."""
        return datetime.fromtimestamp(self.expires_ms / 1000, UTC)

    def state(self, now: datetime) -> TradeState:
        """Return where the trade stands at an instant."""
        now_ms = _ms(now)
        if self.stored_state == "succeeded":
            return "paying" if (self.paid_ms or 0) > now_ms else "succeeded"
        if self.stored_state == "failed":
            return "failed"
        if self.stored_state == "closed":
            return "closed"
        return "expired" if self.expires_ms <= now_ms else "pending"


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A refund as the sandbox keeps it; it is done at once."""

    refund_no: str
    payment_no: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class SignedNotice:
    """What the sandbox sends to our address for notices."""

    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """What the sandbox answers to a question."""

    body: bytes
    signature: str


class TradeRefusedError(Exception):
    """The sandbox does not do this; ``code`` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


class Peer:
    """The sandbox behind one file. ``late_seconds``: how long a late payment takes."""

    def __init__(self, store: Path, keys_dir: Path, *, late_seconds: int = LATE_SECONDS) -> None:
        self.store = store
        self.late_seconds = late_seconds
        self._key = _lasting_key(keys_dir / "sandbox-gateway.key")
        self._local = threading.local()

    # -- signatures ---------------------------------------------------------------------------

    def sign(self, *parts: bytes) -> str:
        """Return the signature of some bytes."""
        return hmac.new(self._key, b"\n".join(parts), hashlib.sha256).hexdigest()

    def is_signed(self, signature: str, *parts: bytes) -> bool:
        """Tell, in constant time, whether a signature is ours. Any text may be given."""
        return hmac.compare_digest(
            self.sign(*parts).encode(), signature.encode("utf-8", "surrogatepass")
        )

    def notice(self, trade: Trade, kind: str, now: datetime, notice_id: str = "") -> SignedNotice:
        """Return a signed notice about a trade."""
        body = json.dumps(
            {
                "id": notice_id or secrets.token_hex(12),
                "kind": kind,
                "merchant": trade.merchant,
                "mode": "test",
                "occurred_ms": _ms(now),
                "payment_no": trade.payment_no,
            }
        ).encode()
        stamp = str(int(now.timestamp()))
        return SignedNotice(
            {
                TIMESTAMP_HEADER: stamp,
                SIGNATURE_HEADER: self.sign(b"notice", stamp.encode(), body),
                "Content-Type": "application/json",
            },
            body,
        )

    def _answer(self, facts: dict[str, object]) -> SignedAnswer:
        body = json.dumps(facts).encode()
        return SignedAnswer(body, self.sign(b"answer", body))

    # -- trades -------------------------------------------------------------------------------

    def create(
        self,
        *,
        payment_no: str,
        merchant: str,
        amount_minor: int,
        currency: str,
        subject: str,
        return_url: str,
        expires_at: datetime,
    ) -> str:
        """Open a trade and return its token. Idempotent by: the number.

        Raises: TradeRefusedError when the number was used for another amount or merchant.
        """
        token = urlsafe_b64encode(bytes.fromhex(self.sign(b"token", payment_no.encode()))[:16])
        rows = self.run(
            "INSERT INTO trade (token, payment_no, merchant, amount_minor, currency, subject,"
            " return_url, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (payment_no) DO UPDATE SET payment_no = payment_no"
            " RETURNING token, merchant, amount_minor, currency",
            (
                token.decode().rstrip("="),
                payment_no,
                merchant,
                amount_minor,
                currency,
                subject,
                return_url,
                _ms(expires_at),
            ),
        )
        stored_token, *stored = rows[0]
        if stored != [merchant, amount_minor, currency]:
            raise TradeRefusedError("number_reused")
        return str(stored_token)

    def by_token(self, token: str) -> Trade | None:
        """Return the trade behind a page's address."""
        return self._one("token", token)

    def by_no(self, payment_no: str) -> Trade | None:
        """Return the trade of a payment number."""
        return self._one("payment_no", payment_no)

    def query(
        self, payment_no: str, now: datetime, more: Mapping[str, object] | None = None
    ) -> SignedAnswer:
        """Answer, signed, where a trade stands, with what other desks know of it."""
        trade = self.by_no(payment_no)
        if trade is None:
            return self._answer({"found": False, "payment_no": payment_no})
        state = trade.state(now)
        said = {"paying": "pending", "expired": "closed"}.get(state, state)
        return self._answer(
            {
                "found": True,
                "payment_no": trade.payment_no,
                "state": said,
                "merchant": trade.merchant,
                "mode": "test",
                "amount_minor": trade.amount_minor,
                "currency": trade.currency,
                "trade_ref": trade.token[:12],
                "paid_ms": trade.paid_ms if said == "succeeded" else None,
                "refunded_minor": trade.refunded_minor,
                **(more or {}),
            }
        )

    def decide(self, token: str, outcome: Choice, now: datetime) -> list[SignedNotice]:
        """Let the guest's choice happen, once; return the notices that the sandbox now sends.

        A second choice changes nothing and sends nothing.
        Raises: TradeRefusedError when the trade is not there, expired or closed.
        """
        paid_ms = None if outcome == "declined" else _ms(now)
        if outcome == "late":
            paid_ms = _ms(now + timedelta(seconds=self.late_seconds))
        decided = self.run(
            "UPDATE trade SET state = ?, choice = ?, paid_ms = ?"
            " WHERE token = ? AND state = 'pending' AND expires_ms > ? RETURNING token",
            ("failed" if outcome == "declined" else "succeeded", outcome, paid_ms, token, _ms(now)),
        )
        trade = self.by_token(token)
        if trade is None:
            raise TradeRefusedError("not_found")
        if not decided:
            if trade.choice:
                return []
            raise TradeRefusedError(trade.state(now))
        return self._notices(trade, outcome, now)

    def _notices(self, trade: Trade, outcome: Choice, now: datetime) -> list[SignedNotice]:
        if outcome in {"late", "silent"}:
            return []
        if outcome == "declined":
            return [self.notice(trade, "payment.failed", now)]
        first = self.notice(trade, "payment.succeeded", now)
        if outcome == "twice":
            return [first, first, self.notice(trade, "payment.succeeded", now)]
        return [first]

    def settle_anyway(self, payment_no: str, now: datetime) -> SignedNotice:
        """Let a payment succeed although it was closed, failed or expired, as banks at times do."""
        self.run(
            "UPDATE trade SET state = 'succeeded', choice = 'paid', paid_ms = ?"
            " WHERE payment_no = ?",
            (_ms(now), payment_no),
        )
        trade = self.by_no(payment_no)
        if trade is None:
            raise TradeRefusedError("not_found")
        return self.notice(trade, "payment.succeeded", now)

    def close(self, payment_no: str, now: datetime) -> SignedAnswer:
        """Make an unpaid trade unpayable; answer, signed, what it is now."""
        closed = self.run(
            "UPDATE trade SET state = 'closed' WHERE payment_no = ? AND state = 'pending'"
            " RETURNING payment_no",
            (payment_no,),
        )
        if closed:
            return self._answer({"payment_no": payment_no, "state": "closed"})
        trade = self.by_no(payment_no)
        state = "not_found" if trade is None else trade.state(now)
        return self._answer({"payment_no": payment_no, "state": state})

    # -- refunds ------------------------------------------------------------------------------

    def refund(self, *, refund_no: str, payment_no: str, amount_minor: int, currency: str) -> None:
        """Give money back at once. Idempotent by: the refund number.

        Raises: TradeRefusedError on another amount for the same number, on an unpaid trade, and on
        more than was paid.
        """
        earlier = self.refund_by_no(refund_no)
        if earlier is not None:
            if (earlier.payment_no, earlier.amount_minor) != (payment_no, amount_minor):
                raise TradeRefusedError("number_reused")
            return
        connection = self._connection()
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            taken = connection.execute(
                "UPDATE trade SET refunded_minor = refunded_minor + ?1 WHERE payment_no = ?2"
                " AND state = 'succeeded' AND currency = ?3 AND refunded_minor + ?1 <= amount_minor"
                " AND NOT EXISTS (SELECT 1 FROM refund WHERE refund_no = ?4)",
                (amount_minor, payment_no, currency, refund_no),
            ).rowcount
            if taken:
                connection.execute(
                    "INSERT INTO refund VALUES (?, ?, ?, ?)",
                    (refund_no, payment_no, amount_minor, currency),
                )
        if not taken and self.refund_by_no(refund_no) is None:
            raise TradeRefusedError("not_refundable")

    def refund_by_no(self, refund_no: str) -> RefundRow | None:
        """Return a refund by its number."""
        rows = self.run(
            "SELECT refund_no, payment_no, amount_minor, currency FROM refund WHERE refund_no = ?",
            (refund_no,),
        )
        return RefundRow(*rows[0]) if rows else None

    # -- the file -----------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open one writing transaction, for what stands in a file of its own."""
        connection = self._connection()
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def _one(self, column: Literal["token", "payment_no"], value: str) -> Trade | None:
        rows = self.run(f"SELECT {_COLUMNS} FROM trade WHERE {column} = ?", (value,))  # noqa: S608
        return Trade(*rows[0]) if rows else None

    def run(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """Run one statement, which is one transaction, and read all that it returns."""
        return self._connection().execute(statement, values).fetchall()

    def _connection(self) -> sqlite3.Connection:
        """Return this thread's own connection; a forked child makes a new one."""
        held: tuple[int, sqlite3.Connection] | None = getattr(self._local, "held", None)
        if held is not None and held[0] == os.getpid():
            return held[1]
        self.store.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.store, timeout=10, isolation_level=None)
        # Toy money: what a power cut takes from the sandbox's own file, nobody misses.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        connection.executescript(_SCHEMA + LEGS)
        self._local.held = (os.getpid(), connection)
        return connection

    def hang_up(self) -> None:
        """Close this thread's connection."""
        held: tuple[int, sqlite3.Connection] | None = getattr(self._local, "held", None)
        if held is not None:
            held[1].close()
            del self._local.held


def _lasting_key(path: Path) -> bytes:
    """Return the key in a file, making it when there is none; of two makers one wins."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
