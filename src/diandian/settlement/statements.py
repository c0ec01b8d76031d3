"""The statement of a payout, for its supplier: data with a digest, a table, and a page to print."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from diandian.kernel.canonical import digest_hex
from diandian.kernel.money import Money
from diandian.settlement import rules
from diandian.settlement.models import Batch, Line
from diandian.ui import format as text
from diandian.ui import typst
from diandian.ui.cells import safe_cell

SCHEMA = "diandian/payout-statement/1"
COLUMNS = (
    *("order", "kind", "day", "project", "mass_g", "gross_minor", "fee_minor"),
    *("vat_within_minor", "refunded_minor", "supplier_minor", "currency"),
)
# Of the account, in the order in which people read it.
_SHOWN = ("name", "account", "iban", "bic", "bank", "cnaps")
_DESIGN = Path(__file__).with_name("statement.typ")
_MARK = "\ufeff"
# So many lines fit into one document; the table and the data hold all.
_MOST_PRINTED = 1_000

Statement = Mapping[str, Any]


def of_batch(
    batch: Batch, rows: Sequence[dict[str, Any]], payee: Mapping[str, object], *, day: date
) -> dict[str, Any]:
    """Return the statement of a payout; of the account only what tells it apart."""
    names = ("gross_minor", "fee_minor", "vat_within_minor", "refunded_minor", "supplier_minor")
    shown = rules.masked({name: str(payee[name]) for name in sorted(payee) if name != "payee"})
    return {
        "schema": SCHEMA,
        "number": batch.number,
        "supplier": batch.supplier_ref,
        "currency": batch.currency,
        "rail": batch.rail,
        "day": day.isoformat(),
        "payee": shown,
        "lines": list(rows),
        "totals": {name: sum(row[name] for row in rows) for name in names},
        "mass_g": sum(row["mass_g"] for row in rows),
    }


def row(line: Line, tax_minor: int | None = None) -> dict[str, Any]:
    """Return a part; gross less fee and refunded is what the supplier has.

    Refunded is what its guest got back at the supplier's cost: the rest of it was ours.
    ``tax_minor``: within what is left of our fee, where part of it went back.
    """
    fee, reached = line.leg if line.is_fee_leg else line.fee, line.reached
    return {
        "order": line.owner_ref,
        "kind": line.kind,
        "day": line.booked_on.isoformat(),
        "project": line.project_code,
        "mass_g": line.mass_g,
        "gross_minor": line.gross_minor,
        "fee_minor": fee.amount_minor,
        "vat_within_minor": line.vat_minor if tax_minor is None else tax_minor,
        "refunded_minor": (line.gross - fee - reached).amount_minor,
        "supplier_minor": reached.amount_minor,
        "currency": line.currency,
    }


def account_parts(payee: Mapping[str, Any]) -> list[str]:
    """Return what may be shown of a payout's account, in the order in which people read it."""
    shown = rules.masked({name: str(payee[name]) for name in _SHOWN if payee.get(name)})
    return list(shown.values())


def as_json(statement: Statement) -> bytes:
    """Return the statement with its digest, for programs."""
    sealed = {**statement, "digest": digest_hex(statement)}
    return json.dumps(sealed, ensure_ascii=False, indent=1).encode()


def as_csv(statement: Statement) -> bytes:
    """Return the lines as a table; no cell is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in statement["lines"]:
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return (_MARK + out.getvalue()).encode()


def _cell(value: object) -> object:
    return value if type(value) is int else safe_cell(value)


def as_pdf(
    statement: Statement,
    *,
    names: Mapping[str, str],
    words: Mapping[str, str],
    lang: str,
    made_at: datetime,
) -> bytes:
    """Return the statement as a document to print. ``names``: the supplier's, by language.

    ``words``: the document's own, in ``lang``. Raises: TypesettingError.
    """
    currency = statement["currency"]

    def amount(minor: int) -> str:
        return text.money(Money(minor, currency), lang)

    money_names = tuple(statement["totals"])
    data = {
        "lang": {"zh-Hans": "zh"}.get(lang, lang),
        "words": dict(words),
        "number": statement["number"],
        "day": statement["day"],
        "supplier": text.pick(names, lang).replace("|", ""),
        "payee": account_parts(statement["payee"]),
        "digest": digest_hex(statement),
        "rows": [
            [
                row["order"].rpartition(":")[2] if row["kind"] == "sale" else words[row["kind"]],
                row["day"],
                row["project"],
                text.exact_mass(row["mass_g"], lang) if row["mass_g"] else "",
                *(amount(row[name]) for name in money_names),
            ]
            for row in statement["lines"][:_MOST_PRINTED]
        ],
        "totals": [
            text.exact_mass(statement["mass_g"], lang),
            *(amount(statement["totals"][name]) for name in money_names),
        ],
        "left_out": max(0, len(statement["lines"]) - _MOST_PRINTED),
    }
    return typst.render_pdf(_DESIGN, data, created_at=made_at)
