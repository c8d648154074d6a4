"""The same numbers in every format: each is read back from the written file and compared with the facts."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import cache
from html.parser import HTMLParser

import docx as word
import openpyxl
import pypdf
import pytest

from forensics.report import writing
from forensics.report.facts import Facts
from forensics.report.formats.tables import GROUPS as ALL_GROUPS
from forensics.report.formats.tables import MEASURES as ALL_MEASURES
from forensics.report.text.grids import GROUPS, MEASURES
from tests.report import made

Grid = dict[str, list[int]]


@cache
def facts() -> Facts:
    return made.facts(333, verdicts=[made.CONFIRM])


@cache
def rendered(name: str) -> writing.Rendered:
    return writing.render(name, facts(), made.context(facts()))


def content(name: str) -> bytes:
    out = rendered(name)
    assert isinstance(out, bytes)
    return out


@cache
def expected() -> Grid:
    """Row title → one number a group, as section 3 shows them."""
    words = made.context(facts()).words
    return {
        words(f"html.th.{measure}"): [getattr(getattr(facts().groups, group), measure).value for group in GROUPS]
        for measure in MEASURES
    }


def number(text: str) -> int:
    return int(re.sub(r"[\\,*\s]", "", text))


def from_pdf() -> Grid:
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content("pdf"))).pages[:4])
    out: Grid = {}
    for title in expected():
        at = text.index("\n" + title + "\n" if "\n" + title + "\n" in text else "\n" + title)
        found = re.findall(r"[\d,]+", text[at + len(title) + 1 : at + len(title) + 80])
        out[title] = [number(n) for n in found[: len(GROUPS)]]
    return out


def from_docx() -> Grid:
    document = word.Document(io.BytesIO(content("docx")))
    wide = [t for t in document.tables if len(t.columns) == len(GROUPS) + 1]
    table = next(t for t in wide if t.rows[-1].cells[0].text in expected())
    return {row.cells[0].text: [number(cell.text) for cell in row.cells[1:]] for row in table.rows[1:]}


def from_markdown() -> Grid:
    rows = [line.strip("| ").split(" | ") for line in content("md").decode().split("\n") if line.startswith("| ")]
    return {
        row[0]: [number(n) for n in row[1:]] for row in rows if row[0] in expected() and len(row) == len(GROUPS) + 1
    }


class _Tables(HTMLParser):
    """Every row of every table as the text of its cells."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self._open = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.rows[-1][-1] += data


def from_html() -> Grid:
    parser = _Tables()
    parser.feed(content("html").decode())
    out: Grid = {}
    for row in parser.rows:
        title = row[0].strip() if row else ""
        if title in expected() and len(row) > len(GROUPS):
            out.setdefault(title, [number(cell) for cell in row[1:]])
    return out


@pytest.mark.parametrize("read", [from_pdf, from_docx, from_markdown, from_html])
def test_the_table_of_numbers(read: object) -> None:
    assert read() == expected()  # type: ignore[operator]


def everything() -> dict[tuple[str, str], int]:
    groups = facts().groups
    return {(g, m): getattr(getattr(groups, g), m).value for g in ALL_GROUPS for m in ALL_MEASURES}


def test_workbook() -> None:
    book = openpyxl.load_workbook(io.BytesIO(content("xlsx")))
    rows = list(book["Numbers"].iter_rows(min_row=2, values_only=True))
    assert {(row[0], row[1]): row[2] for row in rows} == everything()


def test_csv() -> None:
    files = rendered("csv")
    assert not isinstance(files, bytes)
    rows = csv.DictReader(io.StringIO(files["numbers.csv"].decode("utf-8-sig"), newline=""))
    assert {(row["Group"], row["Measure"]): int(row["Value"]) for row in rows} == everything()


def test_csv_counts_name_their_findings() -> None:
    files = rendered("csv")
    assert not isinstance(files, bytes)
    rows = csv.DictReader(io.StringIO(files["numbers.csv"].decode("utf-8-sig"), newline=""))
    for row in rows:
        if row["Measure"] in ("deliveries", "exposed", "not_exposed", "handed_on"):
            named = 0
            for part in row["Findings counted"].split():
                first, _, last = part.replace("F", "").partition("-")
                named += int(last or first) - int(first) + 1
            assert named == int(row["Value"]), row


def test_json() -> None:
    groups = json.loads(content("json"))["groups"]
    assert {(g, m): groups[g][m]["value"] for g in ALL_GROUPS for m in ALL_MEASURES} == everything()


def test_veris() -> None:
    numbers = json.loads(content("veris"))["plus"]["missent"]["numbers"]
    assert {(g, m): numbers[g][m] for g in ALL_GROUPS for m in ALL_MEASURES} == everything()


def test_answer_sheets_say_the_same() -> None:
    files = rendered("answers")
    assert not isinstance(files, bytes)
    head = facts().groups.headline
    words = made.context(facts()).words
    for name in ("ico.txt", "art33.txt"):
        text = files[name].decode()
        assert words("noun.messages", n=head.messages.value) in text
        assert f"{head.exposed.value:,} accepted" in text


def test_every_format_names_the_same_case() -> None:
    digest = facts().header.case_state
    pages = pypdf.PdfReader(io.BytesIO(content("pdf"))).pages
    assert digest[:16] in pages[0].extract_text()
    assert digest[:16] in content("md").decode()
    assert digest[:16] in "".join(
        p.text for p in word.Document(io.BytesIO(content("docx"))).sections[0].header.paragraphs
    )
    assert digest in content("json").decode()
    assert digest in content("veris").decode()
    book = openpyxl.load_workbook(io.BytesIO(content("xlsx")))
    assert digest in [cell.value for row in book.worksheets[0].iter_rows() for cell in row]


def test_pairs_in_every_format() -> None:
    """Each incident's pair and its numbers, in the table that tells the story."""
    told = [i for i in facts().incidents if i.tally.deliveries.value]
    document = word.Document(io.BytesIO(content("docx")))
    cells = [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]
    lines = content("md").decode().split("\n")
    for i in told:
        numbers = [f"{n.value:,}" for n in (i.tally.messages, i.tally.deliveries, i.tally.exposed)]
        assert any(row[:3] == [i.ref, i.slip.meant, i.slip.typed] and row[4:7] == numbers for row in cells)
        start = f"| {i.ref} | `{i.slip.meant}` | `{i.slip.typed}` |"
        row = next(line for line in lines if line.startswith(start)).replace("*", "")
        assert [n.strip() for n in row.strip("| ").split("|")[-4:-1]] == numbers
