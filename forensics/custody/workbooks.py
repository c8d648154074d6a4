"""Excel workbooks (.xlsx, ECMA-376): each worksheet is a content of its own, its rows written as CSV (RFC 4180, UTF-8).

Record n of that content is row n of the sheet, so that a citation leads a reader to a row that Excel shows too. Text is
as it stands in the cell, a number without a needless fraction, a date as ISO 8601 without a zone, a formula as the
value that Excel kept of it; rows hidden by a filter are read as all others. Every row has as many fields as the widest
before it, since Excel keeps no empty cells.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, BinaryIO

from forensics.custody.containers import Note
from forensics.custody.streams import PIECE, Place, as_file

WORKBOOK = "xl/workbook.xml"
"""The part of a zip archive that makes it a workbook."""
ROWS, COLUMNS = 1_048_576, 256
"""Rows that a worksheet can have; columns that are read."""
LARGEST = 512 << 20
"""Bytes of the text that cells share, which is held in memory."""
_HEADINGS = ("#type", "#fields", "#software", "#version", "#log-type", "#date")
_TROUBLES = (
    AssertionError, AttributeError, EOFError, IndexError, KeyError, NotImplementedError, OverflowError, RuntimeError,
    SyntaxError, TypeError, ValueError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What the reader raises for workbooks that are damaged; a syntax error is one of their XML."""


def sheets(place: Place, note: Note) -> list[str]:
    """Names of the worksheets; `note` is told when they cannot be read."""
    with as_file(place) as file:
        try:
            return [sheet.title for sheet in _opened(file).worksheets]
        except _TROUBLES as error:
            note(f"the workbook cannot be read: {_words(error)}")
            return []


def lines(place: Place, index: int, note: Note) -> Iterator[bytes]:
    """The rows of a worksheet as CSV, in pieces; `note` is told where damage ends them."""
    count = empty = size = 0
    pieces: list[bytes] = []
    with as_file(place) as file:
        try:
            for row in _rows(_opened(file).worksheets[index]):
                count += 1
                if count > ROWS:
                    note(f"the worksheet claims rows behind row {ROWS:,}, the last that Excel has")
                    break
                if row == b"\n":  # rows behind the last that holds anything are none
                    empty += 1
                    continue
                pieces += [b"\n" * empty, row]
                size += empty + len(row)
                empty = 0
                if size >= PIECE:
                    yield b"".join(pieces)
                    pieces, size = [], 0
        except _TROUBLES as error:
            note(f"the worksheet cannot be read behind row {count:,}: {_words(error)}")
    yield b"".join(pieces)


def _words(error: Exception) -> str:
    return str(error).strip() or type(error).__name__


def _opened(file: BinaryIO) -> Any:
    with zipfile.ZipFile(file) as parts:
        shared = sum(info.file_size for info in parts.infolist() if info.filename.endswith("sharedStrings.xml"))
    if shared > LARGEST:
        raise ValueError(
            f"its cells share {shared:,} bytes of text; at most {LARGEST:,} are read: save its sheet as CSV"
        )
    file.seek(0)
    import openpyxl

    return openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)


def _rows(sheet: Any) -> Iterator[bytes]:
    sheet.reset_dimensions()  # what a sheet claims of its size is not what it holds
    width = 0
    for row in sheet.iter_rows(min_row=1, max_row=ROWS + 1, max_col=COLUMNS, values_only=True):
        cells = [_text(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        width = max(width, len(cells))
        yield _line([*cells, *[""] * (width - len(cells))] if cells else [])


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return str(value)


def _line(cells: Sequence[str]) -> bytes:
    quoted = [_quoted(cell, at == 0 and len(cells) > 1) for at, cell in enumerate(cells)]
    return (",".join(quoted) + "\n").encode("utf-8", "replace")


def _quoted(cell: str, first: bool) -> str:
    comment = first and cell.startswith("#") and not cell.lower().startswith(_HEADINGS)
    special = comment or any(c in cell for c in ',"\r\n')
    return '"' + cell.replace('"', '""') + '"' if special else cell
