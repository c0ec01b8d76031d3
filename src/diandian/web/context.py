"""What several guest pages need: the language for data, the scene's words, remembered reads."""

from dataclasses import dataclass

from django.utils.translation import get_language

from diandian.claims.levels import allowed_style
from diandian.emissions.scene_kind import scene_kinds
from diandian.kernel.memory import Memory, ttl_cache
from diandian.kernel.money import Money
from diandian.orders import offers as order_offers
from diandian.orders import queries as orders
from diandian.orders.offers import OfferView
from diandian.orders.queries import Progress
from diandian.registry.recalls import marks
from diandian.scenes import queries as scenes
from diandian.scenes.models import Scene
from diandian.ui.format import canonical_lang, day_range, pick, unmarked


def language() -> str:
    """Return the visitor's language as data are keyed: zh-Hans, en, nl."""
    return canonical_lang(get_language() or "en")


def style_of(scene: Scene) -> str:
    """Return the family of words that may be shown for a scene."""
    return str(allowed_style(scene.claim_style, scene.country, scene.audience))


def words(names: dict[str, str]) -> str:
    """Return a text of the data in the visitor's language, without word joints."""
    return pick(names, language()).replace("|", "")


def shown_name(scene: Scene, names: dict[str, str]) -> str:
    """Return a name of a scene, its host or its place for a screen that says "sample data" once."""
    name = pick(names, language())
    return unmarked(name) if scene.is_sample else name


@ttl_cache(2)
def published_scene(slug: str) -> Scene:
    """Return a published scene with its parts; read only, shared by this process for two seconds.

    Raises: SceneNotFoundError, SceneNotPublishedError.
    """
    return scenes.published(slug)


@ttl_cache(2)
def progress_of(scene_id: int) -> Progress:
    """Return how far a scene is."""
    return orders.scene_progress(Scene(id=scene_id))


@ttl_cache(60)
def typical_price(scene_id: int) -> tuple[Money, Money] | None:
    """Return what most guests of a scene paid."""
    return orders.typical_price(Scene(id=scene_id))


_offers: Memory[list[OfferView]] = Memory(seconds=2)


def offers() -> list[OfferView]:
    """Return what is on sale, as of two seconds ago at most; ordering looks again."""
    found = _offers.get("all")
    if found is None:
        found = order_offers.on_sale()
        _offers.put("all", found)
    return found


def forget_offers() -> None:
    """Look again at the stock: somebody was told just now that it is not what we showed."""
    _offers.forget()


@dataclass(frozen=True, slots=True)
class Totals:
    """All retirements of the platform, and the grams of them that stand."""

    count: int
    mass_g: int


@ttl_cache(10)
def totals() -> Totals:
    """Return how much was retired in all; a recalled gram and its replacement count once."""
    found = marks.all_standing()
    return Totals(found.count, found.mass_g)


@ttl_cache(3600)
def kind_name(kind: str, lang: str) -> str:
    """Return the name of a kind of scene."""
    return pick(scene_kinds()[kind].names, lang) if kind in scene_kinds() else kind


@dataclass(frozen=True, slots=True)
class Card:
    """A scene in a list."""

    slug: str
    kind: str
    kind_name: str
    name: str
    city: str
    venue: str
    dates: str
    is_sample: bool


def card(scene: Scene) -> Card:
    """Return what a list says of a scene."""
    return Card(
        slug=scene.slug,
        kind=scene.kind,
        kind_name=kind_name(scene.kind, language()),
        name=shown_name(scene, scene.names).replace("|", ""),
        city=words(scene.city_names),
        venue=words(scene.venue_names),
        dates=day_range(scene.starts_on, scene.ends_on, language()) if scene.ends_on else "",
        is_sample=scene.is_sample,
    )
