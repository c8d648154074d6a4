"""Excel workbooks: every worksheet a content of its own, row n of which is record n; damage and claims end nothing."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics import pipeline, store, workbench
from forensics.case import Case
from forensics.custody import workbooks
from forensics.custody.evidence import Digests, blocks, discover
from forensics.errors import EvidenceError

NAMES = ("Received", "SenderAddress", "RecipientAddress", "Subject", "Status", "Size", "MessageId", "MessageTraceId")


def workbook(path: Path, **sheets: list[list[Any]]) -> Path:
    """Cells by type: dates are dates for Excel too."""
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False})
    stamp = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for r, cells in enumerate(rows):
            for c, value in enumerate(cells):
                if isinstance(value, datetime | date | time):
                    sheet.write_datetime(r, c, value, stamp)
                elif value is not None:
                    sheet.write(r, c, value)
    book.close()
    return path


def content(path: Path, sheet: int = 0) -> bytes:
    return b"".join(bytes(block.data) for block in blocks(discover([path]).sources[sheet], lambda data, _: len(data)))


def row(n: int, **more: Any) -> list[Any]:
    base = {
        "Received": datetime(2024, 3, 13, 8, n, 5, 123000),  # noqa: DTZ001 (Excel knows no zones)
        "SenderAddress": "anna@contoso.example",
        "RecipientAddress": f"x{n}@fabrikam.example", "Subject": 'Offer, "new"\nline', "Status": "Delivered",
        "Size": 5000 + n, "MessageId": f"<m{n}@contoso.example>", "MessageTraceId": f"11111111-2222-3333-4444-{n:012d}",
    }  # fmt: skip
    return [{**base, **more}[name] for name in NAMES]


def test_a_row_of_a_sheet_is_the_record_of_its_number(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", Trace=[list(NAMES), row(1), [], [], row(2)], Remarks=[["nothing"]])
    result = pipeline.ingest([path], tmp_path / "case", org=["contoso.example"])
    assert [name for name, _ in result.skipped] == [f"{path}!/Remarks"]
    rows = store.read(Case(tmp_path / "case"), "deliveries").to_pylist()
    assert [
        (r["recipient"], r["submitted_at"].isoformat(), r["size_bytes"], r["records"][0]["number"]) for r in rows
    ] == [
        ("x1@fabrikam.example", "2024-03-13T08:01:05.123000+00:00", 5001, 2),
        ("x2@fabrikam.example", "2024-03-13T08:02:05.123000+00:00", 5002, 5),
    ]
    assert workbench.verify(tmp_path / "case", all_records=True).ok
    path.write_bytes(workbook(tmp_path / "other.xlsx", Trace=[list(NAMES), row(1)]).read_bytes())
    assert not workbench.verify(tmp_path / "case").ok


def test_the_digests_are_of_the_file_and_of_the_rows(tmp_path: Path) -> None:
    import hashlib

    path = workbook(tmp_path / "t.xlsx", Trace=[["a", 1]])
    digests = Digests()
    (source,) = discover([path]).sources
    assert source.name.endswith("t.xlsx!/Trace") and source.container == "xlsx"
    list(blocks(source, lambda data, _: len(data), digests=digests))
    assert digests.file_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert digests.content_sha256 == digests.member_sha256 == hashlib.sha256(b"a,1\n").hexdigest()


CELLS = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="_"), min_size=1, max_size=8),
    st.sampled_from(['a,"b"', "#TYPE x", "#12 offer", "two\nlines", "=1+1", "  x "]),
    st.integers(-(10**9), 10**9),
    st.booleans(),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=5))
def test_cells_come_back_from_the_csv(tmp_path: Path, rows: list[list[Any]]) -> None:
    text = content(workbook(tmp_path / "t.xlsx", One=rows)).decode()
    found = list(csv.reader(io.StringIO(text, newline="")))

    def shown(value: Any) -> str:
        return "" if value is None else str(value).upper() if isinstance(value, bool) else str(value)

    expected = [[shown(value) for value in cells] for cells in rows]
    while expected and not any(expected[-1]):
        expected.pop()  # Excel keeps no rows without cells
    assert [[cell for cell in cells if cell] for cells in found] == [
        [cell for cell in cells if cell] for cells in expected
    ]
    widths = [len(cells) for cells in found if cells]
    assert widths == sorted(widths)


def test_dates_and_numbers_are_plain(tmp_path: Path) -> None:
    cells = [datetime(2024, 3, 13, 8), 45364.5, 3.0, 1e300, True]  # noqa: DTZ001
    assert content(workbook(tmp_path / "t.xlsx", One=[cells])) == b"2024-03-13T08:00:00,45364.5,3,1e+300,TRUE\n"


def changed(path: Path, part: str, old: bytes, new: bytes) -> Path:
    """The workbook with one of its parts changed."""
    with zipfile.ZipFile(path) as parts:
        contents = {info.filename: parts.read(info) for info in parts.infolist()}
    assert old in contents[part]
    contents[part] = contents[part].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        for name, data in contents.items():
            parts.writestr(name, data)
    return path


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("part", "old", "new", "text"),
    [
        (SHEET, b"</sheetData>", b"", b"a,1\nb,2\n"),
        (SHEET, b'<c r="B2">', b'<c r="B2" t="s">', b"a,1\n"),
        (SHEET, b'<row r="2"', b'<row r="99999999999"', b"a,1\n"),
        (SHEET, b"<dimension ", b'<dimension ref="A1:A1"/><old ', b"a,1\nb,2\n"),
        ("xl/sharedStrings.xml", b"<t>b</t>", b"<t>b&e;</t>", None),
        ("xl/workbook.xml", b"<sheets>", b"<sheets", None),
    ],
)
def test_damage_ends_what_is_read_with_a_note(
    part: str, old: bytes, new: bytes, text: bytes | None, tmp_path: Path
) -> None:
    path = changed(workbook(tmp_path / "t.xlsx", One=[["a", 1], ["b", 2]]), part, old, new)
    found = discover([path])
    if text is None:
        assert not found.sources and "workbook cannot be read" in found.problems[0].reason
        return
    digests = Digests()
    (source,) = found.sources
    got = b"".join(bytes(block.data) for block in blocks(source, lambda data, _: len(data), digests=digests))
    assert got == text and (digests.damage is None) == (b"dimension" in old)


def test_a_workbook_without_a_log_is_one_line(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", One=[["a", 1]], Two=[["b"]], Three=[])
    with pytest.raises(EvidenceError) as caught:
        pipeline.ingest([path], tmp_path / "case", org=["contoso.example"])
    assert str(caught.value).count("t.xlsx") == 1 and "Excel workbook" in str(caught.value)


def test_text_that_is_too_much_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "LARGEST", 100)
    found = discover([workbook(tmp_path / "t.xlsx", One=[["a" * 200]])])
    assert not found.sources and "save its sheet as CSV" in found.problems[0].reason


def test_a_binary_workbook_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsb"
    with zipfile.ZipFile(path, "w") as parts:
        parts.writestr("[Content_Types].xml", "")
        parts.writestr("xl/workbook.bin", "")
    assert ".xlsb" in discover([path]).problems[0].reason
