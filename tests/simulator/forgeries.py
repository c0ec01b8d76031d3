"""One forged write for each constraint and guard: raw SQL that this one alone refuses.

A forgery is a list of statements, run and committed as one transaction by the application's own
role. While its constraint stands it ends in an IntegrityError; without it the database takes it,
which shows that the constraint is load-bearing. What cannot be shown so is excused, with a reason.
"""

# ruff: noqa: S608 - the forged statements are made of this file's own texts
from django.db import IntegrityError, ProgrammingError, connection, transaction
from psycopg.errors import InsufficientPrivilege

from tests.simulator.forgeries_of_books import BOOK_CONSTRAINTS, BOOK_GUARDS, BOOK_UNIQUE
from tests.simulator.forgeries_of_log import LOG_CONSTRAINTS, LOG_GUARDS, LOG_UNIQUE
from tests.simulator.forgeries_of_proofs import (
    another_document,
    newest_certificate,
    upstream_overlaps,
)
from tests.simulator.rows import (
    STRIDE,
    again,
    copy,
    fresh_batch,
    fresh_block,
    fresh_number,
    fresh_order,
    fresh_quote,
    insert,
    lane,
    one,
    run,
)


def tail():
    """Return the lane whose newest range is a retirement, its end and the retirement."""
    return one(
        "SELECT l.id, l.lo, l.hi, l.cursor, a.start_g, a.retirement_id FROM registry_lane l"
        " JOIN registry_allocation a ON a.lane_id = l.id AND a.end_g = l.cursor"
        " WHERE a.kind = 'retire' AND l.hi - l.cursor - l.held_g >= 2000 ORDER BY l.id"
    )


def link(lane_row, start_g, end_g, **changes):
    """Insert a range, after the cursor has moved as a careful forger would."""
    if end_g > lane_row["cursor"]:
        run('UPDATE registry_lane SET "cursor" = %s WHERE id = %s', end_g, lane_row["id"])
    row = {
        "lane_id": lane_row["id"],
        "kind": "retire",
        "start_g": start_g,
        "end_g": end_g,
        "start_key": lane_row["id"] * STRIDE + start_g,
        "end_key": lane_row["id"] * STRIDE + end_g,
        "retirement_id": lane_row["retirement_id"],
        "source_ref": "",
    }
    return insert("registry_allocation", row | changes)


def _fork():
    end = tail()
    return link(end, end["start_g"], end["cursor"] + 500)


def _wrong_end_key():
    end = tail()
    key = end["id"] * STRIDE + end["cursor"] + 700
    return link(end, end["cursor"], end["cursor"] + 500, end_key=key)


def _other_lanes_key():
    end = tail()
    other = one(
        "SELECT a.end_key FROM registry_allocation a LEFT JOIN registry_allocation n"
        " ON n.start_key = a.end_key WHERE n.id IS NULL AND a.lane_id <> %s",
        end["id"],
    )
    return link(end, end["cursor"], end["cursor"] + 500, start_key=other["end_key"])


def _beginning_with_grams():
    unused = one(
        "SELECT l.id, l.lo, l.cursor, l.hi FROM registry_lane l WHERE l.kind = 'sale'"
        ' AND l."cursor" = l.lo AND l.held_g = 0'
    )
    place = unused | {"retirement_id": None}
    return link(place, unused["lo"], unused["lo"] + 500, kind="genesis")


def _without_retirement():
    end = tail()
    return link(end, end["cursor"], end["cursor"] + 500, retirement_id=None)


def _for_no_retirement():
    end = tail()
    return link(end, end["cursor"], end["cursor"] + 500, retirement_id=fresh_number())


def _twice_by_one_source():
    end = tail()
    for start_g in (end["cursor"], end["cursor"] + 500):
        place = end | {"cursor": start_g}
        changes = {"kind": "cancel", "retirement_id": None, "source_ref": "forged"}
        link(place, start_g, start_g + 500, **changes)


def _beyond_the_cursor():
    end = tail()
    return link(end | {"cursor": end["hi"]}, end["cursor"], end["cursor"] + 500)


