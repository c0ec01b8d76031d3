"""What stands at the door of every page: headers, cookies, and what production refuses."""

import io
import json
import logging
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.checks import Tags, run_checks
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.module_loading import import_string

from diandian.config import checks
from diandian.config import settings as product
from diandian.config.middleware import LanguageMiddleware, SecurityHeadersMiddleware
from diandian.payments import gateway as port
from diandian.payments import merchants
from diandian.payments.gateways.sandbox.gateway import GATEWAY, SandboxGateway
from diandian.web import guest


def answered(path="/", vary=""):
    response = HttpResponse()
    if vary:
        response["Vary"] = vary
    return LanguageMiddleware(lambda _: response)(RequestFactory().get(path))


@pytest.mark.parametrize("vary", ["", "HX-Request", "Cookie"])
def test_every_page_says_that_it_differs_by_language(vary):
    said = {part.strip() for part in answered(vary=vary)["Vary"].split(",")}
    assert said >= {"Accept-Language", "Cookie"} | ({vary} if vary else set())


@pytest.mark.parametrize("secure", [True, False])
def test_cookies_are_secure_behind_a_proxy_that_speaks_https(settings, secure):
    settings.SESSION_COOKIE_SECURE = secure
    chosen = answered("/?lang=nl")
    assert bool(chosen.cookies["lang"]["secure"]) is secure
    response = HttpResponse()
    guest.remember(RequestFactory().get("/"), response, "key")
    assert bool(response.cookies[guest.COOKIE]["secure"]) is secure


@pytest.fixture
def production(settings):
    settings.MODE = "production"
    settings.SECRET_KEY_IS_LASTING = True
    settings.HIGH_WATER = "/somewhere/else/high-water"
    settings.BASE_URL = "https://diandian.example"
    settings.ALLOWED_HOSTS = ["diandian.example"]
    return settings


def test_production_starts_with_safe_settings(production):
    checks.require_safe_settings()
    assert run_checks(tags=[Tags.security]) == []


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("SECRET_KEY_IS_LASTING", False, "DIANDIAN_SECRET_KEY"),
        ("DEBUG", True, "DIANDIAN_DEBUG"),
        ("BASE_URL", "http://diandian.example", "DIANDIAN_BASE_URL"),
        ("ALLOWED_HOSTS", ["*"], "DIANDIAN_ALLOWED_HOSTS"),
        ("MODE", "prod", "DIANDIAN_MODE"),
    ],
)
def test_production_refuses_each_unsafe_setting(production, name, value, named):
    setattr(production, name, value)
    with pytest.raises(RuntimeError, match=named):
        checks.require_safe_settings()
    (error,) = run_checks(tags=[Tags.security])
    assert (error.id, named in error.msg) == ("diandian.E002", True)


def test_a_demo_may_be_as_open_as_it_likes(settings):
    settings.MODE, settings.ALLOWED_HOSTS, settings.DEBUG = "demo", ["*"], True
    checks.require_safe_settings()


@pytest.mark.django_db
def test_no_page_stumbles_over_a_character_that_nobody_types(client):
    for path in ("/register", "/register.csv", "/scenes", "/s/x/go", "/v", "/board"):
        assert client.get(path, {"holder": "a\x00", "from": "\x00"}).status_code == 400
    assert client.post("/me", {"do": "\x00"}).status_code == 400
    assert client.get("/register", {"holder": "a"}).status_code == 200


@pytest.mark.django_db
def test_no_page_takes_another_method_for_a_question(client):
    for path in ("/register", "/books", "/", "/host", "/admin/"):
        for method in ("PUT", "DELETE", "PATCH", "TRACE", "BREW"):
            answer = client.generic(method, path)
            assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST, OPTIONS"), path
        assert client.head(path).status_code in {200, 302}
    unknown = client.put("/api/v1/projects")
    assert (unknown.status_code, unknown["Content-Type"]) == (405, "application/problem+json")


