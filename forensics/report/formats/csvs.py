"""The annexes as CSV files that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

from forensics.cells import RUNS
from forensics.report import facts as f
from forensics.report.formats.tables import Annex, Value, annexes
from forensics.report.text.context import Context
from forensics.report.text.visible import visible
from forensics.report.text.wording import Words


def moment(value: datetime) -> str:
    """ISO 8601 in UTC: `2023-01-04T10:00:00Z`, with a fraction only where there is one."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def written(value: Value) -> str:
    """A value as the CSV and Markdown annexes write it; nothing for None."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return moment(value)
        case date():
            return value.isoformat()
        case float():
            return repr(value)
        case _:
            return str(value)


_RUNS = re.compile(RUNS)
_RUNS_LATER = re.compile(rf"""([;,|"][\s"']*)({RUNS})""")


def guarded(text: str) -> tuple[str, bool]:
    """A cell that no spreadsheet runs, and whether it got a leading apostrophe.

    A spreadsheet takes a cell that begins with = + - @ (or a tab or carriage return before them) for a formula.
    Where the locale separates fields by `;`, a cell may also be torn at one inside it, so such a sign behind a
    separator is written as `\\u{hex}`. Tabs, carriage returns and other controls are always written so.
    Source: OWASP, CSV Injection.
    """
    starts = text[:1] in ("\t", "\r", "\n") or _RUNS.match(text.lstrip()) is not None
    shown = _RUNS_LATER.sub(lambda m: f"{m[1]}\\u{{{ord(m[2]):x}}}", visible(text))
    return ("'" + shown, True) if starts else (shown, False)


def _lines(annex: Annex, words: Words) -> Iterator[list[str]]:
    yield [words(f"column.{column.key}") for column in annex.columns] + [words("csv.guarded")]
    for row in annex.rows:
        cells: list[str] = []
        marked: list[str] = []
        for column, value in zip(annex.columns, row, strict=True):
            if isinstance(value, str):
                cell, apostrophe = guarded(value)
                if apostrophe:
                    marked.append(words(f"column.{column.key}"))
            else:
                cell = written(value)
            cells.append(cell)
        yield [*cells, "; ".join(marked)]


def to_csv(annex: Annex, words: Words) -> bytes:
    """RFC 4180, UTF-8 with a byte order mark (Excel reads it as UTF-8 only then), every cell quoted."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows(_lines(annex, words))
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def render(facts: f.Facts, context: Context) -> dict[str, bytes]:
    """One CSV file per annex and a note on how to read them."""
    words = context.words
    files = {f"{annex.name}.csv": to_csv(annex, words) for annex in annexes(facts)}
    files["README.txt"] = words.pattern("csv.readme").lstrip().encode("utf-8")
    return files
