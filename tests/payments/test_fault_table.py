"""Every row of the table of faults is tried wherever it can happen, or the table says why not."""

import ast

import pytest

from tests.payments import fault_table

pytestmark = pytest.mark.house


def test_every_row_is_tried_or_says_why_not():
    assert list(fault_table.faults()) == []


def suite(*files):
    return lambda: tuple(
        each for file, text in files for each in fault_table._tests_of(file, ast.parse(text))
    )


IN_BROWSER = "browser/test_trouble.py::test_silent_payment_is_found_by_asking"
IN_HOUSE = "import pytest\npytestmark = pytest.mark.django_db\n"


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ([], "row 7 (bad news after success) is not tried in house, and no reason is given"),
        (
            [("flows/test_a.py", "def test_07_a(): ...")],
            "row 7 is not tried on PostgreSQL",
        ),
        (
            [("flows/test_a.py", f"{IN_HOUSE}@pytest.mark.postgres\ndef test_07_a(): ...")],
            "row 7 is not tried on SQLite",
        ),
        (
            [("flows/test_a.py", f"{IN_HOUSE}def test_49_a(): ...")],
            "flows/test_a.py::test_49_a names a row that there is not",
        ),
        (
            [("browser/test_a.py", "def test_06_07_a(): ...")],
            "row 7 is tried in browser, and the table says that it is not",
        ),
        (
            [],
            f"row 5 names a test that there is not: {IN_BROWSER}",
        ),
    ],
)
def test_a_gap_is_named(monkeypatch, files, fault):
    monkeypatch.setattr(fault_table, "tests", suite(*files))
    assert fault in set(fault_table.faults())


def test_a_test_counts_where_its_file_stands():
    files = (
        ("payments/gateways/test_alipay_money_back.py", "def test_30_a(): ..."),
        ("payments/gateways/test_contract.py", "def test_21_a(): ..."),
        ("payments/test_sandbox.py", "def test_09_a(): ..."),
        ("flows/test_a.py", f"{IN_HOUSE}def test_18_19_a(): ..."),
    )
    places = [(each.rows, each.places, len(each.on)) for each in suite(*files)()]
    assert places == [
        ((30,), ("alipay",), 0),
        ((21,), fault_table.GATEWAYS, 0),
        ((9,), ("sandbox",), 0),
        ((18, 19), ("house",), 2),
    ]
