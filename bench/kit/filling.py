"""Retirements written before by the hundred thousand: how a register looks after years.

The rows are made inside the database by one statement a table, with a valid chain, all constraints
and guards in force, sealed names and entries of the public log as the product writes them; what
they say is checked by the bench's audit like everything else. The log's files are the product's
own signer's (``publish``).
"""

# ruff: noqa: ISC004, S608 - statements of this file's own texts, each over several lines
from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from diandian.registry import rules
from diandian.registry.models import Lane, Retirement
from diandian.transparency.heads.signer import Signer
from diandian.transparency.queries import open_head
from diandian.verifier import entries

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
    "postgresql": "encode(sha256(convert_to({text}, 'UTF8')), 'hex')",
    "sqlite": "sha256_hex({text})",
}
# A name under its seal.
_SUBJECT = """'{"display_name":"林晚","order":"filled:' || i || '"}'"""
_SEALS = {
    "postgresql": (
        "encode(sha256(decode('{domain}' || {salt}, 'hex')"
        " || convert_to({subject}, 'UTF8')), 'hex')"
    ),
    "sqlite": "seal_hex({salt}, {subject})",
}
_AT, _CLAIM_FROM, _CLAIM_TO = "2026-01-01T08:00:00Z", "2026-01-01", "2026-01-02"
_COMMIT, _RETIREMENT, _START_G, _END_G = "c" * 64, "RETIREMENT", 987_654_321, 987_654_322
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
    " subject_commit, purpose, context_ref, holder_kind, claim_from, claim_to, is_sample,"
    " retired_at) SELECT {retirement} + i, {padded}, 'filled:' || i || ':retirement', {project},"
    " {grams}, 2025, {seal}, 'trip', 'scene:' || i % 97, 'person', '{from}', '{to}', {true}, {at}"
    " FROM n",
    "INSERT INTO registry_beneficiary (retirement_id, salt, subject)"
    " SELECT {retirement} + i, {salt}, ({subject}){json} FROM n",
    "INSERT INTO registry_allocation (lane_id, kind, start_g, end_g, end_key, start_key,"
    " retirement_id, source_ref) SELECT {lane}, 'retire', {start} + (i - {first}) * {grams},"
    " {start} + (i - {first} + 1) * {grams}, {zero} + {start} + (i - {first} + 1) * {grams},"
    " {zero} + {start} + (i - {first}) * {grams}, {retirement} + i, '' FROM n",
    "INSERT INTO transparency_logentry (position, kind, ref, body)"
    " SELECT {position} + i, 'retire', 'retire:' || r.public_id, {body}"
    " FROM n JOIN registry_retirement r ON r.id = {retirement} + i",
)
_COUNTED = ("registry_retirement", "ledger_journal")


def fill(lane_id: int, wanted: int) -> dict[str, int]:
    """Add retirements until there are as many as wanted."""
    lane = Lane.objects.select_related("batch").get(id=lane_id)
    if connection.vendor == "sqlite":
        connection.connection.create_function("sha256_hex", 1, _sha256_hex, deterministic=True)
        connection.connection.create_function("seal_hex", 2, _seal_hex, deterministic=True)
    missing = wanted - Retirement.objects.count()
    first = 1 + Retirement.objects.filter(source_ref__startswith="filled:").count()
    for begin in range(first, first + missing, _PORTION):
        last = min(begin + _PORTION, first + missing) - 1
        with transaction.atomic():
            _portion(lane, begin, last)
    return {"retirements": Retirement.objects.count()}


def _sha256_hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _seal_hex(salt: str, subject: str) -> str:
    return rules.subject_commit(salt, json.loads(subject))


def _body(batch: str) -> str:
    """Return SQL for an entry's bytes: what the product's own writing makes, around columns."""
    text = entries.encode(
        {
            "type": "retire",
            "at": _AT,
            "retirement": _RETIREMENT,
            "ranges": [[batch, _START_G, _END_G]],
            "commit": _COMMIT,
            "purpose": "trip",
            "claim_from": _CLAIM_FROM,
            "claim_to": _CLAIM_TO,
            "replaces": None,
            "sample": True,
        }
    ).decode()
    columns = {
        _RETIREMENT: "r.public_id",
        _COMMIT: "r.subject_commit",
        str(_START_G): "({start} + (i - {first}) * {grams})",
        str(_END_G): "({start} + (i - {first} + 1) * {grams})",
    }
    text = text.replace("{", "{{").replace("}", "}}")
    for stands, column in columns.items():
        assert text.count(stands) == 1, "each column has its one place"
        text = text.replace(stands, f"' || {column} || '")
    return f"'{text}'"


def publish() -> dict[str, Any]:
    """Sign and publish what is new in the log; return how much, and how long that took."""
    head = open_head()
    assert head is not None, "the batch stands in it"
    before = _published_size()
    began = time.perf_counter()
    while _SIGNER.turn():
        pass
    seconds = time.perf_counter() - began
    if _published_size() != head.size:
        raise SystemExit(f"Of {head.size} entries {_published_size()} were published.")
    return {"entries": head.size - before, "seconds": seconds}


_SIGNER = Signer()


def _published_size() -> int:
    path = _log_folder() / "checkpoint"
    return int(path.read_text().split("\n")[1]) if path.exists() else 0


def _log_folder() -> Path:
    return Path(settings.DATA_DIR) / "log"


def log_files_bytes() -> int:
    """Return the bytes of the log's published files."""
    return sum(path.stat().st_size for path in _log_folder().rglob("*") if path.is_file())


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
        cursor.execute(
            "UPDATE transparency_loghead SET size = size + %s WHERE is_open RETURNING base + size",
            [count],
        )
        end = cursor.fetchone()[0]
        digest, seal = _DIGESTS[connection.vendor], _SEALS[connection.vendor]
        salt = digest.format(text="'salt:' || i")
        domain = rules._SUBJECT_DOMAIN.hex()  # noqa: SLF001 - what a seal begins with
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
            "sealed": digest.format(text=f"'{_BEGINNING}' || i || '\"}}'"),
            "salt": salt,
            "subject": _SUBJECT,
            "seal": seal.format(domain=domain, salt=salt, subject=_SUBJECT),
            "json": "::jsonb" if connection.vendor == "postgresql" else "",
            "position": end - count - first,
            "from": _CLAIM_FROM,
            "to": _CLAIM_TO,
            "at": "'2026-01-01 08:00:00+00'",
            "true": "true",
        }
        facts["body"] = _body(lane.batch.public_id).format(**facts)
        for table in _TABLES:
            cursor.execute((_NUMBERS + table).format(**facts))
        if connection.vendor == "postgresql":
            for table in _COUNTED:
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
                )
