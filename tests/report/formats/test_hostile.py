"""What strangers write comes out of every format as visible text, and equal when it is parsed out again."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import cache
from typing import Any

import docx as word
import openpyxl
import pypdf
import pytest

from forensics.report.facts import Facts, Finding
from forensics.report.formats import answers, csvs, data, docx, markdown, pdf, veris, xlsx
from forensics.report.text import blocks as b
from forensics.report.text.visible import cut, original, visible
from tests.report import made

VALUES = (*made.HOSTILE, made.SURROGATE)


@cache
def facts() -> Facts:
    """A finding for each hostile value; the half character is put in behind Arrow's back."""
    placeholder = "half-character-placeholder"
    gathered = made.facts(len(VALUES) + 4, (*made.HOSTILE, placeholder))
    changes = {}
    for x in gathered.findings:
        for value in (
            x.subject,
            x.response,
            x.relay_name,
            x.recipient,
            x.intended_address,
            *(r.text for r in x.reasons),
        ):
            if value and placeholder in value:
                changes[value] = value.replace(placeholder, made.SURROGATE)
    changed: Facts = made.swapped(gathered, changes)
    return changed


def hostile(values: Facts) -> list[Finding]:
    return [x for x in values.findings if x.subject in VALUES]


@cache
def rendered(name: str) -> Any:
    module = {
        "pdf": pdf,
        "docx": docx,
        "xlsx": xlsx,
        "md": markdown,
        "csv": csvs,
        "veris": veris,
        "answers": answers,
        "json": data,
    }[name]
    return module.render(facts(), made.context(facts()))


def test_every_value_is_in_the_corpus() -> None:
    assert {x.subject for x in hostile(facts())} == set(VALUES)


def sheet_rows(name: str) -> list[dict[str, Any]]:
    book = openpyxl.load_workbook(io.BytesIO(rendered("xlsx")))
    rows = list(book[name].iter_rows(values_only=True))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_workbook_gives_every_value_back() -> None:
    rows = {row["Finding"]: row for row in sheet_rows("Findings")}
    for x in hostile(facts()):
        assert x.subject is not None and x.response is not None
        if len(x.subject) > 30_000:
            assert rows[x.ref]["Subject"].endswith(f"of {len(x.subject):,} characters]")
            assert x.subject.startswith(rows[x.ref]["Subject"].partition("… [")[0])
            continue
        assert original(rows[x.ref]["Subject"]) == x.subject
        assert original(rows[x.ref]["Server's reply"]) == x.response
        assert original(rows[x.ref]["Recipient"]) == x.recipient


def test_workbook_holds_no_formula_and_no_link() -> None:
    book = openpyxl.load_workbook(io.BytesIO(rendered("xlsx")))
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", f"{sheet.title}!{cell.coordinate}"
                assert cell.hyperlink is None
    assert not book.defined_names


def csv_rows(name: str) -> list[dict[str, str]]:
    text = rendered("csv")[f"{name}.csv"].decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def unguarded(row: dict[str, str], column: str) -> str:
    cell = row[column]
    if column in row["Apostrophe added to"].split("; "):
        assert cell.startswith("'")
        cell = cell[1:]
    return original(cell)


def test_csv_gives_every_value_back_whole() -> None:
    rows = {row["Finding"]: row for row in csv_rows("findings")}
    for x in hostile(facts()):
        assert unguarded(rows[x.ref], "Subject") == x.subject
        assert unguarded(rows[x.ref], "Server's reply") == x.response
        assert unguarded(rows[x.ref], "Recipient") == x.recipient


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_no_csv_cell_runs_whatever_separates_cells(separator: str) -> None:
    """Also when a spreadsheet tears the line at another separator, quotes or not."""
    for name, content in rendered("csv").items():
        if not name.endswith(".csv"):
            continue
        for line in content.decode("utf-8-sig").split("\r\n"):
            for cell in line.split(separator):
                bare = cell.strip("\"' \t")
                if re.fullmatch(r"-\d+(\.\d+)?(e-?\d+)?", bare):
                    continue  # A negative number of ours.
                if bare[:1] in tuple("=+-@＝＋－＠"):
                    assert cell.lstrip('" ').startswith("'"), f"{name}: {cell[:80]}"


def test_csv_lines_are_rows() -> None:
    for name, content in rendered("csv").items():
        if name.endswith(".csv"):
            text = content.decode("utf-8-sig")
            assert text.count("\n") == text.count("\r\n") == len(list(csv.reader(io.StringIO(text, newline=""))))


def squashed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_word_gives_every_value_back() -> None:
    document = word.Document(io.BytesIO(rendered("docx")))
    cells = {row.cells[1].text for table in document.tables for row in table.rows if len(row.cells) == 2}
    for x in hostile(facts()):
        assert x.subject is not None
        assert docx.shown(x.subject) in cells
    originals = {original(cell) for cell in cells}
    for value in VALUES:
        assert cut(value, docx.LONGEST) in originals