@pytest.mark.django_db
def test_a_program_whose_address_has_too_many_fields_is_told_in_its_form(client):
    flood = "&".join(f"a{number}=1" for number in range(2_000))
    answer = client.get(f"/api/v1/projects?{flood}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["code"] == "unreadable"
    assert client.get(f"/register?{flood}")["Content-Type"].startswith("text/html")


FORM = "application/x-www-form-urlencoded"


@pytest.mark.django_db
def test_no_field_that_comes_twice_hides_such_a_character(client):
    for asked in ("holder=%00&holder=a", "holder=a&holder=%00", "a%00=1"):
        assert client.get(f"/register?{asked}").status_code == 400, asked
    assert client.post("/me", "do=%00&do=a", content_type=FORM).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/host/sign-in", "/admin/login/", "/me"])
def test_a_form_that_cannot_be_read_is_refused_in_words(client, path):
    # The browser has been at a desk before, so that Django looks for the token's twin.
    client.cookies["csrftoken"] = "x" * 32
    client.raise_request_exception = False
    answer = client.post(path, b"a=1", content_type=f"{FORM}; charset=utf-16")
    assert answer.status_code == 400
    for words in ("什么都没有改变", "Nothing was changed", "Er is niets veranderd"):
        assert words in answer.text


@pytest.fixture
def console():
    """Return what is written to the console from here on."""
    (handler,) = [each for each in logging.getLogger().handlers if each.name == "console"]
    before = handler.setStream(io.StringIO())
    yield handler.stream
    handler.setStream(before)


@pytest.mark.django_db
@pytest.mark.parametrize("send", ["get", "post"])
@pytest.mark.parametrize("path", ["/", "/retire", "/admin/", "/s/x/go", "/api/v1/scenes"])
def test_thousands_of_fields_are_refused_in_one_line_of_the_log(client, console, send, path):
    fields = {f"field{number}": "1" for number in range(3000)}
    assert 400 <= getattr(client, send)(path, fields).status_code < 500
    assert len(console.getvalue().splitlines()) <= 1


@pytest.mark.django_db
def test_the_line_says_what_was_refused(client, console):
    assert client.get("/", {f"field{number}": "1" for number in range(3000)}).status_code == 400
    assert "TooManyFieldsSent" in console.getvalue()


def read_settings(**environment):
    """Return what a process with this environment makes of its settings."""
    names = "BASE_URL", "CSRF_TRUSTED_ORIGINS", "SECURE_PROXY_SSL_HEADER", "SESSION_COOKIE_SECURE"
    program = (
        "import json; from diandian.config import settings as s;"
        f"print(json.dumps({{n: getattr(s, n, None) for n in {names!r}}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_the_header_of_the_proxy_is_believed_only_where_it_is_named():
    assert read_settings()["SECURE_PROXY_SSL_HEADER"] is None
    found = read_settings(DIANDIAN_PROXY_TLS_HEADER="X-Forwarded-Proto")
    assert found["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]


def test_the_desk_believes_forms_of_the_address_that_guests_use():
    found = read_settings(DIANDIAN_BASE_URL="https://diandian.example/")
    assert found["BASE_URL"] == "https://diandian.example"
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://diandian.example"]
    assert found["SESSION_COOKIE_SECURE"] is True


def policy_of():
    answer = SecurityHeadersMiddleware(lambda _: HttpResponse())(RequestFactory().get("/"))
    return answer["Content-Security-Policy"]


class _Elsewhere(SandboxGateway):
    key = "elsewhere"
    pay_origins = ("https://pay.example", "https://app.pay.example:8443")


def test_forms_lead_to_the_gateways_in_use_and_nowhere_else(settings, monkeypatch):
    both = {"sandbox": GATEWAY, "elsewhere": _Elsewhere()}
    monkeypatch.setattr(merchants, "gateways", lambda: both)
    assert "form-action 'self';" in policy_of()
    settings.GATEWAYS = ["sandbox", "elsewhere"]
    assert "form-action 'self' https://app.pay.example:8443 https://pay.example;" in policy_of()


@pytest.mark.parametrize(
    "origin", ["http://pay.example", "https://pay.example/go", "https://*", "https://a; x", "*"]
)
def test_a_gateway_names_origins_and_nothing_else(monkeypatch, origin):
    class Odd(SandboxGateway):
        pay_origins = (origin,)

    module = SimpleNamespace(GATEWAY=Odd())
    monkeypatch.setattr(port, "plug_in_modules", lambda *_: [("sandbox", module)])
    with pytest.raises(TypeError, match="pay_origins"):
        port.gateways.__wrapped__()


def test_other_sites_learn_our_name_and_never_a_secret_link():
    answer = SecurityHeadersMiddleware(lambda _: HttpResponse())(RequestFactory().get("/o/secret"))
    assert answer["Referrer-Policy"] == "strict-origin-when-cross-origin"


def test_passwords_are_kept_by_argon2_at_its_full_cost():
    kept = import_string(product.PASSWORD_HASHERS[0])()
    assert type(kept) is Argon2PasswordHasher
    encoded = kept.encode("correct horse", kept.salt())
    assert kept.verify("correct horse", encoded)
    assert not kept.verify("correct house", encoded)
    assert not kept.must_update(encoded)
    assert kept.decode(encoded)["memory_cost"] >= 65_536
