"""One address in the environment says how mail is sent; without it none is, and it is said so."""

import json
import os
import subprocess
import sys

import pytest

SHOW = """
import json
from diandian.config import settings as s
names = ["EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD",
         "EMAIL_USE_TLS", "EMAIL_USE_SSL", "DEFAULT_FROM_EMAIL"]
print(json.dumps([getattr(s, name) for name in names]))
"""


def settings_with(tmp_path, url):
    environment = os.environ | {
        "DIANDIAN_EMAIL_URL": url,
        "DIANDIAN_DATA_DIR": str(tmp_path),
        "DIANDIAN_BASE_URL": "https://diandian.example",
    }
    command = [sys.executable, "-c", SHOW]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", ["dummy", "localhost", 25, "", "", False, False]),
        (
            "smtp://me%40example.org:p%3Aw@mail.example.org",
            ["smtp", "mail.example.org", 587, "me@example.org", "p:w", True, False],
        ),
        ("smtps://mail.example.org", ["smtp", "mail.example.org", 465, "", "", False, True]),
        ("smtp+plain://localhost:2525", ["smtp", "localhost", 2525, "", "", False, False]),
    ],
)
def test_an_address_says_how_mail_is_sent(tmp_path, url, expected):
    backend, *rest, sender = json.loads(settings_with(tmp_path, url).stdout)
    assert backend == f"django.core.mail.backends.{expected[0]}.EmailBackend"
    assert rest == expected[1:]
    assert sender == "Diandian <noreply@diandian.example>"


def test_another_kind_of_address_is_refused_at_the_start(tmp_path):
    refused = settings_with(tmp_path, "http://mail.example.org")
    assert refused.returncode
    assert "smtp://" in refused.stderr
    assert "mail.example.org" not in refused.stderr.splitlines()[-1]
