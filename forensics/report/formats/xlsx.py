"""All annexes as one workbook: typed columns, filters, frozen headings; nothing in it runs or links."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime
from typing import Any

from forensics.report import facts as f
from forensics.report.formats.tables import Annex, Column, Value, annexes
from forensics.report.text import pieces
from forensics.report.text.context import Context
from forensics.report.text.visible import cut, visible
from forensics.report.text.wording import Words

LONGEST = 32_767
"""Characters that Excel keeps in a cell (specifications and limits of Excel)."""

MOST_ROWS = 1_048_575
"""Rows below the heading that a sheet holds."""

EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 - xlsxwriter wants it naive; the earliest time that a zip file can hold
_FONT = "Calibri"
_INK, _SOFT, _ACCENT, _WARNING, _HAIR = "#1B1B1B", "#5B5F66", "#1F3A5F", "#A3201D", "#C9CCD1"

_PAGE = 220
"""Letters across a landscape page that can still be read."""

_WIDTHS = {"int": 11, "float": 9, "time": 20, "day": 12, "flag": 9}
_TEXT_WIDTHS = {
    "sender": 32,
    "recipient": 32,
    "intended_address": 32,
    "original_recipient": 28,
    "subject": 40,
    "response": 44,
    "text": 80,
    "answer": 60,
    "claim": 60,
    "action": 50,
    "query": 50,
    "findings": 30,
    "files": 40,
    "file_sha256": 68,
    "content_sha256": 68,
    "typed_domain": 24,
    "meant_domain": 24,
    "records": 24,
    "places": 40,
    "message_id": 34,
    "delivery_id": 34,
    "setting": 70,
    "parameter": 30,
    "item": 32,
    "demanded_by": 36,
    "verdict_reason": 40,
    "relay_name": 30,
    "host": 26,
    "measure": 26,
    "domains": 40,
    "operator_then": 40,
    "operator_now": 40,
}


_EXCEL_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)|(?<=x[0-9A-Fa-f]{4})_")


def cell_text(value: str) -> str:
    """A text value as the workbook shows it."""
    # `_x0041_` is Office's own escape (ECMA-376, 22.9.2.19), which readers undo in different ways.
    shown = _EXCEL_ESCAPE.sub(r"\\u{5f}", visible(value))
    if len(shown) <= LONGEST:
        return shown
    return cut(shown, LONGEST - 60)


def render(facts: f.Facts, context: Context) -> bytes:
    """The workbook's bytes. The same facts give the same bytes: the only time in it is fixed."""
    import xlsxwriter

    words = context.words
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": False,
            "default_date_format": "yyyy-mm-dd hh:mm:ss",
        },
    )
    book.set_properties(
        {
            "title": cell_text(words("book.title", case=facts.header.reference or words("answer.missing"))),
            "author": "",
            "comments": "",
            "created": EPOCH,
        }
    )
    book.set_size(2400, 1400)
    formats = _formats(book)
    tables = annexes(facts)
    _cover(book, formats, facts, tables, words)
    for annex in tables:
        _sheet(book, formats, annex, words, facts.header.handling)
    book.close()
    return out.getvalue()


def _formats(book: Any) -> dict[str, Any]:
    base = {"font_name": _FONT, "font_size": 10, "font_color": _INK, "valign": "top"}
    line = {"bottom": 1, "bottom_color": _HAIR}
    return {
        "text": book.add_format({**base, **line, "align": "left", "indent": 1}),
        "wrap": book.add_format({**base, **line, "align": "left", "indent": 1, "text_wrap": True}),
        "int": book.add_format({**base, **line, "num_format": "#,##0"}),
        "float": book.add_format({**base, **line, "num_format": "0.0000"}),
        "time": book.add_format({**base, **line, "num_format": "yyyy-mm-dd hh:mm:ss", "align": "left", "indent": 1}),
        "day": book.add_format({**base, **line, "num_format": "yyyy-mm-dd", "align": "left", "indent": 1}),
        "flag": book.add_format({**base, **line, "align": "center"}),
        "exposed": book.add_format(
            {**base, **line, "align": "left", "indent": 1, "bold": True, "font_color": _WARNING}
        ),
        "head": book.add_format(
            {
                **base,
                "bold": True,
                "text_wrap": True,
                "bottom": 2,
                "top": 1,
                "font_color": _ACCENT,
                "valign": "bottom",
                "align": "left",
                "indent": 1,
            }
        ),
        "head_right": book.add_format(
            {
                **base,
                "bold": True,
                "text_wrap": True,
                "bottom": 2,
                "top": 1,
                "font_color": _ACCENT,
                "valign": "bottom",
                "align": "right",
            }
        ),
        "title": book.add_format({**base, "bold": True, "font_size": 18, "font_color": _ACCENT}),
        "soft": book.add_format({**base, "font_color": _SOFT, "text_wrap": True}),
        "plain": book.add_format({**base, "text_wrap": True}),
    }


