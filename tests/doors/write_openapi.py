"""Write the published description anew, after a wanted change of the API."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

from tests.doors.test_api_contract import SNAPSHOT, as_text, described  # noqa: E402

SNAPSHOT.write_text(as_text(described()), encoding="utf-8")
