"""Files for banks: SEPA credit transfers, and tables for Chinese banks by a map of their columns.

A map is one TOML file in ``bank_maps``: what a bank calls its columns, its encoding and its words.
Amounts are made of integers; no cell is taken for a formula; a copy says that it is one.
*Source:* payments design, section 10.
"""

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from diandian.kernel.errors import N_
from diandian.kernel.money import EXPONENTS, Money
from diandian.settlement.errors import NotForThisBankError, ResultFileError
from diandian.ui.cells import safe_cell

SEPA = "sepa"
_MAPS = Path(__file__).with_name("bank_maps")
_SCHEMA = "pain.001.001.09"
_MOST_RESULTS = 10_000
_RESULT_COLUMNS = ("number", "amount", "currency", "state", "bank_ref", "reason")
# Nothing that a number can also be written as: no exponents, no infinities.
_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,3})?")
_WHY = {
    "account": N_("it is for another kind of account"),
    "sepa": N_("SEPA transfers are in EUR"),
    "no_iban": N_("our own account has no IBAN"),
    "payers": N_("the file of our own accounts cannot be read"),
    "payer": N_("DIANDIAN_PAYER_ACCOUNTS names no account in this currency"),
    "currency": N_("this bank does not take this currency"),
    "letters": N_("its encoding has no letter for a name"),
    "utf8": N_("it is not UTF-8"),
    "table": N_("it is not a table"),
    "columns": N_("it needs the columns number, amount, currency, state, bank_ref and reason"),
    "twice": N_("a number stands there twice"),
    "long": N_("the file is too long"),
    "state": N_("its state is neither paid nor failed"),
    "amount": N_("its amount cannot be read"),
    "signs": N_("it has signs that nobody can see"),
}


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payout to a bank account, from the locked copy."""

    number: str
    amount: Money
    payee: Mapping[str, Any]
    text: str
    day: date
    copy_number: int = 1


@dataclass(frozen=True, slots=True)
class Made:
    """A file as a bank takes it."""

    content: bytes
    ending: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a bank says became of a payout. ``line``: of its file."""

    line: int
    number: str
    amount: Money
    is_paid: bool
    bank_ref: str
    reason: str


@cache
def maps() -> dict[str, dict[str, Any]]:
    """Return the column maps of banks, by their key."""
    return {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(_MAPS.glob("*.toml"))
    }


def forms(kind: str) -> list[str]:
    """Return the kinds of file that can carry a payout to this kind of account."""
    return [SEPA] if kind == "iban" else list(maps()) if kind == "cn_bank" else []


def payer_of(currency: str) -> Mapping[str, str]:
    """Return our own account for a currency, from the file that the settings name.

    Raises: NotForThisBankError.
    """
    path = settings.PAYER_ACCOUNTS_FILE
    try:
        accounts = tomllib.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError) as error:
        raise NotForThisBankError(why=_WHY["payers"]) from error
    found = accounts.get(currency)
    if not isinstance(found, dict):
        raise NotForThisBankError(why=_WHY["payer"])
    return {name: str(value) for name, value in found.items()}


def make(transfer: Transfer, form: str, *, payer: Mapping[str, str]) -> Made:
    """Return the file of a payout. Raises: NotForThisBankError."""
    if form not in forms(str(transfer.payee.get("kind", ""))):
        raise NotForThisBankError(why=_WHY["account"])
    return _sepa(transfer, payer) if form == SEPA else _table(transfer, maps()[form], payer)


# -- SEPA -------------------------------------------------------------------------------------


def _sepa(transfer: Transfer, payer: Mapping[str, str]) -> Made:
    from sepaxml import SepaTransfer  # noqa: PLC0415 - loaded where it is used

    if transfer.amount.currency != "EUR":
        raise NotForThisBankError(why=_WHY["sepa"])
    if not payer.get("iban"):
        raise NotForThisBankError(why=_WHY["no_iban"])
    order = SepaTransfer(
        {
            "name": payer["name"],
            "IBAN": payer["iban"],
            **({"BIC": payer["bic"]} if payer.get("bic") else {}),
            "batch": False,
            "currency": transfer.amount.currency,
            "msg_id": _marked(transfer)[:35],
        },
        schema=_SCHEMA,
        clean=True,
    )
    payee = transfer.payee
    order.add_payment(
        {
            "name": payee["name"],
            "IBAN": payee["iban"],
            **({"BIC": payee["bic"]} if payee.get("bic") else {}),
            "amount": transfer.amount.amount_minor,
            "execution_date": transfer.day,
            "description": transfer.text,
            "endtoend_id": transfer.number,
        }
    )
    return Made(order.export(validate=True), "xml", "application/xml")


