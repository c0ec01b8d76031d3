"""Anyone checks a certificate: no log-in, the answer first, wrong codes told from slips.

What is shown comes from the signed record; a name only when its holder printed one.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.certificates import keys
from diandian.certificates.models import CertificateState
from diandian.certificates.queries import versions_of
from diandian.certificates.verify import Verdict, verify_code
from diandian.claims import wording
from diandian.kernel.errors import N_
from diandian.kernel.tokens import CODE_LENGTH, is_well_formed, normalise_code
from diandian.ui import limits
from diandian.verifier import certificate as record_check
from diandian.verifier import credential as credential_check
from diandian.web import context, errors
from diandian.web.certificates import recall_said, wanted_version, words_of

_LONGEST_TYPED = 300
_TONES = {
    "replaced": "warn",
    "valid": "ok",
    "pending": "warn",
    "remedied": "ok",
    "recalled": "warn",
}
CHECK_WORDS = {
    "shape": N_("The document has the right form"),
    "contexts": N_("It uses the vocabulary it should"),
    "envelope": N_("The wrapper and the record agree"),
    "signature": N_("The signature fits: nothing was changed since it was signed"),
    "schema": N_("The kind of record is known"),
    "code": N_("The code has the right check character"),
    "state": N_("State and dates agree"),
    "ranges": N_("The ranges hold exactly the stated grams"),
    "serials": N_("Serial numbers and grams agree"),
    "estimate": N_("The lines of the estimate add up"),
    "own_factors": N_("Factors that the requester supplied are named as such"),
    "dots": N_("The dots add up"),
    "money": N_("Project share and fee add up to the price"),
    "claim": N_("The evidence supports the wording"),
    "upstream": N_("The origin of the tonnes is stated"),
    "recalls": N_("What was recalled, replaced and is short adds up"),
}


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check as the page shows it."""

    text: str
    ok: bool


def _typed(text: str) -> str:
    """Return the code in what was typed or pasted: a whole address is understood too."""
    last = text.strip()[:_LONGEST_TYPED].partition("?")[0].rstrip("/").rpartition("/")[2]
    for ending in (".pdf", ".png", ".json"):
        last = last.removesuffix(ending)
    return normalise_code(last)


def form(request: HttpRequest) -> HttpResponse:
    """Show the form; with ``?q=`` lead to the answer."""
    typed = request.GET.get("q", "")
    code = _typed(typed)
    if not code:
        return render(request, "web/verify/form.html", {"asked_nothing": bool(typed)})
    if is_well_formed(code):
        return HttpResponseRedirect(reverse("verify_code", args=[code]))
    return _answer(request, code, typed)


def result(request: HttpRequest, code: str) -> HttpResponse:
    """Answer for one code; with ``?version=`` for an earlier version of the certificate."""
    return _answer(request, _typed(code), code, wanted_version(request))


def _answer(
    request: HttpRequest, code: str, typed: str, version: int | None = None
) -> HttpResponse:
    verdict = verify_code(code, version)
    lang = context.language()
    shown: dict[str, Any] = {
        "verdict": verdict,
        "answer": wording.verify_answer(verdict.answer, lang),
        "tone": _TONES.get(verdict.answer, "bad"),
        "typed": typed.strip()[:40],
        "length": len(code),
        "right_length": CODE_LENGTH,
    }
    if verdict.certificate is None:
        # A slip gives nothing away; a well-formed code that nobody has may be a guess.
        if verdict.answer == "not_found" and limits.one_miss_too_many(request):
            return _unlisted(errors.please_wait(request))
        response = render(request, "web/verify/nothing.html", shown, status=404)
    else:
        shown |= _found(verdict, lang)
        response = render(request, "web/verify/result.html", shown)
    return _unlisted(response)


def _unlisted(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "no-store"
    return response


def _found(verdict: Verdict, lang: str) -> dict[str, Any]:
    """Return what the answer to an existing certificate shows."""
    assert verdict.certificate is not None, "only asked when there is one"
    versions = versions_of(verdict.code) if verdict.record.get("version", 1) > 1 else []
    replaced = verdict.certificate.state == CertificateState.SUPERSEDED
    return {
        "certificate": verdict.certificate,
        "is_replaced": replaced,
        "earlier": [each for each in versions if each.id < verdict.certificate.id],
        "record": verdict.record,
        # A record that fails its own checks may lack what sentences are made of.
        "words": None if verdict.answer == "broken" else words_of(verdict.record, lang),
        "recall_said": None
        if verdict.answer not in {"recalled", "remedied", "short"}
        else recall_said(verdict.record, lang),
        "checks": _checks(verdict),
        "public_key": keys.public_key_hex(),
    }


def _checks(verdict: Verdict) -> list[CheckLine]:
    """Return every check with its outcome."""
    assert verdict.certificate is not None, "only asked when there is one"
    credential = verdict.certificate.credential
    done = credential_check.checks(credential, keys.public_key())
    done += record_check.checks(verdict.record)
    return [CheckLine(gettext(CHECK_WORDS.get(each.key, each.key)), each.ok) for each in done]
