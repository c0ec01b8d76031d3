"""What every request passes: headers, language, origin check, typed text, sessions for desks."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import BadRequest
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    JsonResponse,
)
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers
from isal import igzip

from diandian.config import urls
from diandian.payments import merchants

Handler = Callable[[HttpRequest], HttpResponseBase]

LANGUAGE_COOKIE = "lang"
_SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
_OPERATOR = "/admin/"
_DESKS = (_OPERATOR, "/host/")
_DESK_DOORS = {"/host"}
_ACCEPTED = re.compile(r"([A-Za-z]{2,3})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=([0-9.]+))?")


def is_desk(path: str) -> bool:
    """Tell whether an address belongs to a signed-in desk."""
    return path.startswith(_DESKS) or path in _DESK_DOORS


class SecurityHeadersMiddleware:
    """Adds the headers that close what the pages do not need."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        # Browsers follow a form only where it says so, also when our answer leads on.
        forms = " ".join(["form-action 'self'", *merchants.pay_origins()])
        self.policy = settings.CONTENT_SECURITY_POLICY_TEXT.replace("form-action 'self'", forms)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request with the headers set."""
        response = self.get_response(request)
        headers = response.headers
        # Django admin brings inline styles of its own; only signed-in operators see it.
        policy = self.policy
        if request.path.startswith(_OPERATOR):
            policy = policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
                "script-src 'self'", "script-src 'self' 'unsafe-inline' 'unsafe-eval'"
            )
        headers.setdefault("Content-Security-Policy", policy)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("X-Frame-Options", "DENY")
        # Secret links (orders, results) must not travel to other sites; our name must: the pages of
        # some gateways open only for visitors who come from the site that was registered there.
        headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault(
            "Permissions-Policy", "geolocation=(), camera=(), microphone=(), payment=()"
        )
        if settings.SECURE_HSTS_SECONDS:
            headers.setdefault(
                "Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}"
            )
        return response


@lru_cache(maxsize=64)
def _compressed(content: bytes) -> bytes:
    """Return an answer's body gzipped; pages that many get within a second come here often."""
    return igzip.compress(content, compresslevel=1, mtime=0)


class CompressMiddleware:
    """Compresses text answers: a seventh of zlib's time for five per cent more bytes."""

    minimum_bytes = 860

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, gzipped when the browser takes it and the body is text of some length."""
        response = self.get_response(request)
        if (
            not isinstance(response, HttpResponse)
            or response.has_header("Content-Encoding")
            or len(response.content) < self.minimum_bytes
            or not response.get("Content-Type", "").startswith(
                ("text/", "application/json", "image/svg")
            )
        ):
            return response
        vary = response.get("Vary", "")
        response["Vary"] = f"{vary}, Accept-Encoding" if vary else "Accept-Encoding"
        if "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", ""):
            response.content = _compressed(response.content)
            response["Content-Encoding"] = "gzip"
            response["Content-Length"] = str(len(response.content))
        return response


def language_of(request: HttpRequest) -> str:
    """Return the language to speak: forced by ``?lang=``, chosen, the browser's, zh-Hans."""
    known = {code.lower(): code for code, _ in settings.LANGUAGES}
    for wanted in (request.GET.get("lang", ""), request.COOKIES.get(LANGUAGE_COOKIE, "")):
        if wanted.lower() in known:
            return known[wanted.lower()]
    best, best_weight = "", 0.0
    for part in request.META.get("HTTP_ACCEPT_LANGUAGE", "")[:200].split(","):
        match = _ACCEPTED.match(part.strip())
        if not match:
            continue
        primary = {"zh": "zh-hans"}.get(match[1].lower(), match[1].lower())
        try:
            weight = float(match[2] or 1)
        except ValueError:
            continue
        if primary in known and weight > best_weight:
            best, best_weight = primary, weight
    return best or "zh-hans"


