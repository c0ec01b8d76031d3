"""Takes one check of the product away at a time: a constraint, a trigger, a few lines of code.

Whatever is taken away, the simulator must notice: else the check is not needed, or the simulator
does not look. What it cannot notice is named here with the reason.
"""

from contextlib import contextmanager
from copy import copy
from unittest import mock

from django.apps import apps
from django.db import connection

from diandian.config import guards


def models():
    """Return the models of the house."""
    return [model for model in apps.get_models() if model.__module__.startswith("diandian.")]


def constraints():
    """Return every named constraint, with its model."""
    return {each.name: (model, each) for model in models() for each in model._meta.constraints}


def unique_columns():
    """Return every column that is unique by itself, with its model and field."""
    return {
        f"{model._meta.db_table}.{field.column}": (model, field)
        for model in models()
        for field in model._meta.local_fields
        if field.unique and not field.primary_key
    }


# -- taking away ----------------------------------------------------------------------------------


def drop_constraint(model, constraint):
    """Take a named constraint away, and put the guards up again that SQLite loses over it."""
    left = [each for each in model._meta.constraints if each.name != constraint.name]
    # SQLite makes the table anew, by what the model says.
    with mock.patch.object(model._meta, "constraints", left):
        _alter(lambda editor: editor.remove_constraint(model, constraint))


def drop_unique(model, field):
    """Take away that a column is unique."""

    def alter(editor):
        if connection.vendor == "sqlite":
            to_itself = field.is_relation and field.related_model is model
            plain = field.clone() if to_itself else copy(field)
            plain.set_attributes_from_name(field.name)
            plain.model, plain._unique = model, False
            plain.__dict__.pop("unique", None)  # Django remembers what it was
            editor._remake_table(model, alter_fields=[(field, plain)])
            return
        names = editor._constraint_names(model, [field.column], unique=True, primary_key=False)
        for name in names:
            editor.execute(editor._delete_constraint_sql(editor.sql_delete_unique, model, name))

    _alter(alter)


def _alter(change):
    if connection.vendor == "sqlite":
        guards.remove()
    with connection.schema_editor() as editor:
        change(editor)
    guards.install()


def drop_guard(guard):
    """Take a trigger down."""
    on_table = "" if connection.vendor == "sqlite" else f" ON {guard.table}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {guard.name}{on_table}")


# -- what nobody can show here, and why ---------------------------------------------------------

