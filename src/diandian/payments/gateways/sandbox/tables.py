"""Tables of the sandbox's bank: legs of divided payments, chargebacks, payouts, and their times."""

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
DISPUTES = """
CREATE TABLE IF NOT EXISTS dispute (
    dispute_ref TEXT PRIMARY KEY, payment_no TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), currency TEXT NOT NULL,
    fee_minor INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'open'
) WITHOUT ROWID
"""
PAYOUTS = """
CREATE TABLE IF NOT EXISTS payout (
    payout_ref TEXT PRIMARY KEY, merchant TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), currency TEXT NOT NULL
) WITHOUT ROWID
"""
MOVED = """
CREATE TABLE IF NOT EXISTS moved (
    what TEXT NOT NULL, number TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (what, number)
) WITHOUT ROWID
"""