class LanguageMiddleware:
    """Speaks the visitor's language and remembers a forced choice for a year."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer in the language of ``language_of``."""
        language = language_of(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        try:
            response = self.get_response(request)
        finally:
            translation.deactivate()
        if not request.path.startswith("/api/"):
            response.headers.setdefault(
                "Content-Language", "zh-Hans" if language == "zh-hans" else language
            )
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        chosen = request.GET.get("lang", "").lower() == language
        if chosen and not request.path.startswith("/api/"):
            response.set_cookie(
                LANGUAGE_COOKIE,
                language,
                max_age=31_536_000,
                samesite="Lax",
                # By the address that guests use: behind a proxy the request itself looks plain.
                secure=settings.SESSION_COOKIE_SECURE or request.is_secure(),
            )
        return response


class SameOriginMiddleware:
    """Refuses writes that another site's page sends.

    What a link may do is in the link; the one cookie with a right (``guest``, for /me) is
    ``SameSite=Lax``. So instead of a CSRF cookie, which some in-app browsers refuse, the browser's
    own ``Sec-Fetch-Site`` and ``Origin`` decide. Requests without either come from programs.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or refuse a cross-site write with 403."""
        if request.method in _SAFE or self._is_ours(request):
            return self.get_response(request)
        if request.path.startswith("/api/"):
            return JsonResponse(
                {
                    "type": "about:blank",
                    "title": "This write came from another site. Nothing was done.",
                    "status": 403,
                    "code": "cross_site",
                },
                status=403,
                content_type="application/problem+json",
            )
        return render(request, "ui/403.html", status=403)

    @staticmethod
    def _is_ours(request: HttpRequest) -> bool:
        site = request.META.get("HTTP_SEC_FETCH_SITE")
        if site is not None:
            return site in {"same-origin", "none"}
        origin = request.META.get("HTTP_ORIGIN")
        if origin is None:
            return True
        try:
            return bool(urlsplit(origin).netloc == request.get_host())
        except ValueError:
            return False  # no browser sends what cannot be read


class MethodsMiddleware:
    """Refuses what no page does: a view that only reads would answer PUT as if it were GET.

    The API says so itself, address by address.
    """

    allowed = ("GET", "HEAD", "POST", "OPTIONS")

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or refuse with 405."""
        if request.method not in self.allowed and not request.path.startswith("/api/"):
            return HttpResponseNotAllowed(self.allowed)
        return self.get_response(request)


class TypedTextMiddleware:
    """Refuses NUL in addresses and forms: nobody types it, and PostgreSQL holds no such text.

    The API says so itself, in its own form.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or refuse with 400. Raises: BadRequest."""
        if not request.path.startswith("/api/"):
            sent = [request.GET, request.POST] if request.method == "POST" else [request.GET]
            # A name may come more than once, and ``values`` would tell of the last one only.
            texts = (text for form in sent for name, all_ in form.lists() for text in (name, *all_))
            if any("\x00" in text for text in texts):
                raise BadRequest("NUL in an address or a form")
        return self.get_response(request)


class LaterMiddleware:
    """Sends a request below an address of ``urls.LATER`` to the site that has its pages."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer by the addresses of that site, which is loaded at the first such request."""
        for start, addresses in urls.LATER.items():
            if request.path.startswith(start):
                request.urlconf = addresses
        return self.get_response(request)


class DeskMiddleware:
    """Sessions, users, messages and Django's CSRF check: for the signed-in desks only."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.desk = SessionMiddleware(
            AuthenticationMiddleware(MessageMiddleware(_CsrfInside(get_response)))
        )

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer through the desk chain below the desk addresses, plainly elsewhere."""
        if is_desk(request.path):
            return cast("HttpResponseBase", self.desk(request))
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponseBase],
        args: object,
        kwargs: object,
    ) -> HttpResponseBase | None:
        """Run Django's CSRF check for desk pages, which rely on a session cookie."""
        if is_desk(request.path):
            return _CSRF.process_view(request, view, args, kwargs)  # type: ignore[arg-type]
        return None


class _CsrfInside:
    """Lets Django's CSRF middleware read and set its cookie around the answer."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        _CSRF.process_request(request)
        response = self.get_response(request)
        return _CSRF.process_response(request, response)


_CSRF = CsrfViewMiddleware(lambda _: HttpResponse())
