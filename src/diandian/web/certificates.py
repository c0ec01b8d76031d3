"""The certificate page and its papers: PDF, pictures and the signed record.

A certificate is reachable by its code only: never listed, never indexed. What it says comes from
the signed record and from ``claims.wording``, nowhere else (C1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from diandian.certificates import design, queries
from diandian.certificates.models import Certificate, CertificateState
from diandian.certificates.verify import waits_for_remedy
from diandian.claims import phrases, wording
from diandian.kernel.canonical import canonical_json
from diandian.kernel.errors import DiandianError
from diandian.kernel.mass import GRAMS_PER_KG
from diandian.kernel.tokens import spaced_code
from diandian.leaderboards.rankings import avatar_seed
from diandian.orders import queries as orders
from diandian.transparency.shown import proof_about, standing_of
from diandian.ui import limits, rendered
from diandian.ui.drawing import CATEGORIES
from diandian.ui.format import canonical_lang, number
from diandian.ui.templatetags import dd
from diandian.ui.typst import TypesettingError
from diandian.web import certificate_form, context, errors, guest, money
from diandian.web.errors import not_found
from diandian.web.results import said

Record = dict[str, Any]
_BLOOMS = {"retired": "full", "remedied": "full", "short": "hollow"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the certificate stands in its scene; ``is_own``: this device ordered it."""

    number: int
    seed: int
    is_own: bool


def _place_of(request: HttpRequest, certificate: Certificate) -> Place | None:
    place = orders.place_of_ref(certificate.order_ref)
    if place is None:
        return None
    key = guest.guest_key_of(request)
    is_own = bool(key) and key == place.guest_key
    seed = avatar_seed(key if is_own else certificate.code)
    return Place(place.number, seed, is_own)


def _groups(record: Record) -> list[tuple[str, int]]:
    """Return the dots to draw; categories without a colour of their own are one plain group."""
    known = [
        (key if key in CATEGORIES else "", count) for key, count in record["dots"].items() if count
    ]
    return known or [("", wording.dots(record))]


def _beside(claim: str, lines: list[str]) -> list[str]:
    """Return the lines that the claim does not say already."""
    said_already = claim.lower()
    return [line for line in lines if line.lower() not in said_already]


@dataclass(frozen=True, slots=True)
class RecallSaid:
    """What a page says first about a recall. ``tone``: ok, warn or bad."""

    tone: str
    title: str
    text: str
    numbers: list[str]


def recall_said(record: Record, lang: str) -> RecallSaid | None:
    """Return what happened and what was done, where a recall met a certificate."""
    is_waiting = waits_for_remedy(record)
    if not is_waiting and not wording.is_recalled(record):
        return None
    tone = "warn" if is_waiting else "ok" if record["state"] == "remedied" else "bad"
    return RecallSaid(
        tone=tone,
        title=wording.recall_title(record, lang, is_waiting=is_waiting),
        text=wording.recall_text(record, lang, is_waiting=is_waiting),
        numbers=[each["recall"] for each in record.get("recalls", [])],
    )


def words_of(record: Record, lang: str) -> dict[str, Any]:
    """Return everything a page says of a record, in a language."""
    project = record["project"]
    claim = wording.claim_line(record, lang)
    mass_g = wording.standing_g(record)
    exact = mass_g == wording.dots(record) * record["kg_per_dot"] * GRAMS_PER_KG
    return {
        "title": wording.title(record, lang),
        "name": record["beneficiary"]["display_name"] or wording.guest_name(lang),
        "is_named": bool(record["beneficiary"]["display_name"]),
        "statement": wording.statement(record, lang),
        "claim": claim,
        "state": wording.state_line(record, lang),
        "is_retired": wording.is_whole(record),
        "is_short": record["state"] == "short",
        "says": _beside(claim, wording.what_it_says(record, lang)),
        "sample": wording.sample_line(record, lang),
        "dots": wording.dots(record),
        "shown_dots": number(wording.dots(record), lang),
        "is_exact": exact,
        "mass": phrases.exact_mass(mass_g, lang),
        "range": wording.estimated_range(record, lang),
        "scene": phrases.pick((record["scene"] or {}).get("names"), lang).replace("|", ""),
        "project": phrases.pick(project["names"], lang),
        "project_note": " · ".join(
            part
            for part in (
                phrases.pick(project["category_names"], lang) or project["programme"],
                phrases.pick(project["place_names"], lang),
                str(project["vintage_year"]),
            )
            if part
        ),
    }