def _cover(book: Any, formats: dict[str, Any], facts: f.Facts, tables: tuple[Annex, ...], words: Words) -> None:
    """What this workbook belongs to, and what each sheet holds."""
    h = facts.header
    sheet = book.add_worksheet(words("book.cover"))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 118)
    sheet.set_column(2, 2, 11)
    sheet.write_string(0, 0, words("book.heading"), formats["title"])
    sheet.set_row(0, 28)
    q = facts.questionnaire
    lines = (
        ("book.organisation", h.organisation),
        ("book.reference", h.reference or words("answer.missing")),
        ("book.handling", h.handling or words("answer.missing")),
        ("book.edition", words(f"edition.{h.edition}")),
        ("book.status", words(f"status.{h.status}") if h.status else words("answer.missing")),
        ("book.case_state", h.case_state),
        ("book.answered", pieces.answered(words, q)),
        ("book.verify", h.verify),
    )
    row = 2
    for key, value in lines:
        sheet.write_string(row, 0, words(key), formats["soft"])
        sheet.write_string(row, 1, cell_text(value), formats["plain"])
        row += 1
    row += 1
    sheet.write_string(row, 0, words("book.note"), formats["soft"])
    sheet.write_string(row, 1, words("book.how_to_read"), formats["plain"])
    row += 2
    for column, key in enumerate(("book.sheet", "book.holds", "book.rows")):
        sheet.write_string(row, column, words(key), formats["head_right" if column == 2 else "head"])
    for annex in tables:
        row += 1
        sheet.write_string(row, 0, words(f"sheet.{annex.name}"), formats["text"])
        sheet.write_string(row, 1, words(f"sheet_holds.{annex.name}"), formats["wrap"])
        sheet.write_number(row, 2, len(annex.rows), formats["int"])
    _paper(sheet, words, h.handling)


def _paper(sheet: Any, words: Words, handling: str | None, width: float = 0) -> None:
    """A4 across; a sheet as wide as its page unless its letters would become too small to read."""
    sheet.set_paper(9)
    sheet.set_landscape()
    if width <= _PAGE:
        sheet.fit_to_pages(1, 0)
    else:
        sheet.set_print_scale(60)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    marking = _marking(handling or words("doc.handling_missing"))
    sheet.set_header(f"&C{marking}")
    sheet.set_footer(f"&L{marking}&C{words('book.page')}&R{marking}")


def _marking(handling: str) -> str:
    """The handling marking in a header or footer, whose codes begin with `&` (ECMA-376, 18.3.1.39)."""
    return " " + visible(cut(handling, 60)).upper().replace("&", "&&")


def _sheet(book: Any, formats: dict[str, Any], annex: Annex, words: Words, handling: str | None) -> None:
    sheet = book.add_worksheet(words(f"sheet.{annex.name}"))
    sheet.hide_gridlines(2)
    sheet.freeze_panes(1, 1)
    sheet.set_row(0, 30)
    for index, column in enumerate(annex.columns):
        sheet.set_column(index, index, _width(column))
        head = "head_right" if column.kind in ("int", "float") else "head"
        sheet.write_string(0, index, words(f"column.{column.key}"), formats[head])
    rows = annex.rows[:MOST_ROWS]
    if len(rows) < len(annex.rows):
        # The last row says so, rather than the sheet ending as if it were whole.
        rows = rows[:-1]
    for number, row in enumerate(rows, start=1):
        for index, (column, value) in enumerate(zip(annex.columns, row, strict=True)):
            _cell(sheet, number, index, column, value, formats, words)
    if len(rows) < len(annex.rows):
        note = words("book.cut", shown=len(rows), n=len(annex.rows), file=f"{annex.name}.csv")
        sheet.write_string(len(rows) + 1, 0, note, formats["text"])
    sheet.autofilter(0, 0, max(len(rows), 1), len(annex.columns) - 1)
    sheet.repeat_rows(0)
    sheet.repeat_columns(0)
    _paper(sheet, words, handling, sum(map(_width, annex.columns)))


def _width(column: Column) -> float:
    return _WIDTHS.get(column.kind) or _TEXT_WIDTHS.get(column.key, 16)


def _cell(
    sheet: Any, row: int, index: int, column: Column, value: Value, formats: dict[str, Any], words: Words
) -> None:
    if value is None or value == "":
        sheet.write_blank(row, index, None, formats["text"])
    elif isinstance(value, bool):
        sheet.write_string(row, index, words("book.yes") if value else words("book.no"), formats["flag"])
    elif isinstance(value, datetime):
        # Excel knows no zones; the column's title says UTC.
        sheet.write_datetime(row, index, value.astimezone(UTC).replace(tzinfo=None), formats["time"])
    elif isinstance(value, date):
        sheet.write_datetime(row, index, value, formats["day"])
    elif isinstance(value, int | float):
        sheet.write_number(row, index, value, formats[column.kind])
    else:
        exposed = column.key == "exposure" and value == "exposed"
        wide = _TEXT_WIDTHS.get(column.key, 0) >= 50
        sheet.write_string(row, index, cell_text(value), formats["exposed" if exposed else "wrap" if wide else "text"])
