"""Comparing the first bytes of a content with the marks of `refused.FORMATS`."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from functools import cache, cached_property
from typing import Final, NamedTuple

from forensics.loaders.refused import FORMATS, Format

LINES: Final = 200
"""Lines of the head that may be a header row."""
_LONGEST: Final = 8192
"""Characters of a line that may be one."""
_ENCODINGS: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_JSON_KEY: Final = re.compile(r'"([A-Za-z0-9_@.]{1,64})"\s*:')
_QUOTED: Final = re.compile(rb'"[^"]*(?:""[^"]*)*"?')
_NAME: Final = re.compile(r"[^\W\d][\w .$()/\[\]-]{0,63}")
"""A name of a column; nothing that a line of a log begins with."""
_BINARY: Final = re.compile(b"|".join(form.magic for form in FORMATS if form.magic), re.S)


class _Marks(NamedTuple):
    """A format and its marks, ready to be compared; a pattern that never matches stands for none."""

    form: Format
    magic: re.Pattern[bytes]
    start: re.Pattern[str]
    lines: re.Pattern[str]
    columns: tuple[frozenset[str], ...]
    keys: tuple[frozenset[str], ...]


@cache
def _all() -> tuple[_Marks, ...]:
    none = "(?!)"
    return tuple(
        _Marks(
            form,
            re.compile(form.magic or none.encode(), re.S),
            re.compile(rf"\s*(?:{form.start or none})", re.I),
            re.compile(rf"^(?:{form.lines or none})", re.M),
            tuple(frozenset(names.split()) for names in form.columns),
            tuple(frozenset(names.split()) for names in form.keys),
        )
        for form in FORMATS
    )


def is_binary(head: bytes) -> bool:
    """Whether the content is of a format here that no text can be: no loader need look at it."""
    return bool(_BINARY.match(head))


def recognise(head: bytes) -> Format | None:
    """The first format that the first bytes of a content fit; None when none does."""
    if is_binary(head):
        return next(one.form for one in _all() if one.magic.match(head))
    text = _text(head)
    rows = list(_rows(text))
    keys = frozenset(_JSON_KEY.findall(text) if text.lstrip()[:1] in ("{", "[") else ())
    for one in _all():
        if one.start.match(text) or one.lines.search(text):
            return one.form
        if any(names <= row for names in one.columns for row in rows) or any(names <= keys for names in one.keys):
            return one.form
    return None


def plain(head: bytes) -> bytes:
    """The head without quoted fields that hold line ends, if it begins as a table: what outsiders wrote into such a
    field is no line of a log, whatever it looks like."""
    return Quotes(head).without(head)


class Quotes:
    """`plain` for the pieces of a content that begins with `head`, one after the other."""

    def __init__(self, head: bytes) -> None:
        self._head = head[:_LONGEST]
        self._open = False

    @cached_property
    def _table(self) -> bool:
        return _is_table(self._head)

    def without(self, piece: bytes) -> bytes:
        """The piece without quoted fields that hold line ends."""
        if not self._table:
            return piece
        text = b'"' + piece if self._open else piece
        self._open ^= piece.count(b'"') % 2 == 1
        return _QUOTED.sub(lambda found: b'""' if b"\n" in found[0] else found[0], text)


def _is_table(head: bytes) -> bool:
    """Whether a content begins as a table: with names of columns, or as one that is not read."""
    begin = []
    for line in _text(head[:_LONGEST]).split("\n", LINES):
        begin += [line] if line.strip() else []
        if begin and not line.startswith("#"):
            break
    rows = [row for line in begin for row in _rows(line)]
    said = "\n".join(line for line in begin if line.startswith("#"))
    if begin and _is_header(begin[-1]):
        return True
    return any(one.lines.search(said) or any(names <= row for names in one.columns for row in rows) for one in _all())


def _is_header(line: str) -> bool:
    """Whether a line holds nothing but names of columns, three at least."""
    cells = _cells(line, max(",;\t|", key=line.count)) if len(line) <= _LONGEST else []
    return len(cells) > 2 and all(_NAME.fullmatch(cell.strip()) for cell in cells)


def _text(head: bytes) -> str:
    """The head as text, lines ended by line feeds alone."""
    wide = _ENCODINGS.get(head[:2])
    if wide is None and len(head) > 1 and bool(head[0]) != bool(head[1]):
        wide = "utf-16-le" if head[0] else "utf-16-be"
    text = head.decode(wide or "utf-8", "replace")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _rows(text: str) -> Iterator[frozenset[str]]:
    """The cells of the first lines, squeezed as `Format.columns` are."""
    for line in text.split("\n", LINES)[:LINES]:
        bare = line.partition(":")[2] if line[:8].lower() == "#fields:" else line.lstrip("# ")
        if 0 < len(bare) <= _LONGEST:
            mark = max(",;\t|", key=bare.count)
            yield frozenset("".join(c for c in cell.lower() if c.isalnum()) for cell in _cells(bare, mark))


def _cells(line: str, mark: str) -> list[str]:
    try:
        return next(iter(csv.reader([line.replace("\0", " ")], delimiter=mark)), [])
    except csv.Error:
        return []
