"""Write the published description anew, after a wanted change of the API."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

from tests.doors.test_api_contract import SNAPSHOT, as_text, description  # noqa: E402

SNAPSHOT.write_text(as_text(description()), encoding="utf-8")
