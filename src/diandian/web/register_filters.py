"""What somebody looks for in the public register, and what the page offers to look for."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext

from diandian.kernel.errors import N_, NotFoundError
from diandian.kernel.memory import ttl_cache
from diandian.registry import queries
from diandian.registry.wanted import Wanted
from diandian.scenes.models import Scene
from diandian.web import context

HOLDERS = {
    "person": N_("Guest"),
    "host": N_("Host"),
    "company": N_("Company"),
    "sponsor": N_("Sponsor"),
    "platform": N_("Platform"),
}
STATES = {
    "retired": N_("retired at its origin"),
    "held": N_("held, to be retired"),
}
_RECENT_ROWS = 20
_LONGEST_VALUE = 60
_YEAR_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Filters:
    """What was asked for; unknown values find nothing instead of everything.

    ``year``: of the reduction; ``retired``: the year of the retirement.
    """

    project: str = ""
    programme: str = ""
    year: str = ""
    retired: str = ""
    scene: str = ""
    holder: str = ""
    state: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> "Filters":
        """Read what an address asks for."""
        names = cls.__slots__
        return cls(**{name: request.GET.get(name, "").strip()[:_LONGEST_VALUE] for name in names})

    def query(self) -> str:
        """Return the filters as part of an address."""
        asked = {name: getattr(self, name) for name in self.__slots__}
        return urlencode({name: value for name, value in asked.items() if value})

    def lookups(self) -> Wanted | None:
        """Return the arguments of the registry's queries, or None when nothing can match."""
        found: Wanted = {
            "programme": self.programme or None,
            "holder_kind": self.holder or None,
            "upstream": self.state or None,
        }
        try:
            if self.project:
                found["project"] = queries.project_by_code(self.project)
            if self.year:
                found["vintage_year"] = _year(self.year)
            if self.retired:
                found["retired_year"] = _year(self.retired)
        except (NotFoundError, ValueError):
            return None
        if self.scene:
            scene = Scene.objects.filter(slug=self.scene).values_list("id", flat=True).first()
            if scene is None:
                return None
            found["context_ref"] = f"scene:{scene}"
        return found


def _year(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) == _YEAR_DIGITS):
        raise ValueError
    return int(text)


def scenes_of(refs: Sequence[str]) -> dict[str, Scene]:
    """Return the scenes that references of retirements name, by these references."""
    ids = {int(ref[6:]) for ref in refs if ref.startswith("scene:") and ref[6:].isdecimal()}
    return {f"scene:{scene.id}": scene for scene in Scene.objects.filter(id__in=ids)}


# What the page offers ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a filter."""

    value: str
    text: str
    on: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One filter with its options; ``name`` is also its part of the address."""

    name: str
    label: str
    choices: Sequence[Choice]


def fields(filters: Filters) -> list[Field]:
    """Return what the filters offer; what was asked for stays selected even if unknown."""
    projects, programmes, scenes = _offered()
    vintages, retired = _years()
    offered = (
        ("project", gettext("Project"), [(key, context.words(names)) for key, names in projects]),
        ("programme", gettext("Issued by"), [(code, code) for code in programmes]),
        ("year", gettext("Year of reduction"), [(str(year), str(year)) for year in vintages]),
        ("retired", gettext("Year of retirement"), [(str(year), str(year)) for year in retired]),
        ("scene", gettext("Scene"), [(key, context.words(names)) for key, names in scenes]),
        ("holder", gettext("Holder"), [(key, gettext(text)) for key, text in HOLDERS.items()]),
        ("state", gettext("State"), [(key, gettext(text)) for key, text in STATES.items()]),
    )
    found = []
    for name, label, options in offered:
        asked = getattr(filters, name)
        if asked and asked not in dict(options):
            options.append((asked, asked))
        choices = [Choice(value, text, value == asked) for value, text in options]
        found.append(Field(name, label, choices))
    return found


_Keyed = list[tuple[str, dict[str, str]]]


@ttl_cache(30)
def _offered() -> tuple[_Keyed, list[str], _Keyed]:
    """Return projects, programmes and the newest published scenes, by key with their names."""
    scenes = Scene.objects.filter(state="published").order_by("-starts_on", "id")[:100]
    projects = queries.projects(active_only=False)
    programmes = sorted({project.programme.code for project in projects})
    return (
        [(project.code, project.names) for project in projects],
        programmes,
        [(scene.slug, scene.names) for scene in scenes],
    )


@ttl_cache(30)
def _years() -> tuple[list[int], list[int]]:
    """Return the vintages on offer and the years of retirements, newest first."""
    ids = [project.id for project in queries.projects(active_only=False)]
    vintages = set(queries.vintage_by_project(ids).values())
    vintages |= {row.vintage_year for row in queries.retirements(limit=_RECENT_ROWS)}
    return sorted(vintages, reverse=True), queries.retired_years()