REDUNDANT = {
    "serial_block_once": "the guard against overlaps refuses the same first serial too, and more",
    "upstream_once": "the guard against overlaps refuses the same first serial too, and more",
    "allocation_fits_its_stride": "the guard 'inside' keeps ranges below hi, lane_fits_its_stride"
    " keeps hi below the stride; it stands for the moments in which guards are lifted",
    "one_genesis_per_lane": "a second genesis at lo has the end_key of the first, which is unique;"
    " elsewhere the guard 'inside' refuses it; it stands for the moments without guards",
    "registry_allocation.end_key": "the chain's foreign key points at it: a database that has the"
    " chain cannot do without it, and PostgreSQL refuses to drop it",
    "order_one_live_per_footprint": "the simulator has no footprints: tests/flows/test_crashes,"
    " tests/concurrency/test_claims and tests/web pay for one trip twice",
}
# On SQLite the guard against REPLACE refuses these keys a second time.
ALSO_REPLACE = {
    "registry_allocation.start_key",
    "transparency_logentry.ref",
    "audit_auditentry.previous_hash",
    "audit_auditentry.entry_hash",
    "ledger_closedday.day",
    "ledger_closedday.previous_sha256",
    "ledger_closedday.sha256",
    "registry_remedy.replacement_id",
}
# Rooms without grams and money: the simulator has no scenes, no footprints and no desks.
_NO_GRAMS = "no grams and no money; proved by the room's own tests"
ELSEWHERE = dict.fromkeys(
    (
        *("membership_once", "people_person.email", "people_signincode.token"),
        *("scene_ends_after_start", "scene_total_positive", "scene_travel_split"),
        *("scene_sponsor_link", "scene_not_inside_itself", "scenes_scene.slug"),
        *("scene_version_once", "scene_one_correction_waits", "scene_version_approved"),
        *("poster_mark_once", "inventory_positive", "measure_shown_once"),
        *("footprint_not_negative", "footprint_parts_fit", "footprints_footprint.token"),
        *("line_part_claimed_once", "claim_not_negative", "inventory_number_once"),
        *("inventory_one_open", "inventory_mass_fits", "site_gram_claimed_once"),
        *("site_claim_positive", "evidence_once", "lighting_once_a_day"),
        *("leaderboards_lighting.source_ref", "leaderboards_hiddenname.guest_key"),
        *("standing_once", "refused_notices_once"),
    ),
    _NO_GRAMS,
)
# Nobody asks for a cancellation here, and boxes of sites are squares.
_REQUESTS = "a request moves no gram: tests/registry/test_requests.py"
_SITES = "ground, not grams: tests/registry/test_ground.py"
_MONEY_BACK = "its bank disputes nothing: tests/payments/test_money_back_rows.py"
ELSEWHERE |= {
    **dict.fromkeys(("dispute_once", "dispute_adds_up"), _MONEY_BACK),
    "money_request_has_an_amount": _MONEY_BACK,
    "money_request_by_two": _MONEY_BACK,
    "money_request_one_waits": _MONEY_BACK,
    "cancellation_by_two": _REQUESTS,
    "cancellation_decided_by_somebody": _REQUESTS,
    "cancellation_has_grams": _REQUESTS,
    "site_box_order": _SITES,
    "site_code_once": _SITES,
    "site_has_area": _SITES,
}
_STATEMENTS = "the simulator has no statements: tests/reconciliation/test_kept.py"
ELSEWHERE |= dict.fromkeys(
    (
        *("gateway_day_once", "gateway_day_closed_whole", "statement_file_once"),
        *("statement_row_once", "match_item_once", "signature_once_a_person"),
        *("gateway_payout_has_an_amount", "gateway_payout_by_two", "gateway_payout_once"),
        *("gateway_payout_bank_line_once", "gateway_payout_undone_by_two"),
    ),
    _STATEMENTS,
)
_SUPPLIERS = "the simulator pays no supplier: tests/settlement/test_kept.py"
ELSEWHERE |= dict.fromkeys(
    (
        *("payee_by_two", "payee_has_a_beginning", "payee_one_waits"),
        *("batch_by_two", "batch_locked_is_sealed", "batch_one_draft", "batch_file_once"),
        *("line_adds_up", "line_claims_are_negative", "line_once_per_order"),
        *("split_positive", "split_one_living", "return_positive", "return_of_a_split"),
        *("settlement_batch.number", "settlement_line.source_ref", "settlement_split.split_no"),
        *("settlement_split.leg_no", "settlement_return.return_no"),
    ),
    _SUPPLIERS,
)
GUARDS_ELSEWHERE = dict.fromkeys(
    ("footprints_inventoryversion", "scenes_sceneversion", "footprints_siteclaim"), _NO_GRAMS
) | {
    "registry_cancellationrequest": _REQUESTS,
    "registry_projectsite": _SITES,
    "payments_moneyrequest": _MONEY_BACK,
    "payments_dispute": _MONEY_BACK,
}
GUARDS_ELSEWHERE |= dict.fromkeys(
    (
        *("reconciliation_statementfile", "reconciliation_statementrow"),
        *("reconciliation_signature", "reconciliation_gatewayday"),
        "reconciliation_gatewaypayout",
    ),
    _STATEMENTS,
)
GUARDS_ELSEWHERE |= dict.fromkeys(
    (
        *("settlement_batchfile", "settlement_payee", "settlement_line"),
        *("settlement_split", "settlement_return"),
    ),
    _SUPPLIERS,
)


@contextmanager
def replaced(target, name, value):
    """Replace a part of the product for a while."""
    with mock.patch.object(target, name, value):
        yield
