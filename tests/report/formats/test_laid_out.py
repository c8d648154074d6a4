"""PDF, Word and workbook as files: structure, metadata, the same bytes, opened by other programs."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import docx as word
import openpyxl
import pypdf
import pytest

from forensics.report.facts import Facts
from forensics.report.formats import docx, pdf, xlsx
from forensics.report.text import annexed, detailed, document
from forensics.report.text.wording import TEMPLATES
from tests.conftest import ROOT
from tests.report import made
from tools import docx_template

LAID_OUT = ("pdf", "docx", "xlsx", "md", "csv", "veris", "answers")


@cache
def facts() -> Facts:
    return made.facts(40, verdicts=[made.CONFIRM])


@cache
def rendered(name: str) -> bytes:
    module = {"pdf": pdf, "docx": docx, "xlsx": xlsx}[name]
    out: bytes = module.render(facts(), made.context(facts()))
    return out


def test_pdf_is_tagged_titled_and_bookmarked() -> None:
    reader = pypdf.PdfReader(io.BytesIO(rendered("pdf")))
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]
    assert reader.metadata is not None and reader.metadata.title == "Mail held to be for .mil, sent to .ml and others"
    top = [mark.title for mark in reader.outline if not isinstance(mark, list)]
    assert [title[:2].strip() for title in top[:11]] == [str(n) for n in range(1, 12)]
    assert any(title.startswith("Annex E") for title in top)


def test_pdf_passes_the_checks_of_pdf_ua_that_typst_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alternative texts, headings in order, a title: typst refuses to write the file as PDF/UA-1 otherwise."""
    import typst

    plain = typst.Compiler

    class Checked:
        def __init__(self, *arguments: Any, **named: Any) -> None:
            self.compiler = plain(*arguments, **named)

        def compile_with_warnings(self, **named: Any) -> Any:
            return self.compiler.compile_with_warnings(**named, pdf_standards=["ua-1"])

        def compile(self, **named: Any) -> Any:
            return self.compiler.compile(**named)

    monkeypatch.setattr(typst, "Compiler", Checked)
    assert b"pdfuaid:part" in pdf.render(facts(), made.context(facts()))


def test_pdf_embeds_its_fonts_and_knows_no_time() -> None:
    reader = pypdf.PdfReader(io.BytesIO(rendered("pdf")))
    assert reader.metadata is not None
    assert reader.metadata.creation_date is None and reader.metadata.modification_date is None
    names: set[str] = set()
    for page in reader.pages:
        resources: Any = page["/Resources"]
        for font in resources.get("/Font", {}).values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            descriptor = inner["/FontDescriptor"].get_object()
            assert any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3"))
            names.add(str(inner["/BaseFont"]).partition("+")[2])
    assert names and all(name.startswith(("Libertinus", "DejaVu", "NewCM")) for name in names), names


def test_pdf_head_and_foot_stand_on_every_page() -> None:
    for page in pypdf.PdfReader(io.BytesIO(rendered("pdf"))).pages:
        text = re.sub(r"\s+", " ", page.extract_text())
        assert text.count("OFFICIAL – SENSITIVE") == 2, "at the head and at the foot"
        assert "ALB-2023-004 · full edition · initial report" in text
        assert facts().header.case_state[:16] in text
        assert "20 of 41 required items answered" in text
        assert "missent verify case" in text
        assert re.search(r"page \d+ of \d+", text)


def test_the_marking_is_at_head_and_foot_of_word_and_of_every_sheet() -> None:
    with zipfile.ZipFile(io.BytesIO(rendered("docx"))) as word:
        for part in ("word/header1.xml", "word/footer1.xml"):
            assert "Official – Sensitive" in word.read(part).decode("utf-8"), part
    marked = made.renamed(facts(), handling="R&D – 12 only")
    with zipfile.ZipFile(io.BytesIO(xlsx.render(marked, made.context(marked)))) as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        assert len(sheets) > 10
        for name in sheets:
            xml = book.read(name).decode("utf-8")
            head = re.search(r"<oddHeader>(.*?)</oddHeader>", xml)
            foot = re.search(r"<oddFooter>(.*?)</oddFooter>", xml)
            assert head and foot
            for text in (head[1], foot[1]):
                assert " R&amp;&amp;D – 12 ONLY" in text, name


def test_the_first_page_answers_the_four_questions() -> None:
    text = pypdf.PdfReader(io.BytesIO(rendered("pdf"))).pages[0].extract_text()
    flat = re.sub(r"\s+", " ", text)
    head = facts().groups.headline
    assert f"{head.messages.value} messages" in flat
    assert f"{head.exposed.value} of {head.deliveries.value} deliveries were accepted" in flat
    assert "20 March 2023" in flat
    assert "72-hour deadline" in flat
    assert "When the route was blocked" not in flat and "The block of 4 April 2023" in flat
    assert "Next: Train senders" in flat


