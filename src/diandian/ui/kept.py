"""Parts of pages that are the same for all who see the same facts: drawn once, then kept a while.

Everything that a part says is in its key, so that an old one is never a wrong one. What differs
from guest to guest and is only printed may stay out of the key: the part is drawn with a blank in
its place, and each guest's own text is written into the blank.
"""

from __future__ import annotations

import re
import secrets
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from django.template.loader import get_template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from diandian.kernel.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

P = ParamSpec("P")
R = TypeVar("R")


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


# Nobody can type a blank: the number is another one in each process.
_SECRET = secrets.token_hex(8)
_BLANK = re.compile(f"\ue000{_SECRET}:([a-z_0-9]+)\ue001")


class Blank(SafeString):
    """A text that is written later. Filters that write numbers leave it as it is."""

    __slots__ = ()


def unless_blank(write: Callable[P, R]) -> Callable[P, R]:
    """Let a tag or filter leave a blank in the place of its first argument as it is."""

    @wraps(write)
    def written(*args: P.args, **kwargs: P.kwargs) -> R:
        return cast("R", args[0]) if isinstance(args[0], Blank) else write(*args, **kwargs)

    return written


def blank(name: str) -> Blank:
    """Return the blank of a name: small letters, digits and underscores."""
    return Blank(f"\ue000{_SECRET}:{name}\ue001")


class Form:
    """A template with blanks, drawn once for each language and key.

    ``seconds``: how long a drawing is kept; ``maxsize``: how many at most.
    """

    def __init__(self, template: str, *, seconds: int = 600, maxsize: int = 500) -> None:
        self._template = template
        self._drawn: Memory[list[str]] = Memory(seconds, maxsize)

    def fill(
        self,
        key: Hashable,
        context: Callable[[], Mapping[str, object]],
        texts: Mapping[str, str],
    ) -> SafeString:
        """Return the part with ``texts`` in the blanks of their names, escaped unless safe.

        ``context`` is asked only when the part must be drawn; it holds ``blank(name)`` where the
        texts come. The template may print a blank or leave it out, and asks nothing else of it.
        """
        known_as = get_language(), key
        drawn = self._drawn.get(known_as)
        if drawn is None:
            # Text and names of blanks by turns.
            drawn = _BLANK.split(get_template(self._template).render(dict(context())))
            self._drawn.put(known_as, drawn)
        filled = drawn.copy()
        filled[1::2] = [conditional_escape(texts[name]) for name in drawn[1::2]]
        return SafeString("".join(filled))
