"""Tables from strangers: all or nothing, every problem at its row and column."""

import io
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.emissions.factor_set import FactorSet, newest
from diandian.emissions.inventory.errors import SheetError
from diandian.emissions.inventory.imports import Import, dry_run, template
from diandian.emissions.scene_kind import scene_kinds
from tests.workbooks import book

pytestmark = pytest.mark.pure

GOOD = "activity,amount,unit,quality,note\nelectricity,1200,kWh,metered,hall\nbeer,3,,estimated,\n"


def read(data: bytes) -> Import:
    return dry_run(data, newest(), "CN-SC")


HEAD = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>activity</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>amount</t></is></c></row>'
)


def test_a_csv_is_read() -> None:
    found = read(GOOD.encode())
    assert not found.problems
    assert [(e.key, e.activity, e.unit) for e in found.entries] == [
        ("row 2", "electricity", "kWh"),
        ("row 3", "beer", "litre"),
    ]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("gb18030"),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
    ],
)
def test_files_as_spreadsheets_save_them(encode: Callable[[str], bytes]) -> None:
    chinese = "活动,数量,单位,备注\nelectricity,1200,度,会场用电\n"
    (entry,) = read(encode(chinese)).entries
    assert (entry.unit, entry.note) == ("kWh", "会场用电")


def test_every_problem_is_told_and_nothing_is_imported() -> None:
    rows = [
        "activity,amount,unit,quality,colour",
        "electricity,1200,kWh,metered,red",
        "perpetuum,1,,,",
        "beer,many,kg,sure,",
        ",,,,",
        'diesel,"1,234",,,',
        "electricity,1200,kWh,metered,blue",
        "paper,,,,",
    ]
    found = read("\n".join(rows).encode())
    assert found.entries == ()
    assert found.unknown_columns == ("colour",)
    told = [(p.row, p.column, p.error.code) for p in found.problems]
    assert told == [
        (3, "activity", "unknown_activity"),
        (4, "amount", "not_a_number"),
        (4, "unit", "unit_unfit"),
        (4, "quality", "unknown_choice"),
        (6, "amount", "ambiguous_number"),
        (7, "activity", "duplicate_row"),
        (8, "amount", "amount_missing"),
    ]
    assert all("%(" not in p.error.text() for p in found.problems)


def test_a_workbook_is_read() -> None:
    strings = (
        "<si><t>activity</t></si><si><t>amount</t></si>"
        "<si><r><t>elec</t></r><r><t>tricity</t></r><rPh><t>dian</t></rPh></si>"
    )
    sheet = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
        '<row r="4"><c r="A4" t="s"><v>2</v></c><c r="B4"><f>2*600.05</f>'
        "<v>1200.0999999999999</v></c></row>"
    )
    (entry,) = read(book(sheet, strings)).entries
    assert (entry.key, entry.activity, str(entry.amount)) == (
        "row 4", "electricity", "1200.100000",
    )  # fmt: skip


def test_a_workbook_without_positions_is_read() -> None:
    sheet = (
        '<row><c t="inlineStr"><is><t>activity</t></is></c><c t="str"><v>amount</v></c></row>'
        '<row><c t="inlineStr"><is><t>beer</t></is></c><c><v>5</v></c></row>'
    )
    assert read(book(sheet)).entries[0].key == "row 2"


def test_an_error_cell_is_a_problem_of_its_row() -> None:
    sheet = HEAD + (
        '<row r="2"><c r="A2" t="inlineStr"><is><t>beer</t></is></c>'
        '<c r="B2" t="e"><v>#REF!</v></c></row>'
    )
    (problem,) = read(book(sheet)).problems
    assert (problem.row, problem.column) == (2, "amount")


BOMB = "<!DOCTYPE x [<!ENTITY a 'aaaa'>]>"
MERGED = book(
    HEAD + '</sheetData><mergeCells count="1"><mergeCell ref="C2:C4"/></mergeCells><sheetData>'
)
WIDE = '<row r="2"><c r="XFD2"><v>1</v></c></row>'


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"), (b"  \n", "empty"), (b"activity,amount\n", "empty"),
        (b"a" * 2_000_001, "larger"), (b"\xd0\xcf\x11\xe0rest", "password"),
        (b"PK\x03\x04 and no more", "damaged"), (b"what,how much\nbeer,1\n", "first row"),
        (b"activity,amount,amount\nbeer,1,2\n", "same name"), (b"\x00\xff\xfe", "encoding"),
        (b'activity,amount\n"beer,1\n', "quotation"),
        (b"activity,amount\n" + b"beer,1\n" * 5002, "5,000 rows"),
        (b"activity,amount\n" + b"," * 50 + b"x\n", "40 columns"),
        (b"activity,amount\nbeer," + b"1" * 3000 + b"\n", "2,000 characters"),
        (book(HEAD + WIDE), "40 columns"),
        (book(HEAD + '<row r="2"><c r="A2" t="s"><v>99</v></c></row>'), "damaged"),
        (book(HEAD + '<row r="2"><c r="A2" t="s"><v>' + "9" * 5000 + "</v></c></row>"), "damaged"),
        (book(HEAD + "<row"), "damaged"),
        (MERGED, "merged"),
        (book(HEAD, extra={"xl/worksheets/sheet1.xml": BOMB.encode() + b"<a/>"}), "instructions"),
        (book(HEAD, extra={"xl/workbook.xml": BOMB.encode("utf-16")}), "instructions"),
        (book(HEAD, extra={"xl/worksheets/sheet1.xml": b" " * 21_000_000}), "unpacks"),
        (book(HEAD, extra={f"part{n}": b"" for n in range(500)}), "unpacks"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(SheetError) as caught:
        read(data)
    assert why in str(caught.value.params["why"])


def test_a_lying_size_in_the_list_is_not_believed() -> None:
    data = bytearray(book(HEAD, extra={"xl/worksheets/sheet1.xml": b" " * 21_000_000}))
    size = (21_000_000).to_bytes(4, "little")
    while (at := data.find(size)) >= 0:
        data[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(SheetError):
        read(bytes(data))


def test_a_book_without_its_sheet_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "no table")
    with pytest.raises(SheetError):
        read(out.getvalue())


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = read(data)
    except SheetError:
        return
    assert found.problems or found.entries


@given(st.lists(st.lists(st.text(max_size=12), min_size=2, max_size=6), max_size=6))
def test_any_cells_are_read_or_refused(rows: list[list[str]]) -> None:
    import csv

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["activity", "amount", "unit", "note", "share_pct", "owner"])
    writer.writerows(rows)
    try:
        found = read(out.getvalue().encode("utf-8", "replace"))
    except SheetError:
        return
    assert not (found.problems and found.entries)


def test_the_template_of_every_kind_can_be_filled_in(factors: FactorSet) -> None:
    for kind in scene_kinds().values():
        lines = template(kind.host_sources).removeprefix("\ufeff").split("\r\n")
        open_rows = dry_run("\n".join(lines).encode(), factors, "CN-SC")
        assert {p.error.code for p in open_rows.problems} == {"amount_missing"}
        at = lines[0].split(",").index("amount")
        for number, line in enumerate(lines[1:-1], 1):
            cells = line.split(",")
            cells[at] = str(number)
            lines[number] = ",".join(cells)
        filled = dry_run("\ufeff".encode() + "\n".join(lines).encode(), factors, "CN-SC")
        assert not filled.problems
        assert len(filled.entries) == len(open_rows.problems)