def _lever(record: Record) -> tuple[str, int] | None:
    """Return what would have made the trip smaller most, and by how many dots."""
    levers = (record["estimate"] or {}).get("levers") or []
    if not levers:
        return None
    best = levers[0]
    dots = best["saves_g"] // (record["kg_per_dot"] * GRAMS_PER_KG)
    return (said(best["label"], best["params"]), dots) if dots else None


def wanted_version(request: HttpRequest) -> int | None:
    """Return the version that the address asks for; None for the newest."""
    asked = request.GET.get("version", "")
    return int(asked[:5]) if asked.isascii() and asked.isdigit() else None


def _find(request: HttpRequest, code: str) -> Certificate | HttpResponse:
    """Return the certificate, or the answer to a wrong code."""
    certificate = queries.by_code(code)
    if certificate is not None:
        return certificate
    # Only misses wait: behind one address many people open certificates that exist.
    limited = limits.one_miss_too_many(request)
    return errors.please_wait(request) if limited else not_found(request)


def _unlisted(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex"
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def show(request: HttpRequest, code: str) -> HttpResponse:
    """Show one certificate."""
    found = _find(request, code)
    if isinstance(found, HttpResponse):
        return _unlisted(found)
    if code != found.code:
        query = request.META.get("QUERY_STRING", "")
        address = reverse("certificate", args=[found.code])
        return _unlisted(HttpResponseRedirect(f"{address}?{query}" if query else address))
    record, lang = queries.record_of(found), context.language()
    words = words_of(record, lang)
    shown: dict[str, Any] = {
        "certificate": found,
        "record": record,
        "words": words,
        "said_state": dd.whole_days(words["state"]),
        # Said once, beside the seal.
        "says": [line for line in words["says"] if line != words["sample"]],
        "sealed": found.code,
        "typed_code": spaced_code(found.code),
        "groups": _groups(record),
        "bloom_state": _BLOOMS.get(record["state"], "half"),
        "recall_said": recall_said(record, lang),
        "opens": "new" in request.GET and found.state == CertificateState.CURRENT,
        "preview_title": wording.preview_title(record, lang),
        "lever": _lever(record),
        "logged": standing_of(record),
        # Guests are counted on the boards; organisations are not.
        "place": None if wording.is_organisation(record) else _place_of(request, found),
        "is_revoked": found.state == CertificateState.REVOKED,
        "paid_line": money.paid_line(record, found.order_ref, lang),
        "base_url": settings.BASE_URL,
    }
    # With its languages above it, a page needs its own address; guests come by the other. What a
    # recall met is drawn as ever.
    if (
        shown["opens"]
        and not shown["paid_line"]
        and not wording.is_recalled(record)
        and not shown["recall_said"]
    ):
        return _unlisted(HttpResponse(certificate_form.filled(shown, lang)))
    return _unlisted(render(request, "web/certificate/page.html", shown))


# Papers ------------------------------------------------------------------------------------------


def _wanted_language(request: HttpRequest, record: Record) -> str:
    """Return the language of a paper: asked for in the address, else that of its holder."""
    for lang in (request.GET.get("lang", ""), record.get("lang", "")):
        if canonical_lang(lang) in wording.LANGUAGES:
            return canonical_lang(lang)
    return context.language()


def _paper(
    request: HttpRequest,
    certificate: Certificate,
    variant: str,
    content_type: str,
    make: Callable[[], bytes],
) -> HttpResponse:
    """Answer with a kept or a new document; a browser that has it already gets no bytes."""
    etag = f'"{certificate.sha256[:16]}-{certificate.design}-{variant}"'
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        name = f"{certificate.design}-{variant}"
        try:
            content = rendered.keep(certificate.code, certificate.sha256, name, make)
        except (TypesettingError, rendered.TooManyDrawingsError) as error:
            return _not_now(request, certificate, error)
        response = HttpResponse(content, content_type=content_type)
        ending = variant.rpartition(".")[2]
        file_name = f"diandian-{spaced_code(certificate.code)}.{ending}"
        response["Content-Disposition"] = f'inline; filename="{file_name}"'
    response["ETag"] = etag
    return _unlisted(response)


def _not_now(request: HttpRequest, certificate: Certificate, error: DiandianError) -> HttpResponse:
    shown = {"code": certificate.code, "error": error}
    response = render(request, "web/certificate/not_now.html", shown, status=503)
    response["Retry-After"] = "60"
    return _unlisted(response)


def _valid(request: HttpRequest, code: str) -> Certificate | HttpResponse:
    """Return a certificate that still stands: no paper is made of a revoked one."""
    found = _find(request, code)
    if isinstance(found, Certificate) and found.state == CertificateState.REVOKED:
        address = {"code": found.code}
        return render(request, "web/certificate/revoked.html", address, status=410)
    return found


def pdf(request: HttpRequest, code: str) -> HttpResponse:
    """Send the A4 certificate; ``?ink=1`` on white ground, ``?lang=`` in another language."""
    found = _valid(request, code)
    if isinstance(found, HttpResponse):
        return _unlisted(found)
    lang = _wanted_language(request, queries.record_of(found))
    ink = request.GET.get("ink") == "1"

    def make() -> bytes:
        return design.render_pdf(found.credential, lang, ink_saver=ink, design_key=found.design)

    variant = f"{lang}-ink.pdf" if ink else f"{lang}.pdf"
    return _paper(request, found, variant, "application/pdf", make)


def png(request: HttpRequest, code: str) -> HttpResponse:
    """Send the certificate as a picture for a phone."""
    found = _valid(request, code)
    if isinstance(found, HttpResponse):
        return _unlisted(found)
    record = queries.record_of(found)
    lang = _wanted_language(request, record)

    def make() -> bytes:
        return design.render_phone_png(record, lang, design_key=found.design)

    return _paper(request, found, f"{lang}-phone.png", "image/png", make)


def share(request: HttpRequest, code: str) -> HttpResponse:
    """Send the picture to share: it names nobody and leads to the scene."""
    found = _valid(request, code)
    if isinstance(found, HttpResponse):
        return _unlisted(found)
    record = queries.record_of(found)
    lang = _wanted_language(request, record)
    slug = (record["scene"] or {}).get("slug")
    target = settings.BASE_URL + (reverse("scene", args=[slug]) if slug else reverse("home"))

    def make() -> bytes:
        return design.render_share_png(record, target, lang, design_key=found.design)

    return _paper(request, found, f"{lang}-share.png", "image/png", make)


def preview(request: HttpRequest, code: str) -> HttpResponse:
    """Send the bloom alone: what a chat shows beside the link. It says nothing about anybody."""
    found = _valid(request, code)
    if isinstance(found, HttpResponse):
        return _unlisted(found)
    record = queries.record_of(found)

    def make() -> bytes:
        return design.render_preview_png(record, design_key=found.design)

    return _paper(request, found, "preview.png", "image/png", make)


def document(request: HttpRequest, code: str) -> HttpResponse:
    """Send the signed record, byte for byte as it was signed, also of a revoked certificate.

    ``?version=`` asks for an earlier one, as long as it is kept.
    """
    found = _find(request, code)
    version = wanted_version(request)
    if isinstance(found, Certificate) and version not in {None, found.version}:
        found = queries.version_of(found.code, version or 0) or not_found(request)
    if isinstance(found, HttpResponse):
        return _unlisted(found)
    response = HttpResponse(canonical_json(found.credential), content_type="application/json")
    earlier = f"-version-{version}" if version else ""
    name = f"diandian-{spaced_code(found.code)}{earlier}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return _unlisted(response)


def proof(request: HttpRequest, code: str) -> HttpResponse:
    """Send the proof that the retirement stands in the public log, to be checked offline."""
    found = _find(request, code)
    if isinstance(found, HttpResponse):
        return _unlisted(found)
    text = proof_about(queries.record_of(found))
    if text is None:
        response = render(request, "web/log/not_yet.html", {"code": found.code}, status=404)
        response["Retry-After"] = "5"
        return _unlisted(response)
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    name = f"diandian-{spaced_code(found.code)}.tlog-proof"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return _unlisted(response)
