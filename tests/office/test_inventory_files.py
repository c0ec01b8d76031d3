"""Tables and evidence from strangers: all or nothing, by content, for members only."""

import hashlib
import io
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.translation import gettext, override

from diandian.audit.models import AuditEntry
from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.entries import QUALITIES
from diandian.flows import inventory as flow
from diandian.footprints import evidence as files
from diandian.footprints.models import Evidence, InventoryVersion
from diandian.scenes.models import Scene
from tests.office.host_world import client_of, draft, member, person

pytestmark = pytest.mark.django_db
TABLE = b"activity,amount,unit,note\nelectricity,1200,kWh,hall\nbeer,30,litre,party\n"
PDF = b"%PDF-1.7\nbill"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def scene(desk, society):
    return draft(desk, society)


def base(scene):
    return f"/host/{scene.slug}/inventory"


def sheet_of(scene):
    return flow._standing(Scene.objects.get(id=scene.id)).sheet


def send(desk, scene, data, name="table.csv"):
    return desk.post(f"{base(scene)}/import", {"file": SimpleUploadedFile(name, data)})


def digest_in(answer):
    return re.search(r'name="digest" value="([0-9a-f]{64})"', answer.content.decode())[1]


def book(**extra):
    sheet = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    cells = "".join(
        f'<row r="{row}">'
        + "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in line.split(","))
        + "</row>"
        for row, line in enumerate(("activity,amount", "electricity,1200"), 1)
    )
    parts = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook xmlns="{sheet}" xmlns:r="{links}"><sheets>'
        '<sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="x"><Relationship Id="rId1" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{sheet}"><sheetData>{cells}</sheetData>'
        "</worksheet>",
    } | extra
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


# --- imports ------------------------------------------------------------------------------------


def test_a_clean_table_is_shown_first_and_imported_by_its_digest(desk, scene):
    checked = send(desk, scene, TABLE)
    assert checked.status_code == 200
    assert "Import all 2 rows" in checked.content.decode()
    assert not InventoryVersion.objects.exists(), "checked is not imported"
    digest = digest_in(checked)
    assert digest == hashlib.sha256(TABLE).hexdigest()
    assert desk.post(f"{base(scene)}/import", {"digest": digest}).status_code == 303
    assert [entry.note for entry in sheet_of(scene).all_entries()] == ["hall", "party"]
    entry = AuditEntry.objects.get(action="inventory.imported")
    assert entry.details["entries"] == 2


def test_the_same_table_is_not_imported_twice(desk, scene, folder):
    digest = digest_in(send(desk, scene, TABLE))
    desk.post(f"{base(scene)}/import", {"digest": digest})
    assert desk.post(f"{base(scene)}/import", {"digest": digest}).status_code == 422
    assert len(sheet_of(scene).entries) == 2
    again = send(desk, scene, TABLE)
    assert "stands in the inventory already" in again.content.decode()
    assert len(sheet_of(scene).entries) == 2


def test_a_workbook_is_imported(desk, scene):
    digest = digest_in(send(desk, scene, book(), "table.xlsx"))
    desk.post(f"{base(scene)}/import", {"digest": digest})
    assert [entry.activity for entry in sheet_of(scene).all_entries()] == ["electricity"]


@pytest.mark.parametrize(
    ("language", "head", "codec"),
    [
        ("zh-hans", "活动,数量,单位,数据来源", "gb18030"),
        ("nl", "activiteit,hoeveelheid,eenheid,kwaliteit", "utf-16"),
    ],
)
def test_a_table_in_the_words_of_a_language_is_read(desk, scene, language, head, codec):
    with override(language):
        words = (gettext(ACTIVITIES["coach"].label), "12", "km", gettext(QUALITIES["metered"]))
    answer = send(desk, scene, f"{head}\n{','.join(words)}\n".encode(codec))
    desk.post(f"{base(scene)}/import", {"digest": digest_in(answer)})
    (entry,) = sheet_of(scene).all_entries()
    assert (entry.activity, entry.quality) == ("coach", "metered")


