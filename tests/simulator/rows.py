"""Rows that were never written by our actions: copies with changes, by raw SQL."""

# ruff: noqa: S608 - the forged statements are made of this file's own texts
import itertools

from django.db import connection

STRIDE = 2**40
_numbers = itertools.count(10**6)


def fresh_number():
    """Return a number that nothing has yet."""
    return next(_numbers)


class NothingToForgeError(Exception):
    """The world has no row of the kind that is forged."""


def run(sql, *values):
    """Run a statement; return its rows, where it has some."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def one(sql, *values):
    """Return the first row as a dictionary. Raises: NothingToForgeError."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
        if row is None:
            raise NothingToForgeError(sql)
        return dict(zip([column[0] for column in cursor.description], row, strict=True))


def insert(table, row):
    """Insert a row; return its id."""
    columns = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join(["%s"] * len(row))
    returning = " RETURNING id" if "id" not in row else ""
    found = run(f"INSERT INTO {table} ({columns}) VALUES ({marks}){returning}", *row.values())
    return found[0][0] if found else row["id"]


# Columns that are unique: a copy gets fresh values, so that only what is tested is the same.
FRESH = {
    "registry_programme": ("code",),
    "registry_project": ("code",),
    "registry_creditbatch": ("public_id", "source_ref"),
    "registry_retirement": ("public_id", "source_ref"),
    "ledger_journal": ("source_ref",),
    "payments_payment": ("payment_no", "owner_ref"),
    "payments_refund": ("refund_no",),
    "payments_notification": ("notice_id",),
    "orders_quote": ("token",),
    "orders_order": ("token", "idempotency_key"),
    "audit_auditentry": ("previous_hash", "entry_hash"),
    "audit_outboxevent": ("key",),
    "registry_holding": ("owner_ref",),
    "certificates_certificate": ("code",),
}


def copy(table, where="", **changes):
    """Insert a copy of the newest row with changes; return its id."""
    row = one(f"SELECT * FROM {table} {where and f'WHERE {where}'} ORDER BY id DESC")
    del row["id"]
    row |= {name: f"f{fresh_number()}" for name in FRESH.get(table, ())}
    return insert(table, row | changes)


def again(table, column, where=""):
    """Copy the newest row with the same value in one unique column."""
    known = where or f"{column} IS NOT NULL"
    value = one(f"SELECT {column} FROM {table} WHERE {known} ORDER BY id DESC")[column]
    return copy(table, known, **{column: value})


def fresh_block():
    """A serial block that no batch has."""
    first = fresh_number() * 1_000
    return copy("registry_serialblock", first=first, last=first, raw=f"forged {first}")


def fresh_batch(**changes):
    """A batch with a block of its own."""
    return copy("registry_creditbatch", **{"serial_block_id": fresh_block()} | changes)


def fresh_quote(**changes):
    """A quote that no order uses."""
    return copy("orders_quote", **changes)


def fresh_order(**changes):
    """An order that was given up, with a quote of its own."""
    return copy("orders_order", **{"quote_id": fresh_quote(), "state": "expired"} | changes)


def lane(**changes):
    """A lane in a batch of its own: other lanes are not in its way."""
    plain = {"batch_id": fresh_batch(), "lo": 0, "hi": 1_000_000, "cursor": 0, "held_g": 0}
    return copy("registry_lane", "kind = 'sale'", **plain | changes)


def put_again(table, make):
    """Put a row in the place of one with the same number, as only SQLite can."""

    def forge():
        number = make()
        run(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE id = %s", number)

    return forge
