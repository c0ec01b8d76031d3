"""System checks: what must be in place before anything is served."""

from collections.abc import Sequence

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.db import DatabaseError

from diandian.config import grants, guards
from diandian.payments import merchants
from diandian.payments import queries as payment_queries
from diandian.registry.batches import lookups
from diandian.transparency.rules import name_fault

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


@register(Tags.database)
def role_has_its_rights(
    *, databases: Sequence[str] | None = None, **_: object
) -> list[CheckMessage]:
    """Warn when the role that serves lacks a right, as after a migration."""
    found = (grants.behind(alias) for alias in databases or ())
    return [Caution(text, id="diandian.W004") for text in found if text]


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


@register(Tags.database)
def database_is_of_this_mode(
    *, databases: Sequence[str] | None = None, **_: object
) -> list[CheckMessage]:
    """Refuse test payments or samples in production, and live payments in a demo."""
    found = wrong_database() if databases else []
    return [Error(reason, id="diandian.E005") for reason in found]


def wrong_database() -> list[str]:
    """Say what in the database belongs to another mode; nothing for one without tables yet."""
    mode, other = ("demo", "live") if settings.TEST_MODE else ("production", "test")
    try:
        seen = other in payment_queries.modes_seen()
        samples = not settings.TEST_MODE and lookups.has_samples()
    except DatabaseError:
        return []  # not migrated yet: the guards say so
    wrong = {
        f"The database holds {other} payments, and DIANDIAN_MODE is {mode}. Nothing was started."
        " Live and test never share a database: give this mode one of its own.": seen,
        "The database holds sample credits, and DIANDIAN_MODE is production. Nothing was started."
        " Nobody may buy samples: give production a database of its own.": samples,
    }
    return [reason for reason, is_so in wrong.items() if is_so]


def require_database_of_this_mode() -> None:
    """Refuse to serve from the database of another mode. Raises: RuntimeError."""
    if wrong := wrong_database():
        raise RuntimeError(" ".join(wrong))


@register(Tags.security)
def payments_can_begin(**_: object) -> list[CheckMessage]:
    """Report each fault of the merchants' file and of what it sets up."""
    return [Error(fault, id="diandian.E004") for fault in merchants.set_up_faults()]


@register(Tags.security)
def backups_are_noticed(**_: object) -> list[CheckMessage]:
    """Warn in production when nothing outside the data folder knows how far the log was signed."""
    if settings.MODE != "production" or settings.HIGH_WATER or settings.LOG_WITNESSES:
        return []
    return [
        Caution(
            "No high-water file and no witness: a backup of the database that comes back together"
            " with the data folder would not be noticed, and its grams could be sold again.",
            hint="Set DIANDIAN_HIGH_WATER or DIANDIAN_LOG_WITNESSES; see docs/howto/backup.md.",
            id="diandian.W006",
        )
    ]


def log_name_fault() -> str:
    """Say why no public log can have the name that is set, and what to do; or nothing."""
    fault = name_fault(settings.LOG_ORIGIN, is_first=True)
    if not fault:
        return ""
    return (
        f"The public log cannot be named {settings.LOG_ORIGIN[:40]}…: {fault}. Nothing was started,"
        " since no key of the log could be entered. Set DIANDIAN_LOG_ORIGIN to a shorter name, such"
        " as HOST/log; a log that is open keeps its own name."
    )


@register(Tags.security)
def log_can_be_named(**_: object) -> list[CheckMessage]:
    """Refuse a name of the public log with which no key of it could be entered."""
    fault = log_name_fault()
    return [Error(fault, id="diandian.E007")] if fault else []


@register(Tags.security)
def production_is_safe(**_: object) -> list[CheckMessage]:
    """Report each setting that production refuses."""
    return [Error(reason, id="diandian.E002") for reason in unsafe_settings()]


def require_safe_settings() -> None:
    """Refuse to serve with unsafe settings or a faulty set-up. Raises: RuntimeError naming each."""
    names = [fault for fault in (log_name_fault(),) if fault]
    if wrong := [*unsafe_settings(), *merchants.set_up_faults(), *names]:
        raise RuntimeError("; ".join(wrong) + ". See docs/reference/settings.md")
