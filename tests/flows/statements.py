"""Bends what the sandbox says a day was, and looks at what the reconciliation made of it."""

import hashlib
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from diandian.flows import reconcile
from diandian.ledger import chart
from diandian.payments import merchants
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Done
from diandian.reconciliation.models import GatewayDay, MatchItem

DAY = date(2026, 11, 22)
FEES = chart.gateway_fees("CNY")
TEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # ten o'clock of the next day in Shanghai


@contextmanager
def told(change, *, kinds=("trades", "funds")):
    """Let the sandbox tell other lines: ``change`` takes its lines and returns those it tells."""
    fetch = SandboxGateway.fetch_statement

    def bent(self, context, day, kind, *, at):
        outcome = fetch(self, context, day, kind, at=at)
        if kind not in kinds or not isinstance(outcome, Done):
            return outcome
        lines = tuple(change(list(outcome.value.lines)))
        raw = repr(lines).encode()
        return Done(replace(outcome.value, lines=lines, raw=raw, sha256=_sha(raw)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SandboxGateway, "fetch_statement", bent)
        yield


def _sha(raw):
    return hashlib.sha256(raw).hexdigest()


@contextmanager
def answered(outcome):
    """Let the sandbox answer something else than a statement."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            SandboxGateway, "fetch_statement", lambda self, context, day, kind, *, at: outcome
        )
        yield


def turn(at=TEN, limit=10):
    """Let the worker do what is due."""
    return reconcile.run_due(limit, at=at)


def the_day(day=DAY):
    return GatewayDay.objects.get(day=day)


def later(days=0, **delta):
    return TEN + timedelta(days=days, **delta)


def outcomes(day=DAY, kind="trades"):
    rows = MatchItem.objects.filter(day__day=day, statement_kind=kind)
    return sorted(rows.values_list("kind", "outcome", "detail"))


def differences(day=DAY):
    rows = MatchItem.objects.filter(day__day=day).exclude(outcome="matched")
    return sorted(rows.values_list("statement_kind", "outcome"))


def bought(world, **facts):
    order = world.order(**facts)
    assert world.pay(order) == "completed"
    return world.payment(order)


def sandbox():
    [merchant] = merchants.every()
    return merchant


def gross(line, gross_minor):
    """Return a line with another amount."""
    return replace(line, gross_minor=gross_minor, net_minor=gross_minor - line.fee_minor)