def test_every_problem_is_named_by_row_and_column_and_nothing_is_imported(desk, scene):
    table = (
        b"activity,amount,unit,quality\n"
        b"electricity,1200,kWh,metered\n"
        b"waste_landfill,-20,kg,estimated\n"
        b"=HYPERLINK(1),5,kg,estimated\n"
        b"beer,=2+3,litre,estimated\n"
        b"coach,10,kg,guessed\n"
        b"meal,,,\n"
    )
    answer = send(desk, scene, table)
    page = answer.content.decode()
    assert answer.status_code == 422
    rows = re.findall(r"<tr><td>(\d+)</td><td>(\w+)</td>", page)
    assert rows == [
        ("3", "amount"), ("4", "activity"), ("5", "amount"), ("6", "unit"), ("6", "quality"),
        ("7", "amount"),
    ]  # fmt: skip
    assert 'name="digest"' not in page
    forged = desk.post(f"{base(scene)}/import", {"digest": hashlib.sha256(table).hexdigest()})
    assert forged.status_code == 422
    assert not InventoryVersion.objects.exists()


@pytest.mark.parametrize(
    ("data", "name", "why"),
    [
        (b"", "a.csv", "empty"),
        (b"activity,amount\n" + b"beer,1\n" * 5002, "a.csv", "5,000 rows"),
        (b"x" * 2_000_001, "a.csv", "larger than 2 MB"),
        (b"\x00\xff\xfe", "a.csv", "encoding"),
        (b"\xd0\xcf\x11\xe0rest", "a.xls", "old .xls"),
        (book(**{"xl/worksheets/sheet1.xml": " " * 21_000_000}), "a.xlsx", "unpacks"),
        (book(**{"xl/worksheets/sheet1.xml": "<!DOCTYPE a><a/>"}), "a.xlsx", "instructions"),
        (b"PK\x03\x04 and no more", "a.xlsx", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "a.csv", "could not be read"),
    ],
)  # fmt: skip
def test_hostile_tables_are_refused_in_words(desk, scene, data, name, why):
    answer = send(desk, scene, data, name)
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert not InventoryVersion.objects.exists()


def test_without_a_file_or_with_a_guessed_digest_nothing_happens(desk, scene):
    assert desk.post(f"{base(scene)}/import", {}).status_code == 422
    for guess in ("0" * 64, "../../secret", "x" * 64):
        assert desk.post(f"{base(scene)}/import", {"digest": guess}).status_code == 422
    assert not InventoryVersion.objects.exists()


def test_an_altered_checked_file_is_not_imported(desk, scene, folder):
    digest = digest_in(send(desk, scene, TABLE))
    path = folder / files.path_of(scene.id, digest, checked=True)
    path.write_bytes(TABLE + b"wine,1,litre,sneaked in\n")
    assert desk.post(f"{base(scene)}/import", {"digest": digest}).status_code == 422
    assert not InventoryVersion.objects.exists()


def test_a_table_names_only_files_that_are_here(desk, scene):
    keep(desk, scene)
    here, elsewhere = hashlib.sha256(PDF).hexdigest(), "a" * 64
    table = f"activity,amount,evidence\nbeer,1,{here}\nwine,1,{elsewhere}\n"
    page = send(desk, scene, table.encode()).content.decode()
    assert re.findall(r"<tr><td>(\d+)</td><td>(\w+)</td>", page) == [("3", "evidence")]
    forged = {"activity": "beer", "amount": "1", "since": "0", "evidence": elsewhere}
    assert desk.post(f"{base(scene)}/new", forged).status_code == 422
    assert not InventoryVersion.objects.exists()


def test_a_checked_file_of_another_scene_is_not_ours(desk, society, scene):
    other = draft(desk, society, slug="other-scene")
    digest = digest_in(send(desk, other, TABLE))
    assert desk.post(f"{base(scene)}/import", {"digest": digest}).status_code == 422


