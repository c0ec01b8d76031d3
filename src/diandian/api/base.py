"""What every controller of the API shares: JSON in and out, problem details, languages, limits.

The body is read exactly: no type is turned into another, decimals stay decimals. ``Accept`` is not
negotiated: there is one representation. *Source:* RFC 9110, section 12.4.1 (disregard is lawful).
"""

from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.request import UnreadablePostError
from django.utils.translation import get_language
from dmr import Controller, ResponseSpec
from dmr.components import QueryComponent
from dmr.endpoint import Endpoint
from dmr.exceptions import DataParsingError, RequestSerializationError
from dmr.headers import HeaderSpec
from dmr.metadata import EndpointMetadata
from dmr.negotiation import ResponseNegotiator
from dmr.openapi.core.context import OpenAPIContext
from dmr.openapi.objects import Response
from dmr.parsers import DeserializeFunc, Raw
from dmr.plugins.msgspec import MsgspecJsonParser, MsgspecJsonRenderer, MsgspecSerializer
from dmr.renderers import Renderer

from diandian.api import problems
from diandian.api.problems import Problem
from diandian.kernel.errors import NotFoundError
from diandian.ui import limits
from diandian.ui.format import canonical_lang

# PostgreSQL holds no NUL, so no text that is looked up may have one.
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]

Key = Annotated[str, msgspec.Meta(max_length=60, pattern=r"^[^\x00]*$")]


def language() -> str:
    """Return the caller's language as data are keyed: zh-Hans, en, nl."""
    return canonical_lang(get_language() or "en")


class LangQuery(msgspec.Struct, kw_only=True):
    """What every address takes: ``lang`` goes before Accept-Language."""

    lang: Literal["zh-Hans", "zh-hans", "en", "nl"] | None = None


class _ExactParser(MsgspecJsonParser):
    """Reads JSON; a number with a fraction becomes a Decimal."""

    __slots__ = ()
    _decoder = msgspec.json.Decoder(float_hook=Decimal)

    def parse(
        self,
        to_deserialize: Raw,
        deserializer_hook: DeserializeFunc | None = None,  # noqa: ARG002 - the contract's name
        *,
        request: HttpRequest,  # noqa: ARG002 - the contract's name
        model: object,  # noqa: ARG002 - the contract's name
    ) -> Any:  # noqa: ANN401 - JSON
        """Return plain values. Raises: DataParsingError."""
        try:
            return self._decoder.decode(to_deserialize)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise DataParsingError(str(error)) from error


class _ExactSerializer(MsgspecSerializer):
    """Takes no text for a number."""

    __slots__ = ()

    @classmethod
    def from_python(
        cls,
        unstructured: Any,  # noqa: ANN401 - JSON
        model: Any,  # noqa: ANN401 - any type
        *,
        strict: bool | None,
        extra_namespace: Any = None,  # noqa: ANN401 - the contract's type
    ) -> Any:  # noqa: ANN401 - of the model
        """Return an instance of the model. Raises: msgspec.ValidationError."""
        exact = True if strict is None else strict
        return super().from_python(
            unstructured, model, strict=exact, extra_namespace=extra_namespace
        )


class _QueryComponent(QueryComponent):
    """Reads query parameters, which are text whatever they mean."""

    __slots__ = ()

    def provide_context_data(
        self,
        endpoint: Endpoint,  # noqa: ARG002 - the contract's name
        controller: Any,  # noqa: ANN401 - the contract's type
        *,
        field_model: Any,  # noqa: ANN401 - any type
        default: Any = None,  # noqa: ANN401, ARG002 - the contract's
    ) -> Any:  # noqa: ANN401 - of the model
        """Return the model's instance. Raises: msgspec.ValidationError."""
        return msgspec.convert(controller.request.GET.dict(), field_model, strict=False)


_QueryT = TypeVar("_QueryT")
Query: TypeAlias = Annotated[_QueryT, _QueryComponent()]


