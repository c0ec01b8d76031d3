"""Finds plug-ins by looking into a folder: one sub-folder is one plug-in."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType


@cache
def plug_in_keys(package: str) -> tuple[str, ...]:
    """Return the names of the sub-folders of a package that hold a plug-in, sorted."""
    module = import_module(package)
    folder = Path(next(iter(module.__path__)))
    return tuple(
        sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(("_", ".")))
    )


def plug_in_modules(package: str, module_name: str) -> Iterator[tuple[str, ModuleType]]:
    """Yield (key, module) for each plug-in; ``module_name`` is the file that keeps the contract."""
    for key in plug_in_keys(package):
        yield key, import_module(f"{package}.{key}.{module_name}")