def test_five_thousand_rows_are_imported_at_once_and_drawn_in_parts(desk, scene):
    rows = b"".join(b"coach,%d,km,n%d\n" % (n, n) for n in range(1, 5001))
    digest = digest_in(send(desk, scene, b"activity,amount,unit,note\n" + rows))
    assert desk.post(f"{base(scene)}/import", {"digest": digest}).status_code == 303
    assert len(sheet_of(scene).entries) == 5000
    page = desk.get(base(scene)).content
    assert len(page) < 150_000
    assert b"4,980 more entries" in page
    alone = desk.get(f"{base(scene)}?source=staff_travel&page=2").content
    assert len(alone) < 400_000
    assert b"4,600 more entries" in alone
    assert b">n400<" in alone
    full = desk.post(
        f"{base(scene)}/new",
        {"activity": "beer", "amount": "1", "since": "1"},
    )
    assert full.status_code == 422


def test_the_template_names_every_source_and_can_be_uploaded(desk, scene):
    answer = desk.get(f"{base(scene)}/template")
    assert answer["Content-Type"].startswith("text/csv")
    page = send(desk, scene, answer.content).content.decode()
    assert "The amount is missing" in page


def test_larger_than_any_form_takes_is_not_even_read(desk, scene):
    answer = send(desk, scene, b"x" * 8_100_000)
    assert answer.status_code in {400, 413}


# --- evidence -----------------------------------------------------------------------------------


def keep(desk, scene, data=PDF, name="bill.pdf"):
    return desk.post(f"{base(scene)}/files", {"file": SimpleUploadedFile(name, data)})


def test_evidence_is_kept_by_digest_outside_what_is_served(desk, zhou, scene, folder):
    for _ in range(2):
        assert keep(desk, scene).status_code == 303
    row = Evidence.objects.get()
    assert row.digest == hashlib.sha256(PDF).hexdigest()
    assert (row.kind, row.size_bytes, row.added_by_ref) == ("pdf", len(PDF), zhou.ref)
    path = folder / row.stored_path
    assert path.read_bytes() == PDF
    assert path.stat().st_mode & 0o077 == 0
    answer = desk.get(f"{base(scene)}/files/{row.digest}")
    assert answer.content == PDF
    assert answer["Content-Disposition"] == 'attachment; filename="bill.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store"
    assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n...", "a.png", "png"),
        (b"\xff\xd8\xff\xe0...", "photo.JPEG", "jpg"),
        (book(), "b.xlsx", "xlsx"),
        (b"kWh,12\n", "meter.csv", "csv"),
        ("电表 12".encode("gb18030"), "note.txt", "txt"),
        (b"<script>alert(1)</script>", "page.html", "txt"),
        (b"%PDF-1.7", "picture.png", "pdf"),
    ],
)
def test_the_content_says_what_a_file_is(desk, scene, data, name, kind):
    assert keep(desk, scene, data, name).status_code == 303
    row = Evidence.objects.get()
    assert row.kind == kind
    answer = desk.get(f"{base(scene)}/files/{row.digest}")
    assert answer["Content-Type"].split(";")[0] in files.TYPES.values()
    assert "html" not in answer["Content-Type"]
    assert answer["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("data", "name", "why"),
    [
        (b"", "a.pdf", "empty"),
        (b"MZ\x90\x00\x03\x00", "bill.pdf", "no PDF"),
        (b"\x7fELF\x02\x01", "bill.pdf", "no PDF"),
        (b"GIF89a\x00\x01", "a.png", "no PDF"),
        (b"PK\x03\x04 rest", "a.xlsx", "no PDF"),
        (book(**{"xl/vbaProject.bin": "x"}), "a.xlsx", "macros"),
        (b"%PDF-" + b"x" * 5_000_000, "a.pdf", "larger than 5 MB"),
    ],
)
def test_other_files_are_refused_in_words(desk, scene, data, name, why):
    answer = keep(desk, scene, data, name)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The file was not kept" in page
    assert why in page
    assert not Evidence.objects.exists()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("a\\b\\bill.pdf", "bill.pdf"),
        ("gnp.\u202efdp.exe", "gnp.fdp.exe.pdf"),
        ('x"; drop\r\nSet-Cookie: a=b.pdf', "x; dropSet-Cookie a=b.pdf"),
        ("账单 2026.pdf", "账单 2026.pdf"),
        ("." * 300, "evidence.pdf"),
        ("n" * 300 + ".pdf", "n" * 76 + ".pdf"),
    ],
)
def test_names_are_made_safe(name, safe):
    assert files.safe_name(name, "pdf") == safe


