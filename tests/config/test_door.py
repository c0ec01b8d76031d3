"""What stands at the door of every page: headers, cookies, and what production refuses."""

import pytest
from django.core.checks import Tags, run_checks
from django.http import HttpResponse
from django.test import RequestFactory

from diandian.config import checks
from diandian.config.middleware import LanguageMiddleware
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
