"""A certificate by its code: what it says, whether it holds, and the signed document itself.

*Source:* C1 of the registry design; W3C Verifiable Credentials 2.0 for the document.
"""

from http import HTTPStatus
from typing import Any

import msgspec
from dmr import modify

from diandian.api.base import ApiController, LangQuery, Query, language, refusals
from diandian.api.orders import CertificateLinks, certificate_links
from diandian.certificates import keys
from diandian.certificates.verify import verify_code
from diandian.claims import wording
from diandian.kernel.errors import N_, NotFoundError


class CertificateNotFoundError(NotFoundError):
    """No certificate of this code, or a slip in it."""

    code = "certificate_not_found"
    message = N_("There is no certificate with this code. Please check it for a slip.")


class CertificateOut(msgspec.Struct, kw_only=True):
    """A certificate. ``answer``: valid, pending, revoked or broken; ``failures`` names checks.

    ``record`` holds the facts (schema "diandian/certificate/1"), ``credential`` the same facts
    signed; ``public_key`` is the raw Ed25519 key in hexadecimal.
    """

    code: str
    answer: str
    answer_text: str
    failures: list[str]
    record: dict[str, Any]
    credential: dict[str, Any]
    public_key: str
    links: CertificateLinks


class CertificateController(ApiController):
    """One certificate."""

    tags = ("Register",)
    guessable = True

    @modify(
        operation_id="getCertificate",
        summary="A certificate by its code, checked against register and signature",
        status_code=HTTPStatus.OK,
        extra_responses=refusals(404, 422),
    )
    def get(self, parsed_query: Query[LangQuery]) -> CertificateOut:  # noqa: ARG002 - for the description
        """Answer for one code, however it was typed."""
        verdict = verify_code(str(self.kwargs["code"]).replace("\x00", ""))
        if verdict.certificate is None:
            raise CertificateNotFoundError
        return CertificateOut(
            code=verdict.code,
            answer=verdict.answer,
            answer_text=wording.verify_answer(verdict.answer, language()),
            failures=list(verdict.failures),
            record=verdict.record,
            credential=verdict.certificate.credential,
            public_key=keys.public_key_hex(),
            links=certificate_links(verdict.code),
        )