class _JsonOnly(ResponseNegotiator):
    """Answers JSON whatever is asked for."""

    def __call__(self, request: HttpRequest) -> Renderer:
        renderer = self._default
        request.__dmr_renderer__ = renderer  # type: ignore[attr-defined]
        return renderer


class _Endpoint(Endpoint):
    response_negotiator_cls = _JsonOnly


class ProblemSpec(ResponseSpec):
    """A documented refusal: problem details, whatever the success looks like."""

    def get_schema(
        self,
        metadata: EndpointMetadata,
        controller_cls: type[Controller[Any]],
        context: OpenAPIContext,
    ) -> Response:
        """Return the schema under the content type of problem details."""
        response = super().get_schema(metadata, controller_cls, context)
        response.content = {problems.CONTENT_TYPE: next(iter((response.content or {}).values()))}
        return response


_MEANINGS = {
    400: "The body is not JSON.",
    403: "A page of another site sent this write.",
    404: "Nothing by this name, or not for this caller.",
    409: "It contradicts what is recorded; see `code`.",
    413: "The body is larger than any lawful one.",
    415: "The body is not declared as JSON.",
    422: "Fields need correcting; see `errors`.",
    429: "Too many requests from this address.",
    500: "Our mistake, noted under `reference`.",
    503: "Not possible at this moment.",
}
_WAIT = {429, 503}


def refusals(*statuses: int) -> list[ResponseSpec]:
    """Return the documentation of the refusals that an endpoint knows, and of those of all."""
    wait = {"Retry-After": HeaderSpec(description="Seconds to wait.")}
    return [
        ProblemSpec(
            Problem,
            status_code=HTTPStatus(status),
            description=_MEANINGS[status],
            headers=wait if status in _WAIT else None,
        )
        for status in sorted({*statuses, 429, 500})
    ]


WRITES = (400, 403, 413, 415, 422)


class ApiController(Controller[_ExactSerializer]):
    """Base of all controllers. ``guessable``: it takes a secret, so wrong ones are counted."""

    is_abstract = True
    endpoint_cls = _Endpoint
    parsers = (_ExactParser(),)
    renderers = (MsgspecJsonRenderer(),)
    error_model = Problem
    validate_responses = False
    semantic_responses = False
    guessable: ClassVar[bool] = False

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Answer within the limits, in the caller's language."""
        response = self._answer(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        response["Content-Language"] = language()
        response["Vary"] = "Accept-Language"
        return response

    def _answer(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if limits.too_many_calls(request):
            return problems.too_many()
        # What answers GET answers HEAD; the server leaves the body out.
        method = "GET" if request.method == "HEAD" else str(request.method)
        endpoint = self.api_endpoints.get(method)
        if endpoint is None:
            return self.handle_method_not_allowed(method)
        return endpoint.func(self, *args, **kwargs)

    def handle_error(
        self,
        endpoint: Endpoint,  # noqa: ARG002 - the contract's name
        controller: Controller[Any],  # noqa: ARG002 - the contract's name
        exc: Exception,
    ) -> HttpResponse:
        """Turn whatever was raised into problem details."""
        if (
            self.guessable
            and isinstance(exc, NotFoundError)
            and limits.one_miss_too_many(self.request)
        ):
            return problems.too_many()
        if isinstance(exc, RequestSerializationError | UnreadablePostError):
            is_json = self.request.content_type in {"", "application/json"}
            return (
                problems.plain(400, "malformed_json")
                if is_json
                else problems.plain(415, "not_json")
            )
        return problems.of(exc)

    def handle_method_not_allowed(self, method: str) -> HttpResponse:  # noqa: ARG002 - the contract's name
        """Answer 405 with the methods there are."""
        methods = set(self.api_endpoints) | ({"HEAD"} if "GET" in self.api_endpoints else set())
        return problems.plain(405, "method_not_allowed", {"Allow": ", ".join(sorted(methods))})
