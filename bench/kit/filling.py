"""Retirements written before by the hundred thousand: how a register looks after years.

The rows are made inside the database by one statement a table, with a valid chain, all constraints
and guards in force; what they say is checked by the bench's audit like everything else.
"""

# ruff: noqa: ISC004, S608 - statements of this file's own texts, each over several lines
from __future__ import annotations

import hashlib
import json

from django.db import connection, transaction

from diandian.registry.models import Lane, Retirement

_PORTION = 50_000
_GRAMS = 1_000
_STRIDE = 2**40
_PAD = "0" * 32

_SHARES = (("CNY:2010:filled", 50), ("CNY:4010", 9), ("CNY:2310", 1))
# What the journal's digest is of, around the owner's number.
_BEGINNING = json.dumps(
    {
        "kind": "filled",
        "lines": [["CNY:2110", credit, amount, "CNY"] for credit, amount in _SHARES],
        "owner_ref": "filled:",
    },
    separators=(",", ":"),
).removesuffix('"}')
_DIGESTS = {
    "postgresql": "encode(sha256(convert_to('{text}' || i || '\"}}', 'UTF8')), 'hex')",
    "sqlite": "sha256_hex('{text}' || i || '\"}}')",
}
# ``i`` counts retirements; a hold, a journal, three transfers and the rest belong to each.
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) "
_PADDED = f"substr('{_PAD}' || i, length('' || i) + 1)"
_TABLES = (
    "INSERT INTO registry_holding (lane_id, owner_ref, mass_g, state, expires_at)"
    " SELECT {lane}, 'filled:' || i, {grams}, 'used', {at} FROM n",
    "INSERT INTO ledger_journal (id, source_ref, body_sha256, kind, owner_ref, business_day,"
    " created_at) SELECT {journal} + i, 'filled:' || i || ':sale', {sealed}, 'filled',"
    " 'filled:' || i, '2026-01-01', {at} FROM n",
    *(
        "INSERT INTO ledger_transfer (journal_id, debit_code, credit_code, currency, amount_minor)"
        f" SELECT {{journal}} + i, 'CNY:2110', '{credit}', 'CNY', {amount} FROM n"
        for credit, amount in _SHARES
    ),
    "INSERT INTO registry_retirement (id, public_id, source_ref, project_id, mass_g, vintage_year,"
    " subject_commit, purpose, context_ref, holder_kind, is_sample, retired_at)"
    " SELECT {retirement} + i, {padded}, 'filled:' || i || ':retirement', {project}, {grams}, 2025,"
    " {digest} || i % 10, 'trip', 'scene:' || i % 97, 'person', {true}, {at} FROM n",
    # Erased, so that no seal need be opened.
    "INSERT INTO registry_beneficiary (retirement_id, salt, subject, erased_at)"
    " SELECT {retirement} + i, '', NULL, {at} FROM n",
    "INSERT INTO registry_allocation (lane_id, kind, start_g, end_g, end_key, start_key,"
    " retirement_id, source_ref) SELECT {lane}, 'retire', {start} + (i - {first}) * {grams},"
    " {start} + (i - {first} + 1) * {grams}, {zero} + {start} + (i - {first} + 1) * {grams},"
    " {zero} + {start} + (i - {first}) * {grams}, {retirement} + i, '' FROM n",
)
_COUNTED = ("registry_retirement", "ledger_journal")


def fill(lane_id: int, wanted: int) -> dict[str, int]:
    """Add retirements until there are as many as wanted."""
    lane = Lane.objects.select_related("batch").get(id=lane_id)
    if connection.vendor == "sqlite":
        connection.connection.create_function("sha256_hex", 1, _sha256_hex, deterministic=True)
    missing = wanted - Retirement.objects.count()
    first = 1 + Retirement.objects.filter(source_ref__startswith="filled:").count()
    for begin in range(first, first + missing, _PORTION):
        last = min(begin + _PORTION, first + missing) - 1
        with transaction.atomic():
            _portion(lane, begin, last)
    return {"retirements": wanted}


def _sha256_hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _portion(lane: Lane, first: int, last: int) -> None:
    count = last - first + 1
    with connection.cursor() as cursor:
        highest = {}
        for table in _COUNTED:
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
            highest[table] = cursor.fetchone()[0]
        cursor.execute(
            'UPDATE registry_lane SET "cursor" = "cursor" + %s WHERE id = %s RETURNING "cursor"',
            [count * _GRAMS, lane.id],
        )
        moved_to = cursor.fetchone()[0]
        facts = {
            "first": first,
            "last": last,
            "lane": lane.id,
            "grams": _GRAMS,
            "zero": lane.id * _STRIDE,
            "start": moved_to - count * _GRAMS,
            "project": lane.batch.project_id,
            "retirement": highest["registry_retirement"] - first + 1,
            "journal": highest["ledger_journal"] - first + 1,
            "padded": _PADDED,
            "sealed": _DIGESTS[connection.vendor].format(text=_BEGINNING),
            "digest": f"'{'a' * 63}'",
            "at": "'2026-01-01 08:00:00+00'",
            "true": "true",
        }
        for table in _TABLES:
            cursor.execute((_NUMBERS + table).format(**facts))
        if connection.vendor == "postgresql":
            for table in _COUNTED:
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
                )
