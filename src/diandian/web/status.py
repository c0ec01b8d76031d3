"""Is it up? For machines (``/healthz``, ``/readyz``) and for people (``/status``)."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext

from diandian.certificates import queries as certificates
from diandian.flows import allocator, log_guard, review, sales
from diandian.kernel.clock import business_day, now
from diandian.kernel.memory import ttl_cache
from diandian.ledger import queries as ledger
from diandian.orders import queries as orders
from diandian.transparency import queries as log
from diandian.transparency.heads import trouble, watched
from diandian.transparency.models import LogCheckpoint, LogHead
from diandian.web import recalls

# The worker writes the time to this file at every turn.
HEARTBEAT = "worker.heartbeat"
_WORKER_LATE_SECONDS = _INTAKE_LATE_SECONDS = _LOG_LATE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Health:
    """What works now. ``worker``: deliveries and polling in the background.

    ``promises_overdue``: certificates whose tonnes should be retired outside by now and are not.
    ``allocator``: whether one process takes paid orders many at a time; else requests do it alone.
    ``oldest_intake_seconds``: how long the paid order waits that waits longest.
    ``log_size``, ``log_signed``: entries of the public log, and how many of them are signed; late
    when that takes longer than it should.
    ``sales_stopped``: a close found that the books do not hold; ``closed_through``: the last day
    that was closed.
    ``recalls_at_work``: recalls whose certificates are still being gone through.
    ``reviews_overdue``: orders about which people should have decided by now.
    """

    database: bool
    worker: bool
    promises_overdue: int = 0
    allocator: bool = False
    oldest_intake_seconds: int = 0
    log_size: int = 0
    log_signed: int = 0
    log_refusal: str = ""
    log_is_late: bool = False

    @property
    def log_trouble(self) -> str:
        """Return why the public log is not signed, in words, or nothing."""
        return gettext(trouble.WORDS[self.log_refusal]) if self.log_refusal else ""

    @property
    def log_advice(self) -> str:
        """Return in words who outside should know of the log and does not, or nothing."""
        code = watched.advice()
        return gettext(watched.WORDS[code]) if code else ""

    sales_stopped: bool = False
    closed_through: date | None = None
    recalls_at_work: int = 0
    reviews_overdue: int = 0

    @property
    def is_late(self) -> bool:
        """Tell whether something paid waits longer than anybody should."""
        return self.oldest_intake_seconds > _INTAKE_LATE_SECONDS

    @property
    def ready(self) -> bool:
        """Tell whether guests can be served; the worker may lag without harm to them."""
        return self.database


def healthz(_request: HttpRequest) -> HttpResponse:
    """Say that the process answers, nothing more."""
    return HttpResponse("ok\n", content_type="text/plain")


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone())
    except DatabaseError:
        return False


def _worker_beats() -> bool:
    try:
        written = (settings.DATA_DIR / HEARTBEAT).stat().st_mtime
    except OSError:
        return False
    return now().timestamp() - written < _WORKER_LATE_SECONDS


@ttl_cache(1)
def health() -> Health:
    """Look at what guests depend on; at most once a second."""
    database = _database_answers()
    if not database:
        return Health(database=False, worker=_worker_beats())
    oldest, closed = orders.oldest_waiting(), ledger.newest_closed()
    head = log.open_head()
    last = log.last_checkpoint(head) if head is not None else None
    return Health(
        database=True,
        worker=_worker_beats(),
        promises_overdue=certificates.overdue(business_day(now())).count(),
        allocator=allocator.is_awake(),
        oldest_intake_seconds=int((now() - oldest).total_seconds()) if oldest else 0,
        log_size=head.size if head is not None else 0,
        log_signed=last.size if last is not None else 0,
        log_refusal=log_guard.refused(),
        log_is_late=_log_is_late(head, last),
        sales_stopped=sales.are_stopped(),
        closed_through=closed.day if closed else None,
        recalls_at_work=recalls.at_work(),
        reviews_overdue=len(review.overdue(at=now())),
    )


def _log_is_late(head: LogHead | None, last: LogCheckpoint | None) -> bool:
    if head is None or (last is not None and last.size >= head.size):
        return False
    since = last.signed_at if last is not None else head.opened_at
    return (now() - since).total_seconds() > _LOG_LATE_SECONDS


def readyz(_request: HttpRequest) -> HttpResponse:
    """Say whether guests can be served."""
    found = health()
    answer = {
        "database": found.database,
        "worker": found.worker,
        "promises_overdue": found.promises_overdue,
        "allocator": found.allocator,
        "oldest_intake_seconds": found.oldest_intake_seconds,
        "log_unsigned": found.log_size - found.log_signed,
        "log_refusal": found.log_refusal,
        "sales_stopped": found.sales_stopped,
        "reviews_overdue": found.reviews_overdue,
        "closed_through": found.closed_through.isoformat() if found.closed_through else None,
    }
    return JsonResponse(answer, status=200 if found.ready else 503)


def status(request: HttpRequest) -> HttpResponse:
    """Say in words whether everything works."""
    found = health()
    return render(
        request,
        "web/status/page.html",
        {"health": found, "at": now()},
        status=200 if found.ready else 503,
    )
