"""Forged writes of closed days and recalls; how they are used stands in ``forgeries``."""

# ruff: noqa: S608 - the forged statements are made of this file's own texts
from tests.simulator.rows import copy, fresh_batch, fresh_number, insert, one, put_again, run

_AT = "1999-01-03 09:00:00+00:00"


def _day(**changes):
    """Close a day of long ago: no booking of the history is in its way."""
    number = fresh_number()
    row = {
        "first_day": "1999-01-01",
        "day": "1999-01-02",
        "totals": "{}",
        "journals": 0,
        "journals_sha256": "",
        "retirements": 0,
        "retirements_sha256": "",
        "previous_sha256": f"p{number}",
        "sha256": f"s{number}",
        "closed_by": "forger",
        "closed_at": _AT,
    }
    return insert("ledger_closedday", row | changes)


def _two_days(**same):
    """Two closed days that share what is named."""

    def forge():
        _day(**same)
        _day(**{"day": "1999-01-03"} | same)

    return forge


def _checkpoint(day=None):
    row = {"currency": "CNY", "debit_code": "CNY:1", "credit_code": "CNY:2", "amount_minor": 1}
    return insert("ledger_ledgercheckpoint", row | {"closed_day_id": day or _day()})


def _two_checkpoints():
    day = _day()
    _checkpoint(day)
    _checkpoint(day)


def _switch():
    row = {"is_open": True, "reason": "forged", "breaches": "[]", "actor_ref": "forger", "at": _AT}
    return insert("ledger_salesswitch", row)


def _recall(**changes):
    row = {
        "public_id": f"f{fresh_number()}",
        "batch_id": one("SELECT id FROM registry_creditbatch ORDER BY id")["id"],
        "start_g": 0,
        "end_g": 1_000,
        "kind": "invalid",
        "reason": "forged",
        "texts": "{}",
        "sources": "[]",
        "state": "opened",
        "batch_was": "open",
        "opened_by": "one",
        "opened_at": _AT,
        "approved_by": "",
        "position": 0,
    }
    return insert("registry_recall", row | changes)


def _two_recalls():
    for _ in range(2):
        _recall(public_id="forged")


def _remedy(**changes):
    retirement = one("SELECT id FROM registry_retirement ORDER BY id")["id"]
    row = {
        "retirement_id": retirement,
        "root_id": retirement,
        "step": 1,
        "outcome": "short",
        "affected_g": 1_000,
        "remedied_g": 0,
        "short_g": 1_000,
        "at": _AT,
    }
    return insert(
        "registry_remedy", row | {"recall_id": changes.get("recall_id") or _recall()} | changes
    )


def _replaced(replacement, **changes):
    made_good = {"outcome": "replaced", "remedied_g": 1_000, "short_g": 0}
    return _remedy(replacement_id=replacement, **made_good | changes)


def _two_steps():
    recall = _recall()
    for _ in range(2):
        _remedy(recall_id=recall)


def _one_replacement_for_two():
    replacement = one("SELECT id FROM registry_retirement ORDER BY id DESC")["id"]
    for _ in range(2):
        _replaced(replacement)


def _back_on_sale():
    batch = fresh_batch(state="recalled")
    run("UPDATE registry_creditbatch SET state = 'open' WHERE id = %s", batch)


def _late_booking():
    day = one("SELECT max(business_day) AS day FROM ledger_journal")["day"]
    _day(first_day=day, day=day)
    copy("ledger_journal", business_day=day)


def _moved_beneficiary():
    person = one("SELECT retirement_id FROM registry_beneficiary ORDER BY retirement_id DESC")
    run(
        "UPDATE registry_beneficiary SET retirement_id = %s WHERE retirement_id = %s",
        fresh_number(),
        person["retirement_id"],
    )


def _stray_beneficiary():
    run("INSERT INTO registry_beneficiary (retirement_id, salt) VALUES (%s, '')", fresh_number())


def _updated(table, make, change="id = id"):
    return lambda: run(f"UPDATE {table} SET {change} WHERE id = %s", make())


def _deleted(table, make):
    return lambda: run(f"DELETE FROM {table} WHERE id = %s", make())


BOOK_CONSTRAINTS = {
    "closed_day_order": lambda: _day(first_day="1999-01-03"),
    "checkpoint_once": _two_checkpoints,
    "recall_has_grams": lambda: _recall(end_g=0),
    "recall_by_two_people": lambda: _recall(state="running", approved_by="one", approved_at=_AT),
    "recall_works_when_approved": lambda: _recall(state="running"),
    "remedy_step_once": _two_steps,
    "remedy_within_what_was_recalled": lambda: _remedy(short_g=1_001),
    "remedy_outcome": lambda: _remedy(outcome="buffer"),
}
BOOK_UNIQUE = {
    "ledger_closedday.day": _two_days(day="1999-01-02"),
    "ledger_closedday.previous_sha256": _two_days(previous_sha256="forged"),
    "ledger_closedday.sha256": _two_days(sha256="forged"),
    "registry_recall.public_id": _two_recalls,
    "registry_remedy.replacement_id": _one_replacement_for_two,
}
_MADE = {
    "registry_remedy": _remedy,
    "ledger_closedday": _day,
    "ledger_ledgercheckpoint": _checkpoint,
    "ledger_salesswitch": _switch,
}
BOOK_GUARDS = {
    **{(table, "update"): _updated(table, make) for table, make in _MADE.items()},
    **{(table, "delete"): _deleted(table, make) for table, make in _MADE.items()},
    **{(table, "replace"): put_again(table, make) for table, make in _MADE.items()},
    ("registry_recall", "fixed"): _updated("registry_recall", _recall, "end_g = end_g + 1"),
    ("registry_recall", "delete"): _deleted("registry_recall", _recall),
    ("registry_recall", "replace"): put_again("registry_recall", _recall),
    ("registry_creditbatch", "recalled"): _back_on_sale,
    ("ledger_journal", "day"): _late_booking,
    ("ledger_transfer", "journal_id_insert"): lambda: copy(
        "ledger_transfer", journal_id=fresh_number()
    ),
    ("registry_retirement", "project_id_insert"): lambda: copy(
        "registry_retirement", project_id=fresh_number()
    ),
    ("registry_beneficiary", "retirement_id_insert"): _stray_beneficiary,
    ("registry_beneficiary", "retirement_id_update"): _moved_beneficiary,
}
