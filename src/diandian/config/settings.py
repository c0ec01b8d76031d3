"""Django settings, one file; what differs between machines comes from the environment."""

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

PACKAGE_DIR = Path(__file__).resolve().parent.parent


def _flag(name: str, default: str = "0") -> bool:
    return os.environ.get(name, default).lower() in {"1", "true", "yes", "on"}


# Where everything lives that must outlast a restart: database, keys, evidence, static files.
DATA_DIR = Path(os.environ.get("DIANDIAN_DATA_DIR", Path.cwd() / "var" / "dev")).resolve()

# demo: sample data, sandbox gateway. production: refuses to start on anything unsafe.
MODE = os.environ.get("DIANDIAN_MODE", "demo")
DEBUG = _flag("DIANDIAN_DEBUG")
BASE_URL = os.environ.get("DIANDIAN_BASE_URL", "http://localhost:8000").rstrip("/")

# Without a key of its own a process may run checks and tests, but signs nothing that lasts.
SECRET_KEY = os.environ.get("DIANDIAN_SECRET_KEY") or secrets.token_urlsafe(48)
SECRET_KEY_IS_LASTING = "DIANDIAN_SECRET_KEY" in os.environ

ALLOWED_HOSTS = [
    host.strip()
    for host in os.environ.get(
        "DIANDIAN_ALLOWED_HOSTS",
        f"{urlsplit(BASE_URL).hostname},localhost,127.0.0.1,[::1],testserver",
    ).split(",")
]
# How many proxies in front of us may be believed about the visitor's address.
TRUSTED_PROXIES = int(os.environ.get("DIANDIAN_TRUSTED_PROXIES", "0"))

INSTALLED_APPS = [
    "unfold",
    # The lists of the desk are loaded with it: see ``urls_desk``.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "diandian.audit",
    "diandian.people",
    "diandian.ui",
    "diandian.scenes",
    "diandian.registry",
    "diandian.ledger",
    "diandian.payments",
    "diandian.reconciliation",
    "diandian.settlement",
    "diandian.transparency",
    "diandian.footprints",
    "diandian.orders",
    "diandian.certificates",
    "diandian.leaderboards",
    "diandian.web",
    "diandian.api",
    "diandian.office",
    "diandian.jobs",
    "diandian.config",
]

MIDDLEWARE = [
    "diandian.config.middleware.SecurityHeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "diandian.config.middleware.CompressMiddleware",
    "diandian.config.middleware.LanguageMiddleware",
    "diandian.config.middleware.SameOriginMiddleware",
    "diandian.config.middleware.MethodsMiddleware",
    "diandian.config.middleware.TypedTextMiddleware",
    "diandian.config.middleware.LaterMiddleware",
    "diandian.config.middleware.DeskMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

# Sessions, users and messages are wrapped around the desks only, by DeskMiddleware.
# W040: SQLite leaves out the extra column of a covering index, which only PostgreSQL needs.
SILENCED_SYSTEM_CHECKS = ["admin.E408", "admin.E409", "admin.E410", "models.W040"]

ROOT_URLCONF = "diandian.config.urls"
WSGI_APPLICATION = "diandian.config.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "diandian.ui.templatetags.dd",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
        },
    }
]


def _database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "diandian.store.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            # A socket's folder has no place in an address but behind it: ?host=/run/postgresql.
            "HOST": parts.hostname or parse_qs(parts.query).get("host", [""])[0],
            "PORT": parts.port or "",
            # Threads of the web server live long: each keeps its connection.
            "CONN_MAX_AGE": None,
            "CONN_HEALTH_CHECKS": True,
            "ATOMIC_REQUESTS": False,
            # A pooler that hands a connection round between transactions knows no prepared
            # statements. ``store`` prepares them; the driver would forget its own, and ours with
            # them, at each rollback.
            "OPTIONS": {"server_side_binding": True}
            if _flag("DIANDIAN_PREPARED_STATEMENTS", "1")
            else {},
        }
    if parts.scheme != "sqlite":
        raise ValueError("DATABASE_URL must begin with sqlite:// or postgresql://")
    file = Path(unquote(parts.path))
    file.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "diandian.store.sqlite3",
        "NAME": file,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # One writer at a time, taken at BEGIN: no transaction fails half-way on upgrade.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: a certificate may already have been sent when the power fails. The log goes to
            # the tables every 16 MB: a page that a hall writes again and again goes there once.
            "init_command": (
                "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;"
                "PRAGMA cache_size=-32000;PRAGMA mmap_size=268435456;PRAGMA temp_store=MEMORY;"
                "PRAGMA wal_autocheckpoint=4000;"
            ),
        },
    }


