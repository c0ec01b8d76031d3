"""Every refusal of the API as problem details: a stable code, and words in the caller's language.

The family of an error decides its status; nothing here knows single errors of other rooms.
*Source:* RFC 9457; statuses by RFC 9110, section 15.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from django.utils.translation import get_language, gettext
from dmr.exceptions import ValidationError

from diandian.emissions.errors import AmbiguousPlaceError, FactorMissingError, UnknownPlaceError
from diandian.kernel.errors import N_, ConflictError, DiandianError, InputError, NotFoundError
from diandian.store import away
from diandian.ui.format import canonical_lang

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 60
log = logging.getLogger(__name__)

_TITLES = {
    400: N_("The request could not be read"),
    403: N_("This is not allowed"),
    404: N_("There is nothing here"),
    405: N_("This address does not take that method"),
    409: N_("This contradicts what is recorded"),
    413: N_("The request is too large"),
    415: N_("Only JSON is understood here"),
    422: N_("Something in the request needs correcting"),
    429: N_("Too many requests"),
    500: N_("Something went wrong on our side"),
    503: N_("Not possible at this moment"),
}
_NAMED = re.compile(r"Object (missing required|contains unknown) field `([^`]*)`")
_AT = re.compile(r" - at `(?:key in )?\$(?:\.parsed_(?:body|query|headers))?\.?([^`]*)`$")
# The decoder names some fields as the program does.
_RENAMED = {"origin": "from", "idempotency_key": "Idempotency-Key"}
INTERNAL_ERROR, DATABASE_AWAY = "internal_error", "database_away"
_BACK_SOON_SECONDS = 5
_DETAILS = {
    "malformed_json": N_(
        "The body is not JSON that we can read. Nothing was done. Please send it again."
    ),
    "no_such_address": N_(
        "There is no such address in this API. Please see /api/v1/openapi.json for those there are."
    ),
    "method_not_allowed": N_(
        "Nothing was done. The header Allow names the methods of this address."
    ),
    "too_large": N_("The body is larger than any lawful one. Nothing was done."),
    "not_json": N_("Please send the body as JSON, with Content-Type: application/json."),
    "too_many_requests": N_("Nothing was done. Please try again in a minute."),
    DATABASE_AWAY: N_(
        "Our database does not answer at this moment. What you asked for may not have been done;"
        " orders are safe to send again, in a few seconds, with the same Idempotency-Key."
    ),
    INTERNAL_ERROR: N_(
        "We have noted it under the reference given. What you asked for may not have been done;"
        " orders are safe to send again with the same Idempotency-Key."
    ),
}
FIELD_DETAILS = {
    "missing_field": N_("This field is missing. Nothing was done. Please add it."),
    "unknown_field": N_("There is no such field here. Nothing was done. Please check its name."),
    "wrong_form": N_(
        "This does not have the form that the description of the API asks for. Nothing was done."
        " Please correct it."
    ),
    "one_of": N_(
        "Give exactly one of the inputs that the description of the API names. Nothing was done."
    ),
    "unknown_question": N_("This scene does not ask such a question. Please check its key."),
}


class PlaceHint(msgspec.Struct, kw_only=True):
    """A place that may have been meant; its key is understood wherever a place is asked for."""

    key: str
    label: str


class FieldProblem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is wrong with one field, named by its path with dots, such as ``lines.0.amount``."""

    field: str
    code: str
    detail: str
    expected: str = ""
    places: list[PlaceHint] = msgspec.field(default_factory=list)


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A refusal. ``code`` is stable; ``title`` and ``detail`` are for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    errors: list[FieldProblem] = msgspec.field(default_factory=list)
    reference: str = ""
    available_g: int | None = None


class FieldError(InputError):
    """A field that breaks the description of the API; ``code`` is a key of ``FIELD_DETAILS``."""

    def __init__(self, field: str, code: str) -> None:
        self.code = code
        self.message = FIELD_DETAILS[code]
        super().__init__(field=field)


class ManyFieldsError(InputError):
    """Several fields at once, each with an error of its own."""

    code = "invalid_input"
    message = N_("Some fields need correcting. Nothing was done.")

    def __init__(self, errors: list[InputError]) -> None:
        self.errors = errors
        super().__init__()


