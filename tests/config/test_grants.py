"""On SQLite there are no roles; what PostgreSQL does is proved by tests/simulator/test_role.py."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from diandian.config import grants

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="tests/simulator/test_role.py"),
]


def test_sqlite_has_no_roles_to_give_rights_to(settings):
    assert connection.vendor == "sqlite"
    settings.TEST_MODE = False
    assert grants.advice() == ""
    with pytest.raises(CommandError, match="SQLite knows no roles"):
        call_command("grants", "anybody")
