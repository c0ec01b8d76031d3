"""Forged writes of the public log; how they are used stands in ``forgeries``."""

# ruff: noqa: S608 - the forged statements are made of this file's own texts
from tests.simulator.rows import fresh_number, insert, one, put_again, run


def _entry(**changes):
    """An entry at the end of the log, its head moved as a careful forger would."""
    end = run("SELECT max(position) + 1 FROM transparency_logentry")[0][0]
    run("UPDATE transparency_loghead SET size = size + 1 WHERE is_open")
    row = {"position": end, "kind": "key", "ref": None, "body": "{}"} | changes
    columns, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    run(f"INSERT INTO transparency_logentry ({columns}) VALUES ({marks})", *row.values())


def _head(**changes):
    """A closed log of another name."""
    row = one("SELECT * FROM transparency_loghead")
    fresh = {"origin": f"forged-{fresh_number()}", "is_open": False, "closed_at": row["opened_at"]}
    row |= fresh | changes
    columns, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    run(f"INSERT INTO transparency_loghead ({columns}) VALUES ({marks})", *row.values())


def _checkpoint(size, previous_size, **changes):
    """A signed head."""
    head = one("SELECT origin AS head_id, opened_at AS signed_at FROM transparency_loghead")
    rest = {"root": "00", "note": "forged", "cosignatures": ""}
    signed = {"size": size, "previous_size": previous_size}
    return insert("transparency_logcheckpoint", head | rest | signed | changes)


def _two_checkpoints(first, second):
    def forge():
        _checkpoint(*first)
        _checkpoint(*second)

    return forge


def _key(vkey="forged"):
    head = one("SELECT origin AS head_id, opened_at AS active_from FROM transparency_loghead")
    return insert("transparency_logkey", head | {"vkey": vkey})


def _two_keys():
    _key()
    _key()


def _changed(table, make, change):
    """Make a row, then change it (or delete it, with no change)."""

    def forge():
        number = make()
        if change:
            run(f"UPDATE {table} SET {change} WHERE id = %s", number)
        else:
            run(f"DELETE FROM {table} WHERE id = %s", number)

    return forge


def _gone_head():
    name = f"forged-{fresh_number()}"
    _head(origin=name)
    run("DELETE FROM transparency_loghead WHERE origin = %s", name)


_LAST = "position = (SELECT max(position) FROM transparency_logentry)"
LOG_CONSTRAINTS = {
    "log_head_counts": lambda: _head(base=-1),
    "log_head_open_or_closed": lambda: _head(closed_at=None),
    "log_head_one_open": lambda: _head(is_open=True, closed_at=None),
    "log_entry_counts": lambda: _entry(position=-1),
    "log_checkpoint_grows": lambda: _checkpoint(5, 5),
    "log_checkpoint_one_root": _two_checkpoints((5, 3), (5, 4)),
    "log_checkpoint_chain": _two_checkpoints((5, 3), (6, 3)),
}
LOG_UNIQUE = {
    "transparency_logentry.ref": lambda: _entry(
        **one("SELECT ref FROM transparency_logentry WHERE ref IS NOT NULL")
    ),
    "transparency_logkey.vkey": _two_keys,
}
LOG_GUARDS = {
    ("transparency_logentry", "update"): lambda: run(
        f"UPDATE transparency_logentry SET body = '{{}}' WHERE {_LAST}"
    ),
    ("transparency_logentry", "delete"): lambda: run(
        f"DELETE FROM transparency_logentry WHERE {_LAST}"
    ),
    ("transparency_logentry", "replace"): lambda: run(
        "INSERT OR REPLACE INTO transparency_logentry"
        f" SELECT * FROM transparency_logentry WHERE {_LAST}"
    ),
    ("transparency_loghead", "fixed"): lambda: run(
        "UPDATE transparency_loghead SET base = base + 1"
    ),
    ("transparency_loghead", "delete"): _gone_head,
    ("transparency_loghead", "onward"): lambda: run(
        "UPDATE transparency_loghead SET size = size - 1"
    ),
    ("transparency_logcheckpoint", "fixed"): _changed(
        "transparency_logcheckpoint", lambda: _checkpoint(5, 3), "root = 'ff'"
    ),
    ("transparency_logcheckpoint", "delete"): _changed(
        "transparency_logcheckpoint", lambda: _checkpoint(5, 3), ""
    ),
    ("transparency_logkey", "fixed"): _changed("transparency_logkey", _key, "vkey = 'other'"),
    ("transparency_logkey", "delete"): _changed("transparency_logkey", _key, ""),
    ("transparency_loghead", "replace"): lambda: run(
        "INSERT OR REPLACE INTO transparency_loghead SELECT * FROM transparency_loghead"
    ),
    **{
        (table, "replace"): put_again(table, make)
        for table, make in (
            ("transparency_logcheckpoint", lambda: _checkpoint(5, 3)),
            ("transparency_logkey", _key),
        )
    },
}