DATABASE_URL = os.environ.get("DATABASE_URL") or f"sqlite://{DATA_DIR}/diandian.sqlite3"
DATABASES = {"default": _database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

LANGUAGE_CODE = "en"
LANGUAGES = [("zh-hans", "中文"), ("en", "English"), ("nl", "Nederlands")]
LOCALE_PATHS = [PACKAGE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
FORMAT_MODULE_PATH = "diandian.config.formats"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_MAX_AGE = 31_536_000
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # Hashed names need a collected folder; tests and checks run without one.
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if (STATIC_ROOT / "staticfiles.json").exists() or _flag("DIANDIAN_COLLECTING_STATIC")
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "staticfiles.json").exists()
WHITENOISE_AUTOREFRESH = False

# Mail for signing in: smtp:// (with STARTTLS), smtps://, or smtp+plain:// to a relay nearby.
EMAIL_URL = os.environ.get("DIANDIAN_EMAIL_URL", "")
_MAIL = urlsplit(EMAIL_URL)
if _MAIL.scheme not in {"", "smtp", "smtps", "smtp+plain"}:
    raise ValueError("DIANDIAN_EMAIL_URL must begin with smtp://, smtps:// or smtp+plain://")
# Without it nothing is sent: the demo shows its codes, production has no sign-in by mail.
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_URL else 'dummy'}.EmailBackend"
EMAIL_HOST = _MAIL.hostname or "localhost"
EMAIL_PORT = _MAIL.port or {"smtps": 465, "smtp": 587}.get(_MAIL.scheme, 25)
EMAIL_HOST_USER = unquote(_MAIL.username or "")
EMAIL_HOST_PASSWORD = unquote(_MAIL.password or "")
EMAIL_USE_TLS = _MAIL.scheme == "smtp"
EMAIL_USE_SSL = _MAIL.scheme == "smtps"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get(
    "DIANDIAN_EMAIL_FROM", f"Diandian <noreply@{urlsplit(BASE_URL).hostname}>"
)

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

