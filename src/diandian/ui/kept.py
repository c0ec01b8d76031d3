"""Parts of pages that are the same for all who see the same facts: drawn once, then kept a while.

Everything that a part says is in its key, so that an old one is never a wrong one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.template.loader import get_template
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from diandian.kernel.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping


class Kept:
    """A template whose drawings are kept by language and key.

    ``seconds``: how long; ``maxsize``: how many at most.
    """

    def __init__(self, template: str, *, seconds: int = 600, maxsize: int = 2_000) -> None:
        self._template = template
        self._drawn: Memory[SafeString] = Memory(seconds, maxsize)

    def draw(self, key: Hashable, context: Callable[[], Mapping[str, object]]) -> SafeString:
        """Return the part; ``context`` is asked only when it must be drawn."""
        known_as = get_language(), key
        drawn = self._drawn.get(known_as)
        if drawn is None:
            drawn = SafeString(get_template(self._template).render(dict(context())))
            self._drawn.put(known_as, drawn)
        return drawn
