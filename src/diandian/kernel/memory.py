"""Short memories of one process: a page may be seconds old rather than ask the database.

Only for what is the same for everybody and may lag a moment; never for secrets or prices paid.
"""

import time
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Generic, ParamSpec, Protocol, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
V = TypeVar("V")


class Memory(Generic[V]):
    """Values that are forgotten after some seconds; at most ``maxsize`` of them."""

    _all: list["Memory[object]"] = []

    def __init__(self, seconds: int, maxsize: int = 512) -> None:
        self.seconds = seconds
        self.maxsize = maxsize
        self._kept: dict[Hashable, tuple[int, V]] = {}
        Memory._all.append(self)  # type: ignore[arg-type]

    def get(self, key: Hashable) -> V | None:
        """Return a value that is still fresh, else None."""
        found = self._kept.get(key)
        return found[1] if found is not None and found[0] > time.monotonic_ns() else None

    def put(self, key: Hashable, value: V) -> None:
        """Keep a value."""
        if len(self._kept) >= self.maxsize:
            # Rare, and cheaper than keeping an order: everything here lives seconds anyway.
            self._kept.clear()
        self._kept[key] = (time.monotonic_ns() + self.seconds * 1_000_000_000, value)

    def forget(self) -> None:
        """Forget every value."""
        self._kept.clear()

    @classmethod
    def forget_everything(cls) -> None:
        """Empty every memory of this process: after sample data were loaded, and between tests."""
        for memory in cls._all:
            memory.forget()


class Remembered(Protocol[P, R_co]):
    """A function whose answers are remembered, until they are forgotten."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Return the answer."""

    def forget(self) -> None:
        """Forget every answer, in this process."""


def ttl_cache(seconds: int, maxsize: int = 512) -> Callable[[Callable[P, R]], Remembered[P, R]]:
    """Remember a function's answers for some seconds, by its arguments; not its errors."""

    def decorate(function: Callable[P, R]) -> Remembered[P, R]:
        memory: Memory[tuple[R]] = Memory(seconds, maxsize)

        @wraps(function)
        def remembered(*args: P.args, **kwargs: P.kwargs) -> R:
            key = (args, tuple(sorted(kwargs.items())))
            found = memory.get(key)
            if found is None:
                # In a tuple, so that None can be remembered too.
                found = (function(*args, **kwargs),)
                memory.put(key, found)
            return found[0]

        remembered.forget = memory.forget  # type: ignore[attr-defined]
        return cast("Remembered[P, R]", remembered)

    return decorate
