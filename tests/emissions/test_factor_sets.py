"""Factor sets: complete rows, frozen bytes, the order of asking, honest fallbacks."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from diandian.emissions.errors import (
    FactorMissingError,
    FactorSetBrokenError,
    UnknownFactorSetError,
)
from diandian.emissions.factor import factor_from_row
from diandian.emissions.factor_set import (
    HERE,
    METHOD_VERSION,
    factor_set,
    factor_sets,
    newest,
    publisher_sets,
    read_edition,
    read_publisher_set,
)

pytestmark = pytest.mark.pure

FROZEN = {
    "2026.2": "90a3dd4b55f68fb0a8c8f7c6d8e6deb32b86535c3e559dfd3afc3c954e6af2bd",
    "2026.1": "010997a6bd0193365c57f7fd3f9b5eb5901060b14703a4cd616cbb64ee0c8e85",
    "2025.1": "ead114c933e4ef7c84758d5a99a0da5c3439a38d761bb7a78a5d31c11b636066",
    "2024.1": "dd9fa12c897de09d26e551f9c8b314dfbc0451d33513edd3456d44f10698f8f8",
}


def test_editions_are_what_was_published() -> None:
    assert {edition.id: edition.sha256 for edition in factor_sets()} == FROZEN


def test_newest_edition_comes_first() -> None:
    editions = [edition.id for edition in factor_sets()]
    assert editions == ["2026.2", "2026.1", "2025.1", "2024.1"]
    assert newest().id == "2026.2"


def test_an_edition_names_its_method_for_ever() -> None:
    methods = {edition.id: edition.method_version for edition in factor_sets()}
    assert methods == {"2026.2": "m2", "2026.1": "m1", "2025.1": "m1", "2024.1": "m1"}
    for edition in factor_sets():
        assert edition.by_method("m9") is edition


def test_a_publisher_set_takes_the_method_of_the_day_or_of_the_estimate() -> None:
    whole = factor_set("DESNZ25")
    assert whole.method_version == METHOD_VERSION == newest().method_version
    older = whole.by_method("m1")
    assert (older.method_version, older.id, older.rows()) == ("m1", whole.id, whole.rows())
    assert factor_set("DESNZ25").method_version == METHOD_VERSION


def test_the_edition_of_m2_has_the_rows_of_the_one_before() -> None:
    assert factor_set("2026.2").rows() == factor_set("2026.1").rows()


def test_every_row_has_source_region_year_and_doubt() -> None:
    for edition in factor_sets():
        for row in edition.rows():
            assert row.source_org
            assert row.source_title
            assert row.region
            assert row.year_valid
            assert row.quality_reason
            assert row.value >= 0
            assert row.uncertainty_pct > 0 or row.id.startswith("gwp100.")


def test_no_row_occurs_twice_in_an_edition() -> None:
    for edition in factor_sets():
        keys = [row.key for row in edition.rows()]
        assert len(keys) == len(set(keys))


def test_every_upstream_partner_of_a_default_exists() -> None:
    edition = newest()
    for row in edition.rows():
        if row.id.startswith("transport.") and row.scope_included.startswith("TTW ("):
            base = row.id.removesuffix(".norf")
            if row.factor_set == "DESNZ25":
                assert edition.has(f"{base}.wtt", row.region), row.id


def test_one_changed_digit_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "desnz_2025"
    shutil.copytree(HERE / "factor_sets/desnz_2025", folder)
    rows = folder / "factors.csv"
    rows.write_text(rows.read_text(encoding="utf-8").replace("0.11704", "0.11705"), "utf-8")
    with pytest.raises(FactorSetBrokenError, match="digest"):
        read_publisher_set(folder)


def test_windows_line_ends_are_not_a_change(tmp_path: Path) -> None:
    folder = tmp_path / "mee_2023"
    shutil.copytree(HERE / "factor_sets/mee_2023", folder)
    rows = folder / "factors.csv"
    rows.write_bytes(rows.read_bytes().replace(b"\n", b"\r\n"))
    info, read = read_publisher_set(folder)
    assert len(read) == info.rows


def test_an_edition_with_another_order_is_another_edition(tmp_path: Path) -> None:
    text = (HERE / "editions/2026.1.toml").read_text(encoding="utf-8")
    changed = tmp_path / "2026.1.toml"
    changed.write_text(text.replace('"DESNZ25", "MEE23"', '"MEE23", "DESNZ25"'), "utf-8")
    with pytest.raises(FactorSetBrokenError):
        read_edition(changed)


@pytest.mark.parametrize("column", ["region", "source_org", "year_valid", "uncertainty_pct"])
def test_a_row_without_origin_is_no_factor(column: str) -> None:
    row = {
        "id": "x", "activity": "", "activity_zh": "", "unit": "kg", "region": "CN",
        "proxy_for": "", "value_kgco2e": "1", "scope_included": "", "year_valid": "2023",
        "factor_set": "X", "source_id": "X", "source_org": "X", "source_title": "X",
        "source_year": "2023", "source_table": "", "licence": "X", "uncertainty_pct": "5",
        "quality": "A", "quality_reason": "x", "status": "verified", "notes": "",
    }  # fmt: skip
    assert factor_from_row(row).value == 1
    with pytest.raises(ValueError, match=column):
        factor_from_row(row | {column: ""})


def test_own_row_of_the_province_comes_first() -> None:
    found = newest().find("energy.electricity.grid", "CN-SC")
    assert (found.factor.value, found.step, found.reason) == (Decimal("0.1564"), 2, "")
    assert found.factor.factor_set == "MEE23"


def test_tibet_takes_the_national_grid_and_says_so() -> None:
    found = newest().find("energy.electricity.grid", "CN-XZ")
    assert found.factor.value == Decimal("0.5306")
    assert (found.step, found.reason) == (3, "country_row")


def test_a_stand_in_is_one_grade_worse() -> None:
    found = newest().find("transport.road.car.average.petrol", "DE")
    own = newest().find("transport.road.car.average.petrol", "GB")
    assert (own.factor.quality, own.factor.uncertainty_pct, own.step) == ("B", 15, 3)
    assert (found.factor.quality, found.factor.uncertainty_pct, found.step) == ("C", 30, 4)
    assert found.reason == "stand_in"
    assert found.factor.value == own.factor.value


def test_nothing_is_silently_zero() -> None:
    with pytest.raises(FactorMissingError):
        newest().find("accommodation.hotel.room", "CF")
    assert newest().find("energy.electricity.grid", "CF").factor.region == "GLO"


def test_british_and_chinese_years_are_both_kept() -> None:
    row = "transport.air.long_haul.economy.rf"
    assert factor_set("DESNZ24").find(row, "GB").factor.value == Decimal("0.20011")
    assert factor_set("DESNZ25").find(row, "GB").factor.value == Decimal("0.11704")
    assert factor_set("2025.1").find(row, "GB").factor.value == Decimal("0.20011")
    grid = [factor_set(f"MEE{year}").find("energy.electricity.grid", "CN").factor.value
            for year in (21, 22, 23)]  # fmt: skip
    assert grid == [Decimal("0.5568"), Decimal("0.5366"), Decimal("0.5306")]


def test_unknown_set_is_refused() -> None:
    with pytest.raises(UnknownFactorSetError):
        factor_set("2099.9")


def test_publisher_sets_say_licence_and_review_date() -> None:
    for info in publisher_sets():
        assert info.licence
        assert info.attribution
        assert info.review_by >= "2027"
