"""The files of the project, as the rules look at them."""

import ast
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "diandian"
DOCS = ROOT / "docs"


@cache
def sources() -> dict[str, ast.Module]:
    """Return the parsed Python files of the package by path below it, without migrations."""
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if "migrations" not in path.parts
    }


@cache
def templates() -> dict[str, str]:
    """Return the templates by the name that Django knows them by."""
    return {
        path.as_posix().partition("/templates/")[2]: path.read_text(encoding="utf-8")
        for path in sorted(PACKAGE.glob("*/templates/**/*"))
        if path.is_file()
    }


@cache
def floor_of_room() -> dict[str, int]:
    """Return the floor of each room, counted from the ground, as the import contracts have it."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "floors")
    return {
        room.strip(): floor
        for floor, layer in enumerate(reversed(layers), start=1)
        for room in layer.split("|")
    }
