"""The calculator: questions of a scene, answers kept behind a secret link, the running total."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from diandian.emissions import activity, geo
from diandian.emissions.activity import Question, Value
from diandian.emissions.estimate import Estimate
from diandian.footprints import actions, calculation, queries
from diandian.kernel.clock import business_day, now
from diandian.kernel.errors import DiandianError, InputError, NotFoundError
from diandian.kernel.mass import grams_to_buy
from diandian.kernel.memory import Memory, ttl_cache
from diandian.scenes import queries as scenes
from diandian.scenes.errors import SceneNotFoundError, SceneNotPublishedError
from diandian.scenes.models import Scene
from diandian.ui import drawing
from diandian.web import context, forms
from diandian.web.scenes import unavailable

_SUGGESTED = 8
_pages: Memory[bytes] = Memory(seconds=1)


def _questions(slug: str) -> tuple[Question, ...]:
    # Questions that a host composed are worded in the guest's language.
    return _questions_in(slug, context.language())


@ttl_cache(2)
def _questions_in(slug: str, language: str) -> tuple[Question, ...]:
    del language
    return calculation.questions_of(context.published_scene(slug))


def go(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask the questions; when the answers make sense, keep the footprint and show it."""
    try:
        scene = context.published_scene(slug)
    except (SceneNotFoundError, SceneNotPublishedError) as error:
        return unavailable(request, error)
    if not scenes.takes_orders(scene):
        return redirect("scene", slug)
    if request.method == "POST":
        return _answered(request, scene)
    mark = request.GET.get("c", "")
    mark = mark if scenes.has_mark(scene, mark) else ""
    if "from" in request.GET:
        return _page(request, scene, _earlier_answers(request.GET["from"], scene), {}, mark=mark)
    return _empty_page(request, scene, mark)


def _empty_page(request: HttpRequest, scene: Scene, mark: str) -> HttpResponse:
    """Answer the questions before anything is typed: for a second the same for everybody."""
    key = (request.path, request.META.get("QUERY_STRING", ""), context.language())
    kept = _pages.get(key)
    if kept is None:
        kept = _page(request, scene, {}, {}, mark=mark).content
        _pages.put(key, kept)
    return HttpResponse(kept)


def _earlier_answers(token: str, scene: Scene) -> dict[str, str]:
    """Return the answers behind a secret link of the same scene, to change them."""
    if not token:
        return {}
    try:
        footprint = queries.by_token(token)
    except NotFoundError:
        return {}
    return forms.raw_of_values(footprint.answers) if footprint.scene_id == scene.id else {}


def _answered(request: HttpRequest, scene: Scene) -> HttpResponse:
    questions = _questions(scene.slug)
    raw = forms.raw_answers(questions, request.POST)
    mark = request.POST.get("c", "")
    mark = mark if scenes.has_mark(scene, mark) else ""
    parsed = activity.parse(questions, raw)
    errors: dict[str, DiandianError] = dict(parsed.errors)
    if not errors:
        values = parsed.values
        try:
            estimate = calculation.calculate(scene, values)
        except DiandianError as error:
            errors[getattr(error, "field", "")] = error
        else:
            return _keep(scene, values, estimate, mark)
    return _page(request, scene, raw, errors, mark=mark)


def _keep(scene: Scene, values: Mapping[str, Value], estimate: Estimate, mark: str) -> HttpResponse:
    footprint = actions.save(
        scene=scene,
        values=values,
        estimate=estimate,
        poster_mark=mark,
        at=now(),
    )
    response = redirect("scene_result", scene.slug, footprint.token)
    response.status_code = 303
    return response


def _page(
    request: HttpRequest,
    scene: Scene,
    raw: Mapping[str, str],
    errors: Mapping[str, DiandianError],
    *,
    mark: str,
) -> HttpResponse:
    at_fields = {key: error for key, error in errors.items() if isinstance(error, InputError)}
    fields = forms.fields(_questions(scene.slug), raw, at_fields)
    fine = [field for field in fields if field.fine_tune]
    return render(
        request,
        "web/calculator/page.html",
        {
            "scene": scene,
            "phase": scenes.phase(scene, business_day()),
            "mark": mark,
            "errors": forms.summary(errors),
            "main": [field for field in fields if not field.fine_tune],
            "fine": fine,
            "asks_nights": any(field.key == "nights" for field in fields),
            "fine_open": any(field.key in errors for field in fine),
            "destination": context.words(scene.city_names),
            "back_url": reverse("scene", args=[scene.slug]),
            **_live(scene, raw),
        },
        # A field error is an answer to the form, not a failure of the address.
        status=422 if errors else 200,
    )


def _live(scene: Scene, raw: Mapping[str, str]) -> dict[str, object]:
    """Return the dots of the answers so far, or nothing while they make no sense yet."""
    parsed = activity.parse(_questions(scene.slug), raw)
    if parsed.errors:
        return {}
    try:
        estimate = calculation.calculate(scene, parsed.values)
    except DiandianError:
        return {}
    return dots_of(estimate)


def dots_of(estimate: Estimate) -> dict[str, object]:
    """Return an estimate as dots by category, with their scale."""
    scale = drawing.scale_for(grams_to_buy(estimate.mass_g)).kg_per_dot
    dots = drawing.dots_by_category(estimate.by_category(), scale)
    return {"dots": dots, "count": sum(dots.values()), "scale": scale}


def total(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer the running total of half-filled answers, for pages with scripts."""
    try:
        scene = context.published_scene(slug)
    except NotFoundError:
        return HttpResponse(status=404)
    raw = forms.raw_answers(_questions(slug), request.POST)
    return render(request, "web/calculator/_live.html", _live(scene, raw))


def places(request: HttpRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the address
    """Answer names of places that begin like what is being typed, for pages with scripts."""
    typed = request.GET.get(request.GET.get("field", ""), "")[: geo.LONGEST_NAME]
    found = geo.find_places(typed, limit=_SUGGESTED) if typed.strip() else []
    labels = [place.label(context.language()) for place in found]
    response = render(request, "web/calculator/_places.html", {"labels": labels})
    response["Cache-Control"] = "public, max-age=3600"
    return response
