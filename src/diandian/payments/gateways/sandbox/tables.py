"""Tables of the sandbox's bank that the legs of divided payments stand in."""

LEGS = """
CREATE TABLE IF NOT EXISTS leg (
    leg_no TEXT PRIMARY KEY, split_no TEXT NOT NULL, payment_no TEXT NOT NULL,
    receiver TEXT NOT NULL, amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    state TEXT NOT NULL, back_minor INTEGER NOT NULL DEFAULT 0,
    CHECK (back_minor BETWEEN 0 AND amount_minor)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS leg_of_payment ON leg (payment_no);
CREATE TABLE IF NOT EXISTS reversal (
    reversal_no TEXT PRIMARY KEY, leg_no TEXT NOT NULL, amount_minor INTEGER NOT NULL
) WITHOUT ROWID;
"""
