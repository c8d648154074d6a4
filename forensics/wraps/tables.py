"""CSV with a header that names a column of messages.

RFC 4180; separated by commas, semicolons, tabs or bars; a record may go over several lines. What breaks it (a quote
that is never closed) costs the first line alone, as in `native.exchange.csvscan`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from forensics.wraps import columns
from forensics.wraps.wrap import CSV, Wrap

SEPARATORS: Final = (",", ";", "\t", "|")
LIMIT: Final = 1 << 20
"""A record longer than this is taken for a quote that was never closed (so does `csvscan.LIMIT`)."""
NAME: Final = 100
"""Characters of a column's name: a header that lost its end would take the first record with it."""
_ALONE: Final = ("_raw", "@message", "SyslogMessage", "full_log", "full_message")
"""Message columns whose name alone tells."""
_KIWI: Final = re.compile(r'\d{4}-\d\d-\d\d,\d\d:\d\d:\d\d,\w{2,10}\.\w{2,10},[^",\n]{1,255},')
_KIWI_COLUMNS: Final = ("Date", "Time", "Priority", "Hostname", "Message")
"""Kiwi Syslog's `CSV yyyy-mm-dd`, which has no header."""


class Row(NamedTuple):
    """One record: its first line, the line behind its last, and its cells; None where its quoting is broken."""

    first: int
    stop: int
    cells: tuple[str, ...] | None


def recognise(text: str) -> Wrap | None:
    """The wrap of a content with this head; None where no header of messages is among its first lines."""
    for line in text.split("\n", 8)[:8]:
        line = line.rstrip("\r")
        if _KIWI.match(line):
            return Wrap(form=CSV, columns=_KIWI_COLUMNS)
        for separator in SEPARATORS:
            names = _header(line, separator)
            if names:
                return Wrap(form=CSV, columns=names, separator=separator)
        if line and not line.lower().startswith(("sep=", "#")):
            return None
    return None


def _header(line: str, separator: str) -> tuple[str, ...]:
    """The names of a header row; none where it is no header of an export."""
    if len(line) > 64 << 10:
        return ()
    try:
        cells = next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return ()
    if any(len(cell) > NAME for cell in cells):
        return ()
    names = tuple(columns.spelled(cell) for cell in cells)
    export = columns.export_of(dict.fromkeys(names, ""))
    if export is None or (len(names) < 2 and not set(names) & set(_ALONE)):
        return ()
    named = any(name in names for name in (*export.time, "Time")) or bool(set(names) & set(_ALONE))
    return names if named else ()


def rows(lines: list[str], wrap: Wrap, *, whole: bool = True) -> Iterator[Row]:
    """The records that these lines (without line feeds) make up; without `whole` not the last one, if its quotes are
    still open."""
    at = 0
    while at < len(lines):
        start = at
        reader = csv.reader((lines[n] + "\n" for n in range(start, len(lines))), delimiter=wrap.separator, strict=True)
        while at < len(lines):
            first = at
            try:
                cells = next(reader)
            except csv.Error as error:
                cut = "end of data" in str(error) and _size(lines, first, len(lines)) <= LIMIT
                if cut and not whole:
                    return
                at = first + 1
                yield Row(first, at, None)
                break
            at = start + reader.line_num
            if _size(lines, first, at) > LIMIT:
                at = first + 1
                yield Row(first, at, None)
                break
            yield Row(first, at, tuple(cells))


def _size(lines: list[str], first: int, stop: int) -> int:
    """Characters of several lines; a single one is never too long."""
    return sum(map(len, lines[first:stop])) if stop > first + 1 else 0


def is_structure(row: Row, line: str, wrap: Wrap) -> bool:
    """Whether a row is a header, which is no record: also where exports were joined; `sep=` and `#TYPE` lines."""
    if row.cells is None:
        return False
    if line.lower().startswith(("sep=", "#type")):
        return True
    return len(row.cells) == len(wrap.columns) and tuple(columns.spelled(c) for c in row.cells) == wrap.columns