def _two_reversals():
    journal = one("SELECT id FROM ledger_journal")["id"]
    for _ in range(2):
        copy("ledger_journal", reverses_id=journal)


def _overlapping_block():
    block = one("SELECT * FROM registry_serialblock ORDER BY last DESC")
    return copy("registry_serialblock", first=block["last"], last=block["last"] + 9, raw="forged")


def _backwards_block():
    first = fresh_number() * 1_000
    return copy("registry_serialblock", first=first, last=first - 1, raw="forged")


def _upstream(**changes):
    return lambda: copy("registry_upstreamretirement", **changes)


def _attempt_again():
    """A second open attempt of one owner."""
    owner = f"order:{fresh_number()}"
    for _ in range(2):
        copy("payments_payment", owner_ref=owner, state="pending", refunded_minor=0)


def _stated_again():
    for _ in range(2):
        copy("payments_refund", kind="external", state="succeeded", sent_at=None, stated_ref="R1")


def _notice_again():
    row = one("SELECT notice_id FROM payments_notification ORDER BY id DESC")
    return copy("payments_notification", **row)


def _hold_again():
    row = one("SELECT owner_ref FROM registry_holding ORDER BY id DESC")
    return copy("registry_holding", state="released", **row)


def _lane_again():
    row = one("SELECT batch_id, lo, hi, cursor FROM registry_lane ORDER BY id DESC")
    return copy("registry_lane", held_g=0, **row)


def _version_again():
    row = one("SELECT code, version FROM certificates_certificate ORDER BY id DESC")
    return copy("certificates_certificate", state="superseded", **row)


def _link_again(table, column):
    def forge():
        row = one(f"SELECT * FROM {table} ORDER BY id DESC")
        fresh = {
            "order_id": fresh_order,
            "retirement_id": lambda: copy("registry_retirement"),
            "journal_id": lambda: copy("ledger_journal"),
            "payment_id": lambda: copy("payments_payment", state="failed", refunded_minor=0),
        }
        changes = {name: make() for name, make in fresh.items() if name in row and name != column}
        return copy(table, **changes)

    return forge


def _second_lease():
    run("DELETE FROM orders_allocatorlease")
    for number in (1, 2):
        run(
            "INSERT INTO orders_allocatorlease (id, holder, beat_at) VALUES"
            " (%s, 'forged', '2026-11-22 09:00:00+00:00')",
            number,
        )


def _transfer(**changes):
    return lambda: copy("ledger_transfer", **changes)


def _same_accounts():
    code = one("SELECT debit_code FROM ledger_transfer ORDER BY id DESC")["debit_code"]
    return copy("ledger_transfer", credit_code=code)


# -- by constraint --------------------------------------------------------------------------------

