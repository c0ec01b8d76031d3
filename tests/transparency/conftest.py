"""A log in a folder of its own, and how to make it grow."""

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction

from diandian.transparency import actions, keys, queries
from diandian.transparency.files import LogFiles, folder_of
from diandian.transparency.heads.signer import Signer
from diandian.verifier.notes import Checkpoint, open_note
from tests.registry.builders import AT

ORIGIN = "log.example/2026"


@dataclass
class World:
    """The log as its operator has it."""

    folder: Path
    signer: Signer = field(default_factory=Signer)
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def grow(self, count):
        bodies = [
            {"type": "freeze", "batch": f"b-{next(self.numbers)}", "reason": "under-review"}
            for _ in range(count)
        ]
        with transaction.atomic():
            return actions.append_many(bodies, at=AT)

    def sign(self, at=AT):
        return self.signer.turn(at=at)

    def restart(self):
        self.signer = Signer()

    @property
    def head(self):
        return queries.open_head()

    @property
    def files(self):
        return LogFiles(folder_of(1))

    def published(self):
        """Return the published head, checked with the log's keys."""
        note = self.files.published()
        text, _ = open_note(note, keys.verifiers(queries.keys_of(queries.heads()[0])))
        return Checkpoint.parse(text)

    def later(self, **times):
        return AT + timedelta(**times)


@pytest.fixture
def log(db, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.KEYS_DIR = tmp_path / "keys"
    settings.LOG_ORIGIN = ORIGIN
    settings.LOG_WITNESSES = ""
    return World(tmp_path / "log")