def test_an_entry_brings_its_file_along(desk, scene):
    form = {"activity": "electricity", "amount": "5", "quality": "metered", "since": "0"}
    sent = form | {"file": SimpleUploadedFile("bill.pdf", PDF)}
    assert desk.post(f"{base(scene)}/new", sent).status_code == 303
    (entry,) = sheet_of(scene).all_entries()
    assert entry.evidence == hashlib.sha256(PDF).hexdigest()
    assert "no file" not in desk.get(base(scene)).content.decode()


def test_a_wrong_entry_keeps_the_file_that_came_with_it(desk, scene):
    sent = {
        "activity": "electricity", "amount": "-5", "quality": "metered", "since": "0",
        "file": SimpleUploadedFile("bill.pdf", PDF),
    }  # fmt: skip
    answer = desk.post(f"{base(scene)}/new", sent)
    assert answer.status_code == 422
    digest = hashlib.sha256(PDF).hexdigest()
    assert f'value="{digest}" selected' in answer.content.decode()


def test_files_are_for_members_only_and_viewers_read(desk, zhou, society, scene):
    keep(desk, scene)
    address = f"{base(scene)}/files/{Evidence.objects.get().digest}"
    looks = client_of(member(zhou, society, "he@example.org", "viewer"))
    stranger = client_of(person("tang@example.org"))
    assert looks.get(address).status_code == 200
    assert stranger.get(address).status_code == 404
    assert Client().get(address).status_code == 302
    assert keep(looks, scene, b"%PDF-other").status_code == 403
    erase = {"action": "erase", "digest": Evidence.objects.get().digest}
    assert looks.post(f"{base(scene)}/files", erase).status_code == 403
    assert stranger.post(f"{base(scene)}/files", erase).status_code == 404
    other = draft(desk, society, slug="other-scene")
    there = f"{base(other)}/files/{Evidence.objects.get().digest}"
    assert desk.get(there).status_code == 404, "a file belongs to one scene"


@pytest.mark.django_db(transaction=True)
def test_erasing_takes_bytes_and_name_and_leaves_the_digest(desk, scene, folder):
    form = {"activity": "electricity", "amount": "5", "quality": "metered", "since": "0"}
    desk.post(f"{base(scene)}/new", form | {"file": SimpleUploadedFile("bill.pdf", PDF)})
    row = Evidence.objects.get()
    erase = {"action": "erase", "digest": row.digest}
    assert desk.post(f"{base(scene)}/files", erase).status_code == 303
    assert not (folder / row.stored_path).exists()
    row.refresh_from_db()
    assert (row.name, row.erased_at is None) == ("", False)
    assert sheet_of(scene).all_entries()[0].evidence == ""
    assert desk.get(f"{base(scene)}/files/{row.digest}").status_code == 404
    assert desk.post(f"{base(scene)}/files", erase).status_code == 404
    keep(desk, scene)
    assert Evidence.objects.get().name == "bill.pdf", "sent again, it is here again"


def test_an_altered_file_is_not_served(desk, scene, folder):
    keep(desk, scene)
    row = Evidence.objects.get()
    (folder / row.stored_path).write_bytes(b"%PDF-another")
    assert desk.get(f"{base(scene)}/files/{row.digest}").status_code == 404
