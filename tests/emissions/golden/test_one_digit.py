"""One digit of one factor, changed on disk: golden corpus, second opinion and command all fail."""

import csv
import io
import json
import random
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from diandian.emissions import factor_set as sets
from diandian.emissions.replay import NotReplayableError, replay
from tests.emissions.golden import corpus
from tests.emissions.second_opinion import data
from tests.emissions.second_opinion.visits import KINDS, second_opinion

pytestmark = [pytest.mark.pure, pytest.mark.golden]

ROWS = 8
Name = tuple[str, str, str]
Stated = dict[str, Any]
PACKAGE = sets.HERE


@cache
def used() -> dict[Name, list[Stated]]:
    """Return the visits of the corpus by the rows on which they rest, the heaviest first."""
    found: dict[Name, list[tuple[int, int, Stated]]] = {}
    for number, (_, stated) in enumerate(corpus.stated()):
        if stated["inputs"].get("kind", "lines") not in KINDS:
            continue
        for line in stated["lines"]:
            name = (line["factor_id"], line["factor_region"], line["factor_set"])
            if name[2] not in {"own", "m1"}:
                found.setdefault(name, []).append((-line["mass_g"], number, stated))
    return {name: [each for *_, each in sorted(some, key=lambda s: s[:2])]
            for name, some in sorted(found.items())}  # fmt: skip


def chosen() -> list[Name]:
    """Return some of the rows: drawn by dice among those that carry ten kilograms and more."""
    heavy = [
        name
        for name, some in used().items()
        if max(line["mass_g"] for line in some[0]["lines"] if name == named(line)) >= 10_000
    ]
    assert len(heavy) > 10 * ROWS
    return random.Random("one digit").sample(heavy, ROWS)


def named(line: Stated) -> Name:
    return line["factor_id"], line["factor_region"], line["factor_set"]


def forget() -> None:
    """Let both programs read their tables anew."""
    for remembered in (sets._publisher_sets, sets.factor_sets, sets.factor_set, data._publishers):
        remembered.cache_clear()


@pytest.fixture
def copy_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let both programs read a copy of the factors."""
    for name in ("factor_sets", "editions"):
        shutil.copytree(PACKAGE / name, tmp_path / name)
    (tmp_path / "geo_data").symlink_to(PACKAGE / "geo_data")
    monkeypatch.setattr("diandian.emissions.factor_set.HERE", tmp_path)
    monkeypatch.setattr("tests.emissions.second_opinion.data.FOLDER", tmp_path)
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def slip(folder: Path, name: Name) -> Path:
    """Change the last digit of one value; return the table. Nothing else of it changes."""
    factor_id, region, publisher = name
    [head] = [
        path
        for path in folder.glob("factor_sets/*/set.toml")
        if f'id = "{publisher}"' in path.read_text(encoding="utf-8")
    ]
    path = head.with_name("factors.csv")
    before = path.read_bytes()
    rows = list(csv.DictReader(io.StringIO(before.decode(), newline="")))
    [row] = [row for row in rows if (row["id"], row["region"]) == (factor_id, region)]
    value = row["value_kgco2e"]
    row["value_kgco2e"] = value[:-1] + str((int(value[-1]) + 1) % 10)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(row), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    after = text.getvalue().encode()
    assert len(before) == len(after)
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    path.write_bytes(after)
    return path


def reseal(folder: Path, table: Path) -> None:
    """Write the digests of set and editions anew, as somebody would who hides the slip."""
    rewrite(table.with_name("set.toml"), sha256(table.read_bytes()).hexdigest())
    forget()
    digests = {info.id: info.sha256 for info in sets.publisher_sets()}
    for path in folder.glob("editions/*.toml"):
        head = tomllib.loads(path.read_text(encoding="utf-8"))
        rewrite(path, sets.edition_digest(head, digests))
    forget()


def rewrite(path: Path, digest: str) -> None:
    text, count = re.subn(r'(?m)^sha256 = "\w+"$', f'sha256 = "{digest}"', path.read_text("utf-8"))
    assert count == 1
    path.write_text(text, encoding="utf-8")


def refusal(file: Path) -> tuple[int, str]:
    with pytest.raises(CommandError) as caught:
        call_command("replay", str(file), stdout=io.StringIO())
    return caught.value.returncode, str(caught.value)


@pytest.fixture
def as_file(tmp_path: Path) -> Callable[[Stated], Path]:
    def write(stated: Stated) -> Path:
        path = tmp_path / "certificate.json"
        path.write_text(json.dumps({"estimate": stated}), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("number", range(ROWS))
def test_all_three_fail(number: int, copy_of_ours: Path, as_file: Callable[[Stated], Path]) -> None:
    name = chosen()[number]
    resting = used()[name]
    assert replay(resting[0]).same  # the copy itself is sound
    assert second_opinion(
        resting[0]["inputs"], data.Factors(resting[0]["factor_set_id"])
    ).mass_g == resting[0]["mass_g"]  # fmt: skip
    reseal(copy_of_ours, slip(copy_of_ours, name))

    # The golden corpus: every footprint that rests on the row, and the heaviest by its grams.
    for stated in resting:
        where = {part.where for part in replay(stated).differences}
        lines = [n for n, line in enumerate(stated["lines"]) if named(line) == name]
        assert where >= {f"lines.{n}.value" for n in lines}
    heaviest = resting[0]
    assert "mass_g" in {part.where for part in replay(heaviest).differences}

    # The second opinion.
    other = second_opinion(heaviest["inputs"], data.Factors(heaviest["factor_set_id"]))
    assert other.mass_g != heaviest["mass_g"]

    # The command.
    code, why = refusal(as_file(heaviest))
    assert code == 1
    assert ".value: stated" in why
    assert "mass_g: stated" in why


def test_without_new_digests_nothing_is_computed(
    copy_of_ours: Path, as_file: Callable[[Stated], Path]
) -> None:
    name = chosen()[0]
    heaviest = used()[name][0]
    slip(copy_of_ours, name)
    forget()
    with pytest.raises(NotReplayableError, match="FactorSetBrokenError"):
        replay(heaviest)
    code, why = refusal(as_file(heaviest))
    assert (code, "digest" in why) == (2, True)
    # The second opinion asks for no digest; it sees the grams.
    other = second_opinion(heaviest["inputs"], data.Factors(heaviest["factor_set_id"]))
    assert other.mass_g != heaviest["mass_g"]