def _marked(transfer: Transfer) -> str:
    copy = f"-COPY{transfer.copy_number}" if transfer.copy_number > 1 else ""
    return f"{transfer.number}{copy}"


# -- tables -----------------------------------------------------------------------------------


def _table(transfer: Transfer, bank: Mapping[str, Any], payer: Mapping[str, str]) -> Made:
    if transfer.amount.currency not in bank["currencies"]:
        raise NotForThisBankError(why=_WHY["currency"])
    facts = _facts(transfer, bank, payer)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column["title"] for column in bank["columns"]])
    writer.writerow([_cell(column, facts) for column in bank["columns"]])
    try:
        content = out.getvalue().encode(bank["encoding"])
    except UnicodeEncodeError as error:
        raise NotForThisBankError(why=_WHY["letters"]) from error
    return Made(content, "csv", f"text/csv; charset={bank['encoding']}")


def _facts(transfer: Transfer, bank: Mapping[str, Any], payer: Mapping[str, str]) -> dict[str, str]:
    places = EXPONENTS[transfer.amount.currency]
    payee = transfer.payee
    same_bank = payer.get("cnaps", "")[:3] == str(payee["cnaps"])[:3] != ""
    words = bank["words"]
    copy = words["copy"] if transfer.copy_number > 1 else ""
    return {
        "number": transfer.number,
        "payer_account": payer.get("account", ""),
        "payer_name": payer.get("name", ""),
        "payee_account": str(payee["account"]),
        "payee_name": str(payee["name"]),
        "bank_name": str(payee["bank"]),
        "cnaps": str(payee["cnaps"]),
        "amount": f"{transfer.amount.decimal():.{places}f}",
        "currency": transfer.amount.currency,
        "purpose": f"{words['purpose']} {transfer.number}{copy}",
        "same_bank": words["same_bank"] if same_bank else words["other_bank"],
        "copy": str(transfer.copy_number),
    }


def _cell(column: Mapping[str, str], facts: Mapping[str, str]) -> str:
    text = facts[column["fact"]] if "fact" in column else column["text"]
    return safe_cell(" ".join(text.split()))


# -- what came of them ------------------------------------------------------------------------


def read_results(content: bytes) -> list[Result]:
    """Return what a result file says, line by line: number, amount, currency, state, reference.

    Raises: ResultFileError; a file with one bad line is not used at all.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ResultFileError(line=1, why=_WHY["utf8"]) from error
    rows = csv.DictReader(io.StringIO(text, newline=""))
    try:
        if not set(_RESULT_COLUMNS) <= set(rows.fieldnames or ()):
            raise ResultFileError(line=1, why=_WHY["columns"])
        found = list(_results(rows))
    except csv.Error as error:
        raise ResultFileError(line=rows.line_num, why=_WHY["table"]) from error
    if len({result.number for result in found}) < len(found):
        raise ResultFileError(line=len(found) + 1, why=_WHY["twice"])
    return found


def _results(rows: "csv.DictReader[str]") -> Iterator[Result]:
    for line, row in enumerate(rows, start=2):
        if line > _MOST_RESULTS:
            raise ResultFileError(line=line, why=_WHY["long"])
        cells = {name: (row[name] or "").strip() for name in _RESULT_COLUMNS}
        if not all(cell.isprintable() for cell in cells.values()):
            raise ResultFileError(line=line, why=_WHY["signs"])
        if cells["state"] not in {"paid", "failed"}:
            raise ResultFileError(line=line, why=_WHY["state"])
        yield Result(
            line=line,
            number=cells["number"],
            amount=_amount(line, cells["amount"], cells["currency"]),
            is_paid=cells["state"] == "paid",
            bank_ref=cells["bank_ref"][:80],
            reason=cells["reason"][:200],
        )


def _amount(line: int, text: str, currency: str) -> Money:
    if currency not in EXPONENTS or not _AMOUNT.fullmatch(text):
        raise ResultFileError(line=line, why=_WHY["amount"])
    try:
        return Money.from_decimal(Decimal(text), currency)
    except ValueError as error:
        raise ResultFileError(line=line, why=_WHY["amount"]) from error