def test_word_holds_no_field_of_a_stranger() -> None:
    document = word.Document(io.BytesIO(rendered("docx")))
    instructions = document.element.body.xpath(".//w:instrText | .//w:fldSimple | .//w:hyperlink | .//w:altChunk")
    assert not instructions


def test_pdf_gives_every_value_back() -> None:
    reader = pypdf.PdfReader(io.BytesIO(rendered("pdf")))
    text = squashed("".join(page.extract_text() for page in reader.pages))
    assert "\u200b" not in text
    for x in hostile(facts()):
        assert x.subject is not None
        expected = squashed(pdf.shown(x.subject))
        if any("\u0590" <= c <= "\u07ff" or unicode_mark(c) for c in expected):
            # Drawn right to left, or stacked: extraction gives letters in the order in which they are drawn.
            missing = {c for c in expected if c not in text and not unicode_mark(c)}
            assert not missing, missing
            continue
        assert expected in text, x.subject[:60]


def unicode_mark(character: str) -> bool:
    return "\u0300" <= character <= "\u036f"


def test_pdf_runs_nothing_and_links_nowhere() -> None:
    content = rendered("pdf")
    for sign in (b"/JavaScript", b"/JS", b"/Launch", b"/URI", b"/EmbeddedFile", b"/AcroForm", b"/OpenAction"):
        assert sign not in content


_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.S)


def spans(text: str) -> set[str]:
    """Contents of code spans, after CommonMark 6.1: one blank is stripped on both sides where both are there."""
    out = set()
    for match in _SPAN.finditer(text):
        inner = match[2]
        if inner[0] == inner[-1] == " " and inner.strip():
            inner = inner[1:-1]
        out.add(inner)
    return out


def test_markdown_gives_every_value_back() -> None:
    text = rendered("md").decode("utf-8")
    shown = {original(span) for line in text.split("\n") for span in spans(line)}
    for value in VALUES:
        assert cut(value, markdown.LONGEST) in shown, value[:60]


def test_markdown_outside_code_has_no_live_markup() -> None:
    text = _SPAN.sub("", rendered("md").decode("utf-8"))
    for sign in ("<", "](", "http://"):
        for at in (m.start() for m in re.finditer(re.escape(sign), text)):
            assert text[at - 1] == "\\" or "\\" in text[at : at + len(sign) + 1], text[at - 40 : at + 40]


def test_markdown_joins_bold_neighbours() -> None:
    text = _SPAN.sub("x", rendered("md").decode("utf-8"))
    assert "**" in text
    assert "****" not in text


def test_markdown_joins_neighbouring_code() -> None:
    """Two backticks between them would be no end of the first."""
    parts = (b.Span("code", "army.m"), b.Span("code", "l"), b.Span("mark", "i"), b.Span("code", "x"))
    assert markdown._spans(parts) == "`army.ml`**`i`**`x`"


def test_markdown_tables_keep_their_columns() -> None:
    width = 0
    for line in rendered("md").decode("utf-8").split("\n"):
        if line.startswith("| "):
            cells = len(re.findall(r"(?<!\\)\|", line))
            assert width in (0, cells), line[:120]
            width = cells
        elif not line.startswith("|"):
            width = 0


def test_json_formats_parse() -> None:
    assert json.loads(rendered("veris"))["schema_version"] == veris.SCHEMA_VERSION
    findings = json.loads(rendered("json"))["findings"]
    assert {x["subject"] for x in findings} >= set(VALUES)


def test_no_format_holds_a_hidden_character() -> None:
    texts = {
        "md": rendered("md").decode("utf-8"),
        **{name: content.decode("utf-8-sig") for name, content in rendered("csv").items()},
        **{name: content.decode("utf-8") for name, content in rendered("answers").items()},
    }
    for name, text in texts.items():
        assert visible(text.replace("\r\n", "").replace("\n", "")).count("\\u{") == text.count("\\u{"), name


def test_hostile_words_of_the_investigator() -> None:
    """The case file is trusted less than our code: names, markings and answers are escaped alike."""
    value = made.HOSTILE[13] + made.HOSTILE[0] + made.HOSTILE[17]
    questionnaire = {**made.QUESTIONNAIRE, "account": {"what_happened": value, "cause": value}}
    questionnaire["report"] = {**made.QUESTIONNAIRE["report"], "title": value, "handling": value, "reference": value}
    case = made.casefile(questionnaire=questionnaire, organisation={"name": value, "domains": ["x.example"]})
    values = made.facts(6, case=case)
    context = made.context(values)
    document = word.Document(io.BytesIO(docx.render(values, context)))
    assert original(document.core_properties.title) == value
    header = "\n".join(p.text for p in document.sections[0].header.paragraphs)
    assert docx.shown(value) in header
    assert pypdf.PdfReader(io.BytesIO(pdf.render(values, context))).metadata.title == pdf.shown(value)
    book = openpyxl.load_workbook(io.BytesIO(xlsx.render(values, context)))
    cover = [cell.value for row in book.worksheets[0].iter_rows() for cell in row if cell.value]
    assert visible(value) in cover
    assert visible(value) in answers.render(values, context)["art33.txt"].decode()