CONSTRAINTS = {
    "serial_block_order": _backwards_block,
    "batch_has_grams": lambda: fresh_batch(total_g=0, buffer_g=0),
    "batch_buffer_inside": lambda: fresh_batch(total_g=1_000_000, buffer_g=1_000_001),
    "batch_adjustment_is_dated": lambda: fresh_batch(
        adjustment_status="completed", adjustment_reference="", adjustment_on=None
    ),
    "batch_ccp_is_dated": lambda: fresh_batch(ccp_label=True, ccp_reference="", ccp_on=None),
    "batch_verified_grams": lambda: fresh_batch(verified_g=0),
    "upstream_order": _upstream(first_serial=900_001, last_serial=900_000),
    "retirement_public_id_once": lambda: again("registry_retirement", "public_id"),
    "retirement_once": lambda: again("registry_retirement", "source_ref"),
    "journal_once": lambda: again("ledger_journal", "source_ref"),
    "retirement_has_grams": lambda: copy("registry_retirement", mass_g=0),
    "lane_order": lambda: lane(hi=0),
    "lane_fits_its_stride": lambda: lane(hi=STRIDE),
    "lane_cursor_inside": lambda: lane(lo=10, cursor=9),
    "lane_never_oversold": lambda: lane(held_g=1_000_001),
    "lane_start_once": _lane_again,
    "allocation_end_key": _wrong_end_key,
    "allocation_start_key": _other_lanes_key,
    "allocation_genesis_or_link": _beginning_with_grams,
    "allocation_retire_has_retirement": _without_retirement,
    "allocation_once_per_source": _twice_by_one_source,
    "holding_has_grams": lambda: copy("registry_holding", mass_g=0, state="released"),
    "holding_once_per_lane": _hold_again,
    "transfer_positive": _transfer(amount_minor=0),
    "transfer_two_accounts": _same_accounts,
    "transfer_one_currency": _transfer(currency="EUR"),
    "payment_positive": lambda: copy(
        "payments_payment", amount_minor=0, refunded_minor=0, state="failed"
    ),
    "payment_never_over_refunded": lambda: copy(
        "payments_payment", "received_minor IS NULL", refunded_minor=10**9, state="failed"
    ),
    "payment_one_open_attempt": _attempt_again,
    "refund_positive": lambda: copy("payments_refund", amount_minor=0),
    "refund_external_is_never_sent": lambda: copy(
        "payments_refund", kind="external", state="requested"
    ),
    "refund_stated_once": _stated_again,
    "notice_once": _notice_again,
    "offer_positive": lambda: copy("orders_offer", is_active=False, price_per_tonne_minor=0),
    "offer_one_active": lambda: copy("orders_offer", "is_active"),
    "quote_has_grams": lambda: fresh_quote(mass_g=0),
    "quote_adds_up": lambda: fresh_quote(total_minor=1),
    "order_waits_for_a_right": lambda: fresh_order(
        withdrawal="", retire_after="2026-11-22 09:00:00+00:00"
    ),
    "allocator_lease_one_row": _second_lease,
    "certificate_version_once": _version_again,
    "journal_reversed_once": _two_reversals,
    "certificate_one_current": lambda: copy("certificates_certificate", "state = 'current'"),
}
UNIQUE = {
    "registry_programme.code": lambda: again("registry_programme", "code"),
    "registry_project.code": lambda: again("registry_project", "code"),
    "registry_creditbatch.public_id": lambda: fresh_batch(
        **one("SELECT public_id FROM registry_creditbatch")
    ),
    "registry_creditbatch.source_ref": lambda: fresh_batch(
        **one("SELECT source_ref FROM registry_creditbatch")
    ),
    "registry_creditbatch.serial_block_id": lambda: copy("registry_creditbatch"),
    "registry_allocation.start_key": _fork,
    "payments_payment.payment_no": lambda: copy(
        "payments_payment",
        state="failed",
        refunded_minor=0,
        **one("SELECT payment_no FROM payments_payment"),
    ),
    "payments_refund.refund_no": lambda: again("payments_refund", "refund_no"),
    "orders_quote.token": lambda: again("orders_quote", "token"),
    "orders_order.token": lambda: fresh_order(**one("SELECT token FROM orders_order")),
    "orders_order.quote_id": lambda: copy("orders_order", state="expired"),
    "orders_order.idempotency_key": lambda: fresh_order(
        **one("SELECT idempotency_key FROM orders_order WHERE idempotency_key IS NOT NULL")
    ),
    "orders_orderpayment.payment_id": _link_again("orders_orderpayment", "payment_id"),
    "orders_orderentry.journal_id": _link_again("orders_orderentry", "journal_id"),
    "orders_orderretirement.order_id": _link_again("orders_orderretirement", "order_id"),
    "orders_orderretirement.retirement_id": _link_again("orders_orderretirement", "retirement_id"),
    "orders_intake.order_id": lambda: copy("orders_intake", state="done"),
    "audit_auditentry.previous_hash": lambda: again("audit_auditentry", "previous_hash"),
    "audit_auditentry.entry_hash": lambda: again("audit_auditentry", "entry_hash"),
    "audit_outboxevent.key": lambda: again("audit_outboxevent", "key"),
}


def _delete(table, make=None):
    def forge():
        number = make() if make else one(f"SELECT id FROM {table} ORDER BY id DESC")["id"]
        run(f"DELETE FROM {table} WHERE id = %s", number)

    return forge


