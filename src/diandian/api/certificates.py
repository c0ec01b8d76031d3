"""A certificate by its code: what it says, whether it holds, and the signed document itself.

*Source:* C1 of the registry design; W3C Verifiable Credentials 2.0 for the document.
"""

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from dmr import modify

from diandian.api.base import ApiController, LangQuery, Query, language, refusals
from diandian.api.orders import CertificateLinks, certificate_links
from diandian.certificates import keys
from diandian.certificates.verify import verify_code
from diandian.claims import wording
from diandian.kernel.errors import N_, NotFoundError
from diandian.transparency.shown import proof_about


class CertificateNotFoundError(NotFoundError):
    """No certificate of this code, or a slip in it."""

    code = "certificate_not_found"
    message = N_("There is no certificate with this code. Please check it for a slip.")


class CertificateQuery(LangQuery, kw_only=True):
    """``version``: an earlier version of the certificate, as long as it is kept."""

    version: Annotated[int, msgspec.Meta(ge=1, le=32_767)] | None = None


class CertificateOut(msgspec.Struct, kw_only=True):
    """A certificate. ``answer``: valid, pending, remedied, short, replaced, revoked or broken.

    ``recalled``: a recall is at work and comes to it soon; then it is made good (``remedied``), or
    ``short`` of grams, as ``recalls`` and ``standing_g`` of the record say.

    ``failures`` names checks. ``version``: the one that is shown, the newest unless another was
    asked for; while tonnes are only held outside (pending), a newer one will follow.

    ``record`` holds the facts (schema "diandian/certificate/1"), ``credential`` the same facts
    signed; ``public_key`` is the raw Ed25519 key in hexadecimal. ``log_proof`` is the C2SP
    tlog-proof of the retirement's entry in the public log; null until its head is published.
    """

    code: str
    version: int
    answer: str
    answer_text: str
    failures: list[str]
    record: dict[str, Any]
    credential: dict[str, Any]
    public_key: str
    log_proof: str | None
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
    def get(self, parsed_query: Query[CertificateQuery]) -> CertificateOut:
        """Answer for one code, however it was typed."""
        code = str(self.kwargs["code"]).replace("\x00", "")
        verdict = verify_code(code, parsed_query.version)
        if verdict.certificate is None:
            raise CertificateNotFoundError
        return CertificateOut(
            code=verdict.code,
            version=verdict.certificate.version,
            answer=verdict.answer,
            answer_text=wording.verify_answer(verdict.answer, language()),
            failures=list(verdict.failures),
            record=verdict.record,
            credential=verdict.certificate.credential,
            public_key=keys.public_key_hex(),
            log_proof=proof_about(verdict.record),
            links=certificate_links(verdict.code),
        )