def sentence(error: DiandianError) -> str:
    """Return what an error says, in the caller's language."""
    params = {
        # A reason inside a sentence is a message id of its own.
        name: gettext(value) if name == "why" and isinstance(value, str) else value
        for name, value in error.params.items()
    }
    text = gettext(error.message)
    try:
        return text % params
    except (KeyError, TypeError, ValueError):
        return text


def _problem(status: int, code: str, detail: str, **more: Any) -> Problem:  # noqa: ANN401 - fields of Problem
    return Problem(
        type="about:blank",
        title=gettext(_TITLES[status]),
        status=int(status),
        code=code,
        detail=detail,
        **more,
    )


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return the response that carries a problem."""
    response = HttpResponse(
        msgspec.json.encode(problem), status=problem.status, content_type=CONTENT_TYPE
    )
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def plain(status: int, code: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return a problem of the door itself; ``code`` is a key of ``_DETAILS``."""
    return answer(_problem(status, code, gettext(_DETAILS[code])), headers)


def too_many() -> HttpResponse:
    """Return 429 with the time to wait."""
    return plain(429, "too_many_requests", {"Retry-After": str(RETRY_SECONDS)})


def broken(error: Exception) -> HttpResponse:
    """Return 500 with a reference under which the log holds the whole story.

    503 with a time to come back where only the database is away for a moment.
    """
    reference = uuid4().hex[:12]
    log.error("API error %s", reference, exc_info=error)
    if away.is_away(error):
        return plain(503, DATABASE_AWAY, {"Retry-After": str(_BACK_SOON_SECONDS)})
    detail = gettext(_DETAILS[INTERNAL_ERROR])
    return answer(_problem(500, INTERNAL_ERROR, detail, reference=reference))


def status_of(error: DiandianError) -> int:
    """Return the HTTP status of an error by its family."""
    if isinstance(error, InputError | FactorMissingError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    if isinstance(error, NotFoundError):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, ConflictError):
        return HTTPStatus.CONFLICT
    if error.retryable:
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.INTERNAL_SERVER_ERROR


def refused(error: DiandianError) -> HttpResponse:
    """Return the response to an error of ours."""
    status = status_of(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return broken(error)
    problem = _problem(
        status,
        error.code,
        sentence(error),
        errors=_fields_of(error),
        available_g=getattr(error, "available_g", None),
    )
    wait = {"Retry-After": str(RETRY_SECONDS)} if error.retryable else None
    return answer(problem, wait)


def of(error: Exception) -> HttpResponse:
    """Return the response to whatever was raised."""
    match error:
        case DiandianError():
            return refused(error)
        case ValidationError():
            return refused_form([detail["msg"] for detail in error.payload])
        case msgspec.ValidationError():
            return refused_form([str(error)])
        case RequestDataTooBig():
            return plain(413, "too_large")
        case _:
            return broken(error)


def _fields_of(error: DiandianError) -> list[FieldProblem]:
    if isinstance(error, ManyFieldsError):
        return [_field(each) for each in error.errors]
    if isinstance(error, InputError) and error.field:
        return [_field(error)]
    return []


def _field(error: InputError) -> FieldProblem:
    match error:
        case UnknownPlaceError():
            places = error.suggestions
        case AmbiguousPlaceError():
            places = error.candidates
        case _:
            places = []
    lang = canonical_lang(get_language() or "en")
    return FieldProblem(
        field=error.field,
        code=error.code,
        detail=sentence(error),
        places=[PlaceHint(key=place.key, label=place.label(lang)) for place in places],
    )


def refused_form(messages: Iterable[str]) -> HttpResponse:
    """Return 422 for a request that breaks the description, from the decoder's own messages."""
    fields = [_broken_form(message) for message in messages]
    return answer(_problem(422, "invalid_input", gettext(ManyFieldsError.message), errors=fields))


def _broken_form(message: str) -> FieldProblem:
    """Read the decoder's message: which field, and what was expected there."""
    at = _AT.search(message)
    path = re.sub(r"\[(\d+)\]", r".\1", at[1] if at else "").replace("[...]", "")
    expected = message[: at.start()] if at else message
    code = "wrong_form"
    if named := _NAMED.match(expected):
        code = "missing_field" if named[1] == "missing required" else "unknown_field"
        path, expected = f"{path}.{named[2]}".strip("."), ""
    return FieldProblem(
        field=_RENAMED.get(path, path),
        code=code,
        detail=gettext(FIELD_DETAILS[code]),
        expected=expected,
    )
