"""Our side of the sandbox's statements: fetched, its signature checked, read whole or not."""

from __future__ import annotations

import csv
import hashlib
import sqlite3
from typing import TYPE_CHECKING, get_args

from diandian.payments import messages as port
from diandian.payments.gateways.sandbox import statement_peer
from diandian.payments.statements import (
    NOT_READY,
    LineKind,
    Statement,
    StatementKind,
    StatementLine,
)

if TYPE_CHECKING:
    from datetime import date, datetime

    from diandian.payments.gateways.sandbox.peer import Peer
    from diandian.payments.messages import MerchantContext, Outcome

KINDS: tuple[StatementKind, ...] = get_args(StatementKind)
# What banks in China usually keep of a payment: 0.6 %.
_FEE_BASIS_POINTS = "60"


class CutOffError(ValueError):
    """The file does not end as a whole one does, or holds what no line holds."""


def fetch(
    peer: Peer, context: MerchantContext, day: date, kind: StatementKind, *, at: datetime
) -> Outcome[Statement]:
    """Return the statement of a day, once it is there."""
    rate = int(context.options.get("fee_basis_points", _FEE_BASIS_POINTS))
    try:
        sent = statement_peer.write_statement(
            peer, context.account, day, kind, fee_basis_points=rate, now=at
        )
    except sqlite3.Error as error:
        return port.Unknown(str(error))
    if sent is None:
        return port.Rejected(NOT_READY, retryable=True)
    if not peer.is_signed(sent.signature, b"statement", sent.body):
        return port.Unknown("the statement fails its signature")
    try:
        lines = read(sent.body)
    except (ValueError, OverflowError) as error:
        return port.Unknown(f"the statement is not whole: {error}")
    return port.Done(
        Statement(
            day=day,
            kind=kind,
            lines=lines,
            raw=sent.body,
            sha256=hashlib.sha256(sent.body).hexdigest(),
            is_proven=True,
        )
    )


def read(body: bytes) -> tuple[StatementLine, ...]:
    """Return the lines of a file. Raises: ValueError when any of it is not as it should be."""
    rows = list(csv.reader(body.decode().splitlines()))
    if not rows or tuple(rows[0]) != statement_peer.COLUMNS:
        raise CutOffError("no head")
    if len(rows) < 2 or rows[-1] != ["end", str(len(rows) - 2)]:  # noqa: PLR2004 - head and end
        raise CutOffError("no end")
    return tuple(_line(row) for row in rows[1:-1])


def _line(row: list[str]) -> StatementLine:
    kind, ref, our_no, payment_no, gross, fee, net, currency, at_ms, status = row
    kinds: dict[str, LineKind] = {each: each for each in get_args(LineKind)}
    if kind not in kinds:
        raise CutOffError("a line of no kind")
    return StatementLine(
        kind=kinds[kind],
        gateway_ref=ref,
        our_no=our_no,
        payment_no=payment_no,
        gross_minor=int(gross),
        fee_minor=int(fee),
        net_minor=int(net),
        currency=currency,
        at=statement_peer.instant(at_ms),
        status=status,
    )