def _delete_link():
    run(
        "DELETE FROM registry_allocation WHERE lane_id = %s AND end_g = %s",
        tail()["id"],
        tail()["cursor"],
    )


def _update(table, change="id = id"):
    def forge():
        number = one(f"SELECT id FROM {table} ORDER BY id DESC")["id"]
        run(f"UPDATE {table} SET {change} WHERE id = %s", number)

    return forge


def _replace(table, **changes):
    """SQLite replaces a row without asking a trigger for deletions."""

    def forge():
        row = one(f"SELECT * FROM {table} ORDER BY id DESC") | changes
        columns = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join(["%s"] * len(row))
        sql = f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})"
        run(sql, *row.values())

    return forge


def _cursor_back():
    run('UPDATE registry_lane SET "cursor" = "cursor" - 1 WHERE id = %s', tail()["id"])


CONSTRAINTS |= BOOK_CONSTRAINTS | LOG_CONSTRAINTS
UNIQUE |= BOOK_UNIQUE | LOG_UNIQUE


# Each append-only table: how a row goes that nothing else points at.
_GONE = {
    "registry_serialblock": _delete("registry_serialblock", fresh_block),
    "registry_retirement": _delete("registry_retirement", lambda: copy("registry_retirement")),
    "registry_allocation": _delete_link,
    "ledger_journal": _delete("ledger_journal", lambda: copy("ledger_journal")),
    "ledger_transfer": _delete("ledger_transfer"),
    "registry_upstreamretirement": _delete("registry_upstreamretirement"),
    "audit_auditentry": _delete("audit_auditentry"),
}
_KEPT = ("registry_creditbatch", "registry_lane", "certificates_certificate")
_APART = {
    "registry_serialblock": {"first": 10**12, "last": 10**12},
    "registry_upstreamretirement": {"first_serial": 10**12, "last_serial": 10**12},
}
GUARDS = {
    **{(table, "update"): _update(table) for table in _GONE},
    **{(table, "delete"): forge for table, forge in _GONE.items()},
    **{(table, "replace"): _replace(table, **_APART.get(table, {})) for table in (*_GONE, *_KEPT)},
    ("registry_creditbatch", "fixed"): _update(
        "registry_creditbatch", "vintage_year = vintage_year + 1"
    ),
    ("registry_creditbatch", "delete"): _delete("registry_creditbatch", fresh_batch),
    ("registry_lane", "fixed"): _update("registry_lane", "hi = hi + 1"),
    ("registry_lane", "delete"): _delete("registry_lane", lane),
    ("registry_lane", "onward"): _cursor_back,
    ("registry_serialblock", "overlap"): _overlapping_block,
    ("registry_upstreamretirement", "overlap"): upstream_overlaps,
    ("certificates_certificate", "fixed"): _update(
        "certificates_certificate", "order_ref = 'order:forged'"
    ),
    ("certificates_certificate", "signed"): another_document,
    ("certificates_certificate", "delete"): _delete("certificates_certificate", newest_certificate),
    ("registry_allocation", "inside"): _beyond_the_cursor,
    ("registry_allocation", "retirement_id_insert"): _for_no_retirement,
    **BOOK_GUARDS,
    **LOG_GUARDS,
}


def guard_forgeries(guard):
    """Return what only this guard refuses: on PostgreSQL one guard stands for two on SQLite."""
    labels = {"rows": ("update", "delete")}.get(guard.label, (guard.label,))
    found = [GUARDS.get((guard.table, label)) for label in labels]
    return [forge for forge in found if forge]


def is_refused(forge):
    """Try a forgery and commit it; tell whether the database refused. Raises: NothingToForgeError.

    What it took is undone again, so that the history can go on.
    """
    try:
        with transaction.atomic():
            forge()
            connection.check_constraints()
            transaction.set_rollback(True)
    except IntegrityError:
        return True
    except ProgrammingError as error:
        if not isinstance(error.__cause__, InsufficientPrivilege):
            raise
        return True
    return False