def test_word_has_styles_and_no_direct_formatting() -> None:
    body = word.Document(io.BytesIO(rendered("docx"))).element.body
    runs = body.xpath(".//w:r/w:rPr/*[not(self::w:rStyle) and not(self::w:noProof)]")
    assert {run.tag.rpartition("}")[2] for run in runs} == set()
    paragraphs = body.xpath(".//w:p/w:pPr/*[not(self::w:pStyle) and not(self::w:sectPr)]")
    assert {p.tag.rpartition("}")[2] for p in paragraphs} == set()


def test_word_headings_tables_and_pictures_are_accessible() -> None:
    opened = word.Document(io.BytesIO(rendered("docx")))
    levels = [int(p.style.name[-1]) for p in opened.paragraphs if p.style.name.startswith("Heading")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for shape in opened.inline_shapes:
        assert len(shape._inline.docPr.get("descr")) > 20
        assert shape._inline.docPr.get("name") == ""
    headed = [t for t in opened.tables if t.style.name == "Missent Ruled"]
    assert headed and all(t.rows[0]._tr.xpath("./w:trPr/w:tblHeader") for t in headed)
    assert opened.element.body.xpath(".//w:tbl/following-sibling::*[1][self::w:tbl]") == []


def test_word_has_no_room_behind_a_table_that_ends_its_page() -> None:
    """At the end of a full page that room would be a page of its own, an empty one."""
    styles = [one.style.name for one in word.Document(io.BytesIO(rendered("docx"))).iter_inner_content()]
    assert styles.count("After Table") > 5 and ("Missent Ruled", "New Page") in pairwise(styles)
    assert not {("After Table", "New Page"), ("After Points", "New Page")} & {*pairwise(styles)}


def test_word_names_one_language_everywhere() -> None:
    """A screen reader reads text in the language that its style names."""
    with zipfile.ZipFile(io.BytesIO(rendered("docx"))) as parts:
        found = {name: set(re.findall(rb'<w:lang w:val="([^"]*)"', parts.read(name))) for name in parts.namelist()}
    assert {one for languages in found.values() for one in languages} == {b"en-GB"}


def test_word_template_is_what_its_script_makes() -> None:
    assert (TEMPLATES / "en-GB" / "incident.docx").read_bytes() == docx_template.build()


def test_workbook_is_typed_filtered_and_frozen() -> None:
    book = openpyxl.load_workbook(io.BytesIO(rendered("xlsx")))
    sheet = book["Findings"]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref
    row = dict(zip([c.value for c in sheet[1]], sheet[2], strict=True))
    assert row["Score"].data_type == "n"
    assert row["Submitted (UTC)"].is_date
    assert row["Submitted (UTC)"].value.isoformat() == "2023-03-20T08:15:00"
    assert row["Sender"].data_type == "s"


@pytest.mark.parametrize("name", ["docx", "xlsx"])
def test_office_files_know_no_time_but_a_fixed_one(name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(rendered(name))) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = package.read("docProps/core.xml").decode()
    stamps = set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", core))
    assert stamps <= {"1980-01-01T00:00:00Z"}


_DIGESTS = """
import hashlib, locale, sys
sys.path.insert(0, ".")
from tests.report import made
from forensics.report import writing
try:
    locale.setlocale(locale.LC_ALL, "")
except locale.Error:
    pass
facts = made.facts(25, made.HOSTILE, verdicts=[made.CONFIRM])
for name in sys.argv[1].split(","):
    out = writing.render(name, facts, made.context(facts))
    parts = {name: out} if isinstance(out, bytes) else out
    for part, content in sorted(parts.items()):
        print(part, hashlib.sha256(content).hexdigest())
"""


@pytest.mark.slow
def test_the_same_bytes_whatever_the_machine_is_set_to() -> None:
    def digests(**settings: str) -> str:
        environment = {**os.environ, **settings}
        command = [sys.executable, "-c", _DIGESTS, ",".join(LAID_OUT)]
        return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout

    first = digests(PYTHONHASHSEED="1", TZ="UTC", LC_ALL="C.UTF-8")
    second = digests(PYTHONHASHSEED="77", TZ="Pacific/Kiritimati", LC_ALL="de_DE.UTF-8", LANG="tr_TR.UTF-8")
    assert len(first.splitlines()) > 20
    assert first == second


_PEAK = """
import sys
from pathlib import Path
sys.path.insert(0, ".")
from tests.report import made
from forensics.report import writing
facts = made.facts(10_000)
for name in sys.argv[1].split(","):
    writing.render(name, facts, made.context(facts))
# Not ru_maxrss: that of a child begins with what its parent held when it was started.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]))
"""


@pytest.mark.slow
def test_ten_thousand_findings_fit_into_a_gibibyte() -> None:
    command = [sys.executable, "-c", _PEAK, ",".join(("pdf", "html", "json", *LAID_OUT[1:]))]
    peak = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert int(peak) < 1024 * 1024  # KiB, as Linux counts


def test_a_long_annex_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annexed, "ROWS", 30)
    monkeypatch.setattr(detailed, "DETAILED", 7)
    text = pypdf.PdfReader(io.BytesIO(pdf.render(facts(), made.context(facts()))))
    flat = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in text.pages))
    assert "The first 30 of 40 rows are printed; all stand in findings.csv." in flat
    assert "Reasons are printed for 7 of 40 findings" in flat
    blocks = document.compose(facts(), made.context(facts())).blocks
    deliveries = next(b for b in blocks if getattr(b, "caption", "") == "Every finding")
    assert len(deliveries.rows) == 30  # type: ignore[union-attr]


