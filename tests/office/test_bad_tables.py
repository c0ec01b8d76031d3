"""Tables as they go wrong in real offices: each is refused where it is wrong, never half taken."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from diandian.emissions.inventory.compute import estimate
from diandian.footprints.inventory import factors_of
from diandian.footprints.models import InventoryVersion
from tests.office.host_world import client_of, draft, organisation, person
from tests.office.inventory_world import base, sheet_of
from tests.workbooks import book

pytestmark = pytest.mark.django_db
HEAD = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>activity</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>amount</t></is></c></row>'
)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture
def desk(db):
    return client_of(person("zhou@example.org"))


@pytest.fixture
def scene(desk):
    return draft(desk, organisation(person("zhou@example.org")))


def send(desk, scene, data, name="table.csv"):
    return desk.post(f"{base(scene)}/import", {"file": SimpleUploadedFile(name, data)})


def told(answer):
    """Return what the page says of each cell: row, column, words."""
    rows = re.findall(r"<tr><td>(\d+)</td><td>(\w+)</td><td>(.*?)</td>", answer.content.decode())
    return [(int(row), column, words) for row, column, words in rows]


def row(number, activity, amount):
    return (
        f'<row r="{number}"><c r="A{number}" t="inlineStr"><is><t>{activity}</t></is></c>'
        f'<c r="B{number}">{amount}</c></row>'
    )


@pytest.mark.parametrize(
    ("data", "name", "why"),
    [
        (b"activity,amount\n" + b"beer,1\n" * 100_000, "a.csv", "5,000 rows"),
        (
            book(
                HEAD
                + row(2, "beer", "<v>1</v>")
                + '</sheetData><mergeCells><mergeCell ref="A2:A3"/></mergeCells><sheetData>'
            ),
            "a.xlsx",
            "merged cells",
        ),
        ("活動,數量\n啤酒,1\n".encode("big5"), "a.csv", "first row"),
        (b"\xff\xfe" + "activity,amount\nbeer,1\n".encode("utf-16-be"), "a.csv", "first row"),
    ],
    ids=["a hundred thousand rows", "merged cells", "another encoding", "a mark that lies"],
)
def test_a_whole_file_is_refused_in_words(desk, scene, data, name, why):
    answer = send(desk, scene, data, name)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert why in page
    assert "Nothing was imported" in page
    assert 'name="digest"' not in page
    assert not InventoryVersion.objects.exists()


def test_a_formula_counts_by_its_stored_value_and_never_as_nothing(desk, scene):
    with_value = row(2, "electricity", "<f>600*2</f><v>1200</v>")
    never_computed = row(3, "beer", "<f>B2/40</f>")
    answer = send(desk, scene, book(HEAD + with_value + never_computed), "a.xlsx")
    ((number, column, words),) = told(answer)
    assert (number, column) == (3, "amount")
    assert "The amount is missing" in words
    assert not InventoryVersion.objects.exists()
    right = send(desk, scene, book(HEAD + with_value), "a.xlsx")
    assert "1,200 kWh" in right.content.decode()


def test_every_row_says_what_is_wrong_with_it_and_the_good_ones_wait(desk, scene):
    rows = [
        "activity,amount,unit,share_pct,uses,owner",
        "electricity,1200,kWh,,,",
        "waste_landfill,-20,kg,,,",
        "waste_landfill,0.0x,kg,,,",
        "diesel,40,kg,,,",
        "electricity,9,passenger-km,,,",
        "coach,1e13,km,,,",
        "paper,10,kg,0,,",
        "paper,11,kg,,0,",
        "paper,12,kg,,,split 0.5.1",
    ]
    answer = send(desk, scene, "\n".join(rows).encode())
    assert answer.status_code == 422
    assert [(number, column) for number, column, _ in told(answer)] == [
        (3, "amount"), (4, "amount"), (5, "unit"), (6, "unit"), (7, "amount"),
        (8, "share_pct"), (9, "uses"), (10, "owner"),
    ]  # fmt: skip
    words = [each for _, _, each in told(answer)]
    assert "“-20” is below zero, so it was not counted" in words[0]
    assert "counted in litres" in words[2], "the unit in words, not its key"
    assert "0 to 1,000,000,000,000" in words[4]
    assert all("%(" not in each for each in words)
    assert not InventoryVersion.objects.exists()


def test_a_place_without_a_factor_is_said_as_such_and_never_counted_as_zero(desk):
    hosts = organisation(person("zhou@example.org"), legal_name="Hosts abroad")
    abroad = draft(desk, hosts, place="Amsterdam", slug="abroad")
    answer = send(desk, abroad, b"activity,amount\nflight_china,900\n")
    ((number, column, words),) = told(answer)
    assert (number, column) == (2, "activity")
    assert "no published factor for “flight_china” at this place" in words
    assert not InventoryVersion.objects.exists()


@pytest.mark.parametrize("amount", ["0", "0.000", "-0"])
def test_a_written_zero_is_a_statement_and_stays_one(desk, scene, amount):
    checked = send(desk, scene, f"activity,amount,note\nbeer,{amount},none served\n".encode())
    digest = re.search(r'name="digest" value="(\w+)"', checked.content.decode())[1]
    desk.post(f"{base(scene)}/import", {"digest": digest})
    (entry,) = sheet_of(scene).all_entries()
    assert (entry.amount, entry.note) == (0, "none served")
    assert estimate([entry], factors_of(scene), scene.region).own.mass_g == 0
