"""The worksheet: one row for each finding, with what names the sent item, and columns for what it held.

It names people and subjects, so it exists in the full edition alone. `forensics.review.worksheets` reads it back.
"""

from __future__ import annotations

import io
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from forensics.report import facts as f
from forensics.report.facts.content import markings
from forensics.report.formats.xlsx import EPOCH, cell_text
from forensics.report.text import pieces
from forensics.report.text.context import Context
from forensics.report.text.wording import Words

SHEET = "Messages"
GIVEN = (
    "finding",
    "delivery_id",
    "sent",
    "home",
    "sender",
    "recipient",
    "subject",
    "message_id",
    "size",
    "exposure",
    "seen",
)
ASKED = (
    "opened",
    "held",
    "marking",
    "personal_data",
    "special",
    "passwords",
    "protected",
    "records",
    "people",
    "reviewer",
)
CHOICES = {
    "opened": ("yes", "no", "not-found"),
    "personal_data": ("yes", "no", "unknown"),
    "special": ("yes", "no", "unknown"),
    "passwords": ("yes", "no", "unknown"),
    "protected": ("yes", "no", "unknown"),
}
NUMBERS = ("records", "people")
HEAD = 4
"""Rows above the first finding: title, instruction, case, column titles."""

_WIDTHS = {"delivery_id": 34, "sent": 18, "home": 18, "sender": 30, "recipient": 30, "subject": 40, "message_id": 34}
_WIDTHS |= {"held": 44, "marking": 22, "seen": 20, "exposure": 14, "reviewer": 18, "finding": 9, "size": 10}


def render(facts: f.Facts, context: Context) -> bytes:
    """The workbook's bytes: the same facts give the same bytes."""
    import xlsxwriter

    words = context.words
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"title": words("worksheet.title"), "author": "", "comments": "", "created": EPOCH})
    sheet = book.add_worksheet(SHEET)
    base = {"font_name": "Calibri", "font_size": 10, "valign": "top", "border": 1, "border_color": "#C9CCD1"}
    given = book.add_format({**base, "bg_color": "#F3F4F6"})
    asked = book.add_format({**base, "text_wrap": True, "locked": False})
    head = book.add_format({**base, "bold": True, "text_wrap": True, "font_color": "#1F3A5F"})
    title = book.add_format({"font_name": "Calibri", "font_size": 16, "bold": True, "font_color": "#1F3A5F"})
    plain = book.add_format({"font_name": "Calibri", "font_size": 10})
    h = facts.header
    sheet.write_string(0, 0, cell_text(_marked(h.handling, words("worksheet.title"))), title)
    sheet.write_string(1, 0, words("worksheet.intro"), plain)
    reference = h.reference or words("answer.missing")
    sheet.write_string(2, 0, cell_text(words("worksheet.case", reference=reference, digest=h.case_state[:16])), plain)
    columns = (*GIVEN, *ASKED)
    for index, key in enumerate(columns):
        sheet.write_string(HEAD - 1, index, cell_text(words(f"worksheet.th.{key}", zone=h.timezone)), head)
        sheet.set_column(index, index, _WIDTHS.get(key, 13))
    before = {one.finding: one for one in facts.content.held}
    for number, finding in enumerate(facts.findings, HEAD):
        for index, value in enumerate(_given(finding, facts, words)):
            sheet.write_string(number, index, cell_text(value), given)
        _asked(sheet, number, before.get(finding.ref), asked)
    last = HEAD + max(len(facts.findings), 1) - 1
    for index, key in enumerate(columns):
        if key in CHOICES:
            sheet.data_validation(HEAD, index, last, index, {"validate": "list", "source": list(CHOICES[key])})
        elif key in NUMBERS:
            sheet.data_validation(HEAD, index, last, index, {"validate": "integer", "criteria": ">=", "value": 0})
    sheet.freeze_panes(HEAD, 1)
    sheet.repeat_rows(HEAD - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_print_scale(60)
    sheet.repeat_columns(0)
    marking = _code(h.handling or "")
    sheet.set_header(f"&C{marking}")
    sheet.set_footer(f"&C{marking}  {words('worksheet.page')}")
    book.close()
    return out.getvalue()


def _marked(handling: str | None, text: str) -> str:
    return f"{handling} · {text}" if handling else text


def _code(text: str) -> str:
    """Text in a header or footer, where `&` begins a code (ECMA-376, 18.3.1.46); Excel allows 255 characters."""
    return cell_text(text)[:100].replace("&", "&&")


def _given(finding: f.Finding, facts: f.Facts, words: Words) -> tuple[str, ...]:
    at = finding.submitted_at.astimezone(UTC)
    home = at.astimezone(ZoneInfo(facts.header.timezone))
    return (
        finding.ref,
        finding.delivery_id,
        f"{at:%Y-%m-%d %H:%M:%S}",
        f"{home:%Y-%m-%d %H:%M:%S}",
        finding.sender,
        finding.recipient,
        finding.subject or "",
        finding.message_id or "",
        "" if finding.size_bytes is None else str(finding.size_bytes),
        pieces.became(words, finding),
        ", ".join(markings(finding.subject or "")),
    )


def _asked(sheet: Any, row: int, before: f.Held | None, layout: Any) -> None:
    """What was filled in before stands there again."""
    for index, key in enumerate(ASKED, len(GIVEN)):
        value = getattr(before, key) if before else None
        if isinstance(value, int):
            sheet.write_number(row, index, value, layout)
        elif value:
            sheet.write_string(row, index, cell_text(value), layout)
        else:
            sheet.write_blank(row, index, None, layout)