def test_a_search_that_found_nothing_is_reported_too() -> None:
    nothing = made.facts(0)
    context = made.context(nothing)
    flat = re.sub(
        r"\s+",
        " ",
        " ".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(pdf.render(nothing, context))).pages),
    )
    assert "No misdirected mail was found" in flat
    assert "3 What was searched" in flat and "4 What would have been found" in flat
    assert "6 What could not be seen" in flat and "7 Decisions and next steps" in flat
    assert "200" in flat
    assert word.Document(io.BytesIO(docx.render(nothing, context))).paragraphs
    assert openpyxl.load_workbook(io.BytesIO(xlsx.render(nothing, context)))["Findings"].max_row == 1


def test_delivery_reports_without_a_sender_are_set_too() -> None:
    silent = made.swapped(facts(), {"s3.grant@albion-logistics.example": ""})
    context = made.context(silent)
    pages = pypdf.PdfReader(io.BytesIO(pdf.render(silent, context))).pages
    assert "empty sender → " in re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))
    assert docx.render(silent, context).startswith(b"PK")


def test_equal_reasons_are_printed_once() -> None:
    pages = pypdf.PdfReader(io.BytesIO(rendered("pdf"))).pages
    flat = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))
    alike = replace(facts(), findings=tuple(replace(x, reasons=facts().findings[0].reasons) for x in facts().findings))
    again = pypdf.PdfReader(io.BytesIO(pdf.render(alike, made.context(alike)))).pages
    told = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in again))
    assert "For the same reasons as" not in flat
    assert told.count("For the same reasons as F") == 40 - len(facts().incidents)


def test_a_template_of_ones_own(tmp_path: Path) -> None:
    own = (TEMPLATES / "en-GB" / "incident.typ").read_text() + "\n#text[HOUSE STYLE]\n"
    (tmp_path / "incident.typ").write_text(own)
    context = made.context(facts())
    context = type(context)(context.words, context.drawn, tmp_path, ("Crest", _CREST))
    reader = pypdf.PdfReader(io.BytesIO(pdf.render(facts(), context)))
    assert "HOUSE STYLE" in reader.pages[-1].extract_text()
    opened = word.Document(io.BytesIO(docx.render(facts(), context)))
    assert opened.inline_shapes[0]._inline.docPr.get("descr") == "Crest"


_CREST = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle cx="20" cy="20" r="18"/></svg>'


def test_a_broken_template_is_the_users_to_mend(tmp_path: Path) -> None:
    from forensics.errors import UsageError

    (tmp_path / "incident.typ").write_text("#nonsense(")
    context = made.context(facts())
    with pytest.raises(UsageError, match=r"incident\.typ"):
        pdf.render(facts(), type(context)(context.words, context.drawn, tmp_path))
    (tmp_path / "incident.docx").write_bytes(b"not a zip")
    with pytest.raises(UsageError, match=r"incident\.docx"):
        docx.render(facts(), type(context)(context.words, context.drawn, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["docx", "xlsx"])
def test_libreoffice_opens_it(name: str, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("NOT RUN: LibreOffice (soffice) is not installed, so nothing opened the Word file and the workbook")
    (tmp_path / f"incident.{name}").write_bytes(rendered(name))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), f"incident.{name}"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    pages = pypdf.PdfReader(tmp_path / "incident.pdf").pages
    flat = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))
    assert facts().header.case_state[:16] in flat
    assert "s3.grant" in flat


def test_digest_of_a_picture_is_stable() -> None:
    assert hashlib.sha256(docx.png(_CREST)).digest() == hashlib.sha256(docx.png(_CREST)).digest()
    assert docx.png(_CREST).startswith(b"\x89PNG")


def test_no_column_of_the_list_of_findings_runs_into_the_next() -> None:
    """Addresses of every length up to forty: each word of a row stands within the lines of its own column."""
    found = made.facts(40)
    local = [f"{'a' * (n % 30 + 1)}.b{n}" for n in range(40)]
    named = replace(
        found,
        findings=tuple(
            replace(x, recipient=f"{name}@navy.ml", sender=f"{name[::-1]}@albion.example")
            for x, name in zip(found.findings, local, strict=True)
        ),
    )
    reader = pypdf.PdfReader(io.BytesIO(pdf.render(named, made.context(named))))
    whole = "\n".join(page.extract_text(extraction_mode="layout") for page in reader.pages)
    rows = whole[whole.rindex("Every finding") :]
    assert "suspected" in rows
    assert not re.search(r"\S(?:suspected|confirmed|held for review)", rows)
