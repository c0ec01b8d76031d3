"""Where a history plays: a fresh copy of the database for each, a bank, a clock that stands still.

On SQLite the copy is a file, on PostgreSQL a database made from a template; neither is migrated
anew. The line to the bank can lose a question or an answer.
"""

import itertools
import logging
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from unittest import mock

import time_machine
from django.db import connection
from django.test import override_settings

from diandian.certificates.record import build
from diandian.flows import allocator, fulfil, issuance
from diandian.kernel.memory import Memory
from diandian.payments import merchants
from diandian.payments.gateways.sandbox.gateway import GATEWAY, peer_of
from tests.simulator.crash import drop_connection

NOON = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PROJECTS = ("sun", "wind")
# What a recall may take its replacements from is a matter of programme and kind.
GROUND = ("grove", "copse")
KINDS = {"sun": "solar", "wind": "wind", "shade": "solar"}
PRICE_PER_TONNE_MINOR = {"sun": 6000, "wind": 7250, "shade": 6601}


class LostError(Exception):
    """What a library throws when an answer does not come."""


class Line:
    """The line to the bank. ``fault``: of the next call, "before" or "after" the bank did it."""

    _CALLS = ("create_payment", "query_payment", "close_payment", "refund", "query_refund")

    def __init__(self):
        self.fault = ""

    def __getattr__(self, name):
        real = getattr(GATEWAY, name)
        if name not in self._CALLS:
            return real

        def call(*args, **kwargs):
            fault, self.fault = self.fault, ""
            if fault == "before":
                raise LostError
            answer = real(*args, **kwargs)
            if fault == "after":
                raise LostError
            return answer

        return call


class Stage:
    """The world of one history at a time. Use as a context; ``fresh`` begins a new history."""

    def __init__(self):
        self._numbers = itertools.count(1)
        self._spent = []
        self._held = ExitStack()

    def __enter__(self):
        self.folder = Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix="sim-")))
        self._clock = self._held.enter_context(time_machine.travel(NOON, tick=False))
        self._held.enter_context(override_settings(KEYS_DIR=self.folder / "keys"))
        self.line = Line()
        line = mock.patch.object(merchants, "gateway_of", return_value=self.line)
        self._held.enter_context(line)
        # Nobody waits in real time for a clock that stands still.
        self._held.enter_context(mock.patch.object(allocator, "time", mock.Mock()))
        self._held.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.CRITICAL)
        # Orders whose certificate cannot be made, by number, as long as they stand here.
        self.poisoned = set()
        self._held.enter_context(mock.patch.object(fulfil, "build", self._build))
        self._bank_settings = None
        self._name = connection.settings_dict["NAME"]
        self._make_template()
        return self

    def __exit__(self, *failure):
        self._leave_copy()
        if connection.vendor == "postgresql":
            with _maintenance() as cursor:
                for name in (*self._spent, self._template):
                    cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._held.__exit__(*failure)
        Memory.forget_everything()

    def _build(self, facts):
        if int(facts.retirement.source_ref.split(":")[1]) in self.poisoned:
            raise RuntimeError("poison")
        return build(facts)

    # -- copies ---------------------------------------------------------------------------------

    def _make_template(self):
        self._copy = ""
        if connection.vendor == "sqlite":
            _checkpoint()
            self._template = str(self.folder / "template.sqlite3")
            shutil.copy(self._name, self._template)
        else:
            self._first = self._template = f"{self._name}_sim"[-55:]
            _copy_database(self._name, self._template)
        _use(self._template)
        _furnish()
        if connection.vendor == "sqlite":
            _checkpoint()
        _use(self._name)

    def fresh(self):
        """Begin a new history: the copy before goes, and so do its bank and its time."""
        self._leave_copy()
        number = next(self._numbers)
        if connection.vendor == "sqlite":
            self._copy = str(self.folder / f"{number}.sqlite3")
            shutil.copy(self._template, self._copy)
        else:
            self._copy = f"{self._first}{number}"
            _copy_database(self._template, self._copy)
        _use(self._copy)
        self._bank_settings = override_settings(SANDBOX_STORE=self.folder / f"{number}.bank")
        self._bank_settings.enable()
        self.peer = peer_of(merchants.context_for("sandbox"))
        self._clock.move_to(NOON)
        self.poisoned.clear()
        self.line.fault = ""
        Memory.forget_everything()

    def keep(self):
        """Let later histories begin where this one stands now."""
        copy, self._copy = self._copy, ""
        if connection.vendor == "sqlite":
            _checkpoint()
            self._template = copy
        else:
            self._spent.append(self._template)
            self._template = copy

    def back_up(self):
        """Keep a copy of the database as it is now; on SQLite only."""
        _checkpoint()
        kept = f"{self._copy}.kept"
        shutil.copy(self._copy, kept)
        return kept

    def bring_back(self, kept):
        """Put a copy in the place of the database; all processes start anew."""
        connection.close()
        for suffix in ("-wal", "-shm"):
            Path(self._copy + suffix).unlink(missing_ok=True)
        shutil.copy(kept, self._copy)
        self.restart()

    def _leave_copy(self):
        if self._bank_settings is not None:
            self.peer.hang_up()
            self._bank_settings.disable()
            self._bank_settings = None
        _use(self._name)
        if not self._copy:
            return
        if connection.vendor == "sqlite":
            for suffix in ("", "-wal", "-shm"):
                Path(self._copy + suffix).unlink(missing_ok=True)
        else:
            with _maintenance() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{self._copy}" WITH (FORCE)')
        self._copy = ""

    # -- time and death -------------------------------------------------------------------------

    @property
    def now(self):
        return datetime.now(UTC)

    def later(self, delta: timedelta):
        self._clock.shift(delta)
        Memory.forget_everything()

    def restart(self):
        """Come back after a death: nothing is remembered, and the line is whole."""
        drop_connection()
        self.line.fault = ""
        Memory.forget_everything()


def _use(name):
    connection.close()
    drop_connection()
    connection.settings_dict["NAME"] = name


def _checkpoint():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


@contextmanager
def _maintenance():
    connection.close()
    with connection._nodb_cursor() as cursor:
        yield cursor


def _copy_database(template, copy):
    with _maintenance() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{template}"')


def _texts(text):
    return {"zh-Hans": text, "en": text, "nl": text}


def _furnish():
    """Enter a programme and its projects at prices; their credits come in the histories."""
    programme = issuance.open_programme(
        code="SIM",
        names=_texts("Simulated programme"),
        level="national",
        is_simulated=True,
        actor_ref="simulator",
    )
    for position, (code, kind) in enumerate((KINDS | dict.fromkeys(GROUND, "forest")).items()):
        issuance.open_project(
            programme=programme,
            code=code,
            names=_texts(code),
            category_names=_texts("Solar"),
            place_names=_texts("Sichuan"),
            descriptions=_texts("Sample"),
            supplier_names=_texts("Supplier"),
            supplier_ref=f"supplier-{code}",
            kind=kind,
            methodology_code="M-1",
            country="CN",
            region="CN-SC",
            latitude=Decimal("30.5"),
            longitude=Decimal("104.1"),
            actor_ref="simulator",
        )
        if code in GROUND:
            continue  # their trees have not grown yet
        issuance.put_on_sale(
            project_code=code,
            price_per_tonne_minor=PRICE_PER_TONNE_MINOR[code],
            position=position,
            actor_ref="simulator",
        )


PERIOD = (date(2025, 1, 1), date(2025, 12, 31))
