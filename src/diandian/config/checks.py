"""System checks: what must be in place before anything is served."""

from collections.abc import Sequence

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution

from diandian.config import grants, guards

_MODES = ("demo", "production")


@register(Tags.database)
def guards_in_place(*, databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Report each guard trigger that is missing from a database that was asked for."""
    return [
        Error(
            f"The guard {name} is missing: rows that are for ever could be changed.",
            hint="Run: diandian migrate --skip-checks. Then find out who removed it.",
            id="diandian.E001",
        )
        for alias in databases or ()
        for name in guards.missing(alias)
    ]


@register(Tags.database)
def role_is_modest(*, databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Warn in production when the role that serves could undo what is for ever."""
    found = (grants.advice(alias) for alias in databases or ())
    return [Caution(text, id="diandian.W003") for text in found if text]


def unsafe_settings() -> list[str]:
    """Name each setting with which production must not start; a demo may have them all."""
    if settings.MODE not in _MODES:
        return [f"DIANDIAN_MODE is {settings.MODE!r}, not one of: {', '.join(_MODES)}"]
    if settings.MODE != "production":
        return []
    wrong = {
        "DIANDIAN_SECRET_KEY is not set: nothing signed would outlast a restart": (
            not settings.SECRET_KEY_IS_LASTING
        ),
        "DIANDIAN_DEBUG is on: errors would show how we are built": settings.DEBUG,
        "DIANDIAN_BASE_URL is not https: links and cookies would travel in the open": (
            not settings.BASE_URL.startswith("https://")
        ),
        "DIANDIAN_ALLOWED_HOSTS answers to any name": "*" in settings.ALLOWED_HOSTS,
    }
    return [reason for reason, is_so in wrong.items() if is_so]


@register(Tags.security)
def production_is_safe(**_: object) -> list[CheckMessage]:
    """Report each setting that production refuses."""
    return [Error(reason, id="diandian.E002") for reason in unsafe_settings()]


def require_safe_settings() -> None:
    """Refuse to serve with unsafe settings. Raises: RuntimeError naming each."""
    if wrong := unsafe_settings():
        raise RuntimeError("; ".join(wrong) + ". See docs/reference/settings.md")
