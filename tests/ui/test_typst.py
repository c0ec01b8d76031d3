import os
import threading
from datetime import UTC, datetime

import pytest

from diandian.ui import fonts, typst
from diandian.ui.typst import TypesettingError

AT = datetime(2026, 11, 27, tzinfo=UTC)
FRAME = (
    '#set document(title: "t", date: auto)\n#set page(width: 90pt, height: 60pt)\n'
    "#let data = json(bytes(sys.inputs.data))\n"
)


@pytest.fixture
def design(tmp_path, monkeypatch):
    monkeypatch.setattr(typst, "ROOT", tmp_path)
    monkeypatch.setattr(typst._local, "compiler", None, raising=False)
    path = tmp_path / "x.typ"

    def write(body):
        path.write_text(FRAME + body)
        return path

    yield write
    typst._local.compiler = None


def test_the_same_input_gives_the_same_bytes(design):
    path = design('#set text(font: "Inter")\n#data.name')
    one = typst.render_pdf(path, {"name": "Lin"}, created_at=AT)
    assert one == typst.render_pdf(path, {"name": "Lin"}, created_at=AT)
    assert one != typst.render_pdf(path, {"name": "Wan"}, created_at=AT)


def test_threads_do_not_meet(design):
    path = design('#set text(font: "Inter")\n#data.name')
    alone = [typst.render_png(path, {"name": str(n)}) for n in range(6)]
    found = {}

    def work(n):
        found[n] = [typst.render_png(path, {"name": str(n)}) for _ in range(4)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: [alone[n]] * 4 for n in range(6)}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('#panic("broken")', "broken"),
        ("#pagebreak() two pages", "pages"),
        ("#let f(x) = f(x)\n#f(1)", "depth exceeded"),
        ("#while true { let x = 1 }", "always true"),
        ('#read("/../../../etc/passwd")', "passwd|escape|outside|access"),
        ('#set text(font: "Inter", fallback: false)\n= x\n\u0e44', "could not be displayed"),
    ],
)  # fmt: skip
def test_a_faulty_design_is_refused_and_says_why(design, body, said):
    path = design(body)
    with pytest.raises(TypesettingError, match=said):
        typst.render_png(path, {}) if said == "pages" else typst.render_pdf(path, {}, created_at=AT)


def test_too_much_data_is_refused_before_any_work(design):
    path = design("x")
    with pytest.raises(TypesettingError, match="too large"):
        typst.render_pdf(path, {"name": "x" * (typst.MAX_INPUT_BYTES + 1)}, created_at=AT)
    with pytest.raises(TypesettingError, match="too large"):
        typst.render_pdf(
            path, {}, created_at=AT, attachment=b"x" * (typst.MAX_ATTACHMENT_BYTES + 1)
        )


def test_fonts_are_looked_for_in_order(tmp_path, monkeypatch):
    inter = next(path for path in fonts.font_files() if path.name == "Inter[opsz,wght].ttf")
    (tmp_path / "mine.ttf").write_bytes(inter.read_bytes())
    monkeypatch.setenv(fonts.ENVIRONMENT_NAME, os.pathsep.join(["/nowhere", str(tmp_path)]))
    fonts.font_files.cache_clear()
    try:
        assert fonts.font_files() == (tmp_path / "mine.ttf",)
    finally:
        fonts.font_files.cache_clear()


def test_missing_characters_are_named_once():
    assert fonts.missing_characters("林ไ😀ไ晚ĳ𠮷\n") == "ไ😀"
    assert fonts.printable("ไม่ ok") == "□□□ ok"
