"""Answers that may be seconds old: what is the same for everybody and asked for all the time.

Never for secrets, prices charged or anything of one caller.
"""

import time
from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_forget: list[Callable[[], None]] = []


def remembered(seconds: int, maxsize: int = 512) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Remember a function's answers, but not its errors, for so many seconds at most."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @lru_cache(maxsize=maxsize)
        def at(_tick: int, *args: Hashable, **kwargs: Hashable) -> R:
            return function(*args, **kwargs)  # type: ignore[arg-type]

        _forget.append(at.cache_clear)

        @wraps(function)
        def now(*args: P.args, **kwargs: P.kwargs) -> R:
            # The tick is part of the key, so that an answer ends with its tick.
            return at(int(time.monotonic()) // seconds, *args, **kwargs)  # type: ignore[arg-type]

        return now

    return decorate


def forget_everything() -> None:
    """Forget every answer; between tests."""
    for forget in _forget:
        forget()
