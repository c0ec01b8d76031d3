"""What the guards keep: rows and columns that stay, and conditions that no constraint can say.

*Source:* design of the registry, sections 2 (R1, R2, R4, R5, R10) and 3.2.
"""

# Rows that are written once; SQLite replaces rows without asking a DELETE trigger, so keys that a
# REPLACE could collide with are named here (rows with others pointing at them need only the id).
APPEND_ONLY = {
    "registry_serialblock": ("id",),
    "registry_retirement": ("id",),
    "registry_allocation": ("id", "end_key", "start_key"),
    "registry_remedy": ("id", "replacement_id"),
    "registry_upstreamretirement": ("id",),
    "ledger_journal": ("id",),
    "ledger_transfer": ("id",),
    "ledger_closedday": ("id", "day", "previous_sha256", "sha256"),
    "ledger_ledgercheckpoint": ("id",),
    "ledger_salesswitch": ("id",),
    "audit_auditentry": ("id", "entry_hash", "previous_hash"),
    "transparency_logentry": ("position", "ref"),
    "reconciliation_statementfile": ("id",),
    "reconciliation_statementrow": ("id",),
    "reconciliation_signature": ("id",),
    "settlement_batchfile": ("id",),
}
# Columns that stay as they were written; the rest of the row may change. The row itself stays.
FIXED_COLUMNS = {
    "registry_creditbatch": (
        "project_id",
        "serial_block_id",
        "vintage_year",
        "total_g",
        "source_ref",
        "period_start",
        "period_end",
        "site_id",
    ),
    "registry_projectsite": (
        *("project_id", "code", "corners", "west", "south", "east", "north", "area_m2"),
        *("boundary_digest", "species_names", "planted_on", "methodology_code", "entered_at"),
        "monitoring_plan",
    ),
    "registry_cancellationrequest": (
        *("batch_id", "mass_g", "reason", "note", "asked_by", "asked_at"),
    ),
    "payments_moneyrequest": (
        *("kind", "payment_id", "amount_minor", "reason", "evidence", "asked_by", "asked_at"),
    ),
    # Its amount changes only with all that is booked of it (X9).
    "payments_dispute": ("payment_id", "dispute_ref", "opened_at"),
    "registry_lane": ("batch_id", "kind", "lo", "hi"),
    "transparency_loghead": ("origin", "base", "opened_at"),
    # Witnesses add their signatures later.
    "transparency_logcheckpoint": ("head_id", "size", "previous_size", "root", "note", "signed_at"),
    "transparency_logkey": ("head_id", "vkey", "active_from"),
    # An account is changed by a new row that two people stand behind, and by nothing else.
    "settlement_payee": (
        *("supplier_ref", "kind", "gateway", "detail", "proposed_by", "proposed_at"),
    ),
    # Its way may change once, to a bank: what no gateway divides (decision 0054).
    "settlement_line": (
        *("source_ref", "owner_ref", "kind", "supplier_ref", "payment_no", "settlement"),
        *("currency", "gross_minor", "fee_minor", "vat_minor", "supplier_minor", "booked_on"),
    ),
    "settlement_split": ("split_no", "leg_no", "line_id", "receiver", "amount_minor"),
    "settlement_return": ("return_no", "line_id", "way", "amount_minor", "refund_minor", "cause"),
    # Who found it at the bank is written later.
    "reconciliation_gatewaypayout": (
        *("gateway", "mode", "account", "payout_ref", "is_return", "amount_minor", "currency"),
        *("paid_on", "asked_by", "asked_at"),
    ),
    # Erasing a name signs the document anew, under the next number: ``RESIGNED``.
    "certificates_certificate": ("code", "retirement_id", "order_ref", "design", "issued_at"),
    "registry_recall": (
        "public_id",
        "batch_id",
        "start_g",
        "end_g",
        "kind",
        "reason",
        "texts",
        "opened_by",
        "opened_at",
    ),
}
# Rows of ``FIXED_COLUMNS`` that may go, under the name ``other``: erasing a name leaves the newest
# version of a certificate alone, and that one stays.
MAY_GO = {
    "certificates_certificate": (
        "EXISTS (SELECT 1 FROM certificates_certificate other WHERE other.code = OLD.code"
        " AND other.version > OLD.version)"
    ),
}
# Numbers that only grow, and how a database says that one did not.
ONWARD = {
    "registry_lane": ("cursor", "a cursor never goes back"),
    "transparency_loghead": ("size", "a log never shrinks"),
}
# References of rows that are written by the hundred: looked up once a statement, where a foreign
# key looks row by row and locks what it found. What they refer to is itself never deleted.
BELONGS = {
    "ledger_transfer": (("journal_id", "ledger_journal"),),
    "registry_retirement": (("project_id", "registry_project"),),
    "registry_beneficiary": (("retirement_id", "registry_retirement"),),
    "registry_allocation": (("retirement_id", "registry_retirement"),),
}
OVERLAP = (
    "other.programme_id = NEW.programme_id AND other.prefix = NEW.prefix"
    " AND other.first <= NEW.last AND other.last >= NEW.first"
)
RETIRED_TWICE = (
    "EXISTS (SELECT 1 FROM registry_upstreamretirement other WHERE other.batch_id = NEW.batch_id"
    " AND other.first_serial <= NEW.last_serial AND other.last_serial >= NEW.first_serial)"
)
RESIGNED = (
    "NEW.version < OLD.version OR (NEW.version = OLD.version AND"
    " (NEW.sha256 <> OLD.sha256 OR NEW.credential <> OLD.credential))"
    " OR (OLD.state <> 'current' AND NEW.state <> OLD.state)"
)
SIGNED = "a signed certificate stays as it was signed"
# A range lies in the used part of its lane: the cursor moves first. Buffers serve reversals only.
OUTSIDE = (
    "lane.id IS NULL OR fresh.start_g < lane.lo OR fresh.end_g > lane.cursor"
    " OR (fresh.kind = 'genesis' AND fresh.start_g <> lane.lo)"
    " OR (fresh.kind <> 'genesis' AND (fresh.kind = 'reversal') <> (lane.kind = 'buffer'))"
)
# Rows that may be written anew until something was decided: an inventory and a gateway's day until
# they are closed, a scene's version until it was in force.
CLOSED = {
    "footprints_inventoryversion": ("OLD.closed_at IS NOT NULL", "a closed inventory stays"),
    "scenes_sceneversion": ("OLD.number IS NOT NULL", "a version of a scene stays"),
    "reconciliation_gatewayday": ("OLD.closed_at IS NOT NULL", "a closed day of a gateway stays"),
}
CLAIMED = (
    "EXISTS (SELECT 1 FROM footprints_siteclaim other WHERE other.scene_id = NEW.scene_id"
    " AND other.line_key = NEW.line_key AND other.start_g < NEW.start_g + NEW.mass_g"
    " AND other.start_g + other.mass_g > NEW.start_g)"
)
# A booking on a closed day; whoever closes a day first waits for those that are under way there.
CLOSED_DAY = "a day of the books that is closed stays"
BACK_ON_SALE = "OLD.state = 'recalled' AND NEW.state <> 'recalled'"