_SECURE = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 1_209_600  # 14 days
CSRF_FAILURE_VIEW = "diandian.office.host.pages.csrf_failure"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if _SECURE else 0
# Behind a proxy that ends TLS, requests look plain; the desk's forms name the outer address.
CSRF_TRUSTED_ORIGINS = ["://".join(urlsplit(BASE_URL)[:2])]
_PROXY_TLS_HEADER = os.environ.get("DIANDIAN_PROXY_TLS_HEADER", "").strip()
if _PROXY_TLS_HEADER:
    SECURE_PROXY_SSL_HEADER = (f"HTTP_{_PROXY_TLS_HEADER.upper().replace('-', '_')}", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 262_144
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 2
FILE_UPLOAD_HANDLERS = [
    "diandian.config.uploads.BoundedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# The product's own settings -----------------------------------------------------------------

# Simulated registry, sandbox gateway, sample data: said loudly on every page and artefact.
TEST_MODE = MODE != "production"
OPERATOR_NAME = os.environ.get("DIANDIAN_OPERATOR_NAME", "")
OPERATOR_FILING = os.environ.get("DIANDIAN_OPERATOR_FILING", "")

# Ours on top of the supplier's price: a share and a floor, both shown before payment.
FEE_BASIS_POINTS = int(os.environ.get("DIANDIAN_FEE_BASIS_POINTS", "700"))
FEE_MINIMUM_MINOR = int(os.environ.get("DIANDIAN_FEE_MINIMUM_MINOR", "60"))

# Orders that one device may have without having paid them.
UNPAID_ORDERS_PER_GUEST = int(os.environ.get("DIANDIAN_UNPAID_ORDERS_PER_GUEST", "5"))

# Suppliers are paid once guests can no longer ask for their money back, and a changed account only
# after some days; below the minimum, in minor units of each currency, a payout by bank waits.
# A paid order that cannot be retired is tried for so long after its payment; then people decide.
PAID_ORDER_HOURS = int(os.environ.get("DIANDIAN_PAID_ORDER_HOURS", "72"))
SETTLEMENT_REFUND_DAYS = int(os.environ.get("DIANDIAN_SETTLEMENT_REFUND_DAYS", "7"))
PAYEE_COOL_DOWN_DAYS = int(os.environ.get("DIANDIAN_PAYEE_COOL_DOWN_DAYS", "3"))
PAYOUT_MINIMUM_MINOR = int(os.environ.get("DIANDIAN_PAYOUT_MINIMUM_MINOR", "10000"))
# A TOML file with our own account at a bank for each currency, for files of payouts.
PAYER_ACCOUNTS_FILE = os.environ.get("DIANDIAN_PAYER_ACCOUNTS", "")

QUOTE_MINUTES = 60
PAYMENT_MINUTES = 10
HOLD_GRACE_MINUTES = 10
FOOTPRINT_DAYS = 30

# Wrong codes and links asked for by one address per minute before it is asked to wait.
MISSES_PER_MINUTE = int(os.environ.get("DIANDIAN_MISSES_PER_MINUTE", "60"))
# Places, estimates and quotes that one address may ask of the API per minute; a hall shares one.
API_CALLS_PER_MINUTE = int(os.environ.get("DIANDIAN_API_CALLS_PER_MINUTE", "60000"))
# Answers that one address may send to calculators: a hall of thousands may leave at once.
FOOTPRINTS_PER_MINUTE = int(os.environ.get("DIANDIAN_FOOTPRINTS_PER_MINUTE", "6000"))
# Whole registers that one address may download: each reads every row there is.
DOWNLOADS_PER_MINUTE = int(os.environ.get("DIANDIAN_DOWNLOADS_PER_MINUTE", "20"))
# Failed sign-ins at the desk, from one address or with one name, in a quarter of an hour.
SIGN_IN_FAILURES = int(os.environ.get("DIANDIAN_SIGN_IN_FAILURES", "10"))
# Sign-in codes by e-mail that one address (of a network) may ask for in a quarter of an hour.
SIGN_IN_CODES = int(os.environ.get("DIANDIAN_SIGN_IN_CODES", "20"))
# Names on the boards that one address may report in a quarter of an hour.
NAME_REPORTS = int(os.environ.get("DIANDIAN_NAME_REPORTS", "20"))
# Papers and pictures made once and kept; what goes beyond is made again when asked for.
RENDERED_MEGABYTES = int(os.environ.get("DIANDIAN_RENDERED_MEGABYTES", "1000"))

# Whether phones keep a scene's questions for when there is no network. Off makes them forget.
OFFLINE_PAGES = _flag("DIANDIAN_OFFLINE_PAGES", "1")

# The sandbox moves no money, so it is never what production begins with.
GATEWAYS = [
    key
    for key in os.environ.get("DIANDIAN_GATEWAYS", "sandbox" if TEST_MODE else "").split(",")
    if key
]
# Calls that one process has under way at one gateway; fewer than a server's threads, so that a
# silent gateway never holds all of them.
GATEWAY_CALLS = int(os.environ.get("DIANDIAN_GATEWAY_CALLS", "2"))
# Whether a thread of its own writes what a request only counts.
WRITE_BEHIND = True
# A TOML file that names our merchants at the gateways, with references to their keys.
MERCHANTS_FILE = os.environ.get("DIANDIAN_MERCHANTS", "")
# Up to this much, in minor units, one person may sign a difference to a gateway's statement alone.
SIGN_ALONE_MINOR = int(os.environ.get("DIANDIAN_SIGN_ALONE_MINOR", "10000"))
# How long statements stay on the disk as they came; their lines and digests stay in the database.
STATEMENT_FILE_DAYS = int(os.environ.get("DIANDIAN_STATEMENT_FILE_DAYS", "30"))
SANDBOX_STORE = DATA_DIR / "sandbox-gateway.sqlite3"
KEYS_DIR = DATA_DIR / "keys"

# The name of the public log, for ever: what the first entry was written under stays.
LOG_ORIGIN = os.environ.get("DIANDIAN_LOG_ORIGIN", BASE_URL.split("://", 1)[-1] + "/log")
# A file that names who is asked to witness it, in the form of C2SP tlog-policy; none: nobody.
LOG_WITNESSES = os.environ.get("DIANDIAN_LOG_WITNESSES", "")


def _high_water() -> str:
    """Return the file that the log's signer keeps outside the backups, or nothing.

    Where none is named: the state folder of the account, in production, if it can be written there.
    """
    named = os.environ.get("DIANDIAN_HIGH_WATER")
    if named is not None or TEST_MODE:
        return named or ""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    there = next((each for each in (state, *state.parents) if each.exists()), None)
    is_apart = state != DATA_DIR and DATA_DIR not in state.parents
    may_write = there is not None and os.access(there, os.W_OK)
    return str(state / "diandian" / "high-water") if may_write and is_apart else ""


HIGH_WATER = _high_water()

# Content security: nothing inline, nothing from elsewhere.
CONTENT_SECURITY_POLICY_TEXT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'; manifest-src 'self'; worker-src 'self'"
)

# The desk's look, in the colours of the pages; its texts are those of django-unfold.
UNFOLD = {
    "SITE_TITLE": _("Diandian desk"),
    "SITE_HEADER": _("Diandian desk"),
    # Said once, at the top of each page: dates and times stand without their zone.
    "ENVIRONMENT": lambda _request: (_("Beijing time"), ""),
    "DASHBOARD_CALLBACK": "diandian.office.undelivered.on_the_first_page",
    "STYLES": [lambda _: static("office/desk.css")],
    "SCRIPTS": [lambda _: static("office/desk.js")],
    "COLORS": {
        "primary": {
            "50": "#f4f5fd",
            "100": "#e4e8fa",
            "200": "#c9d1ff",
            "300": "#b4c0ff",
            "400": "#9aa6f5",
            "500": "#8e9bf0",
            "600": "#2b389c",
            "700": "#1f2a7c",
            "800": "#1a2264",
            "900": "#151b50",
            "950": "#0e1338",
        }
    },
}

_TALKATIVE = (
    *("urllib3", "requests", "httpx", "httpcore", "http.client"),
    *("stripe", "wechatpayv3", "alipay"),
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"refusals": {"()": "diandian.config.log_lines.OneLineRefusals"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["refusals"],
        }
    },
    "root": {"handlers": ["console"], "level": os.environ.get("DIANDIAN_LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        # Libraries of gateways log addresses and bodies: signatures, payers, all of it. What a
        # call ended in is told by our own lines.
        **{name: {"level": "CRITICAL"} for name in _TALKATIVE},
    },
}
