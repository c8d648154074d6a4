"""Recognising a wrap, cutting between its records, and taking it away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import numpy as np

from forensics.jsonread import made_of, of_pairs
from forensics.wraps import carried, encodings, journal, jsons, moments, prefixes, records, tables
from forensics.wraps.records import Line
from forensics.wraps.wrap import (
    CSV,
    EXPORT,
    HEAD,
    JSON,
    LINES,
    NO_STAMP,
    PLAIN,
    VERBOSE,
    Bytes,
    Taken,
    Unwrapped,
    Wrap,
    padded,
)

PADDING: Final = 64
"""Zero bytes behind a block (`loaders.base.PADDING`)."""
SAMPLE: Final = 400
"""Records of the head whose clocks are compared with the export's."""
BROKEN_CSV: Final = "quoting broken: text behind a closing quote, or a quote never closed"
Split = Callable[[Bytes, bool], int]


class Block(Protocol):
    """A block as custody cuts it, or one unwrapped: what loaders get."""

    @property
    def data(self) -> Bytes: ...

    @property
    def offset(self) -> int: ...

    @property
    def last(self) -> bool: ...


@dataclass
class _Gathered:
    """Lines as they are found, with the places of their records in the text."""

    lines: list[bytes] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)
    forms: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    zones: Counter[int | None] = field(default_factory=Counter)
    clocks: list[tuple[int, int]] = field(default_factory=list)

    def add(self, begin: int, end: int, found: Iterable[Line], wrap: Wrap) -> None:
        for line in found:
            if line.reason and (wrap.export or line.reason != records.NO_MESSAGE):
                self.reasons[len(self.lines)] = line.reason
            data = line.data.replace(b"\n", b"?")
            if b"\x1b" in data or b"\0" in data:
                data = encodings.without_escapes(data)
            if wrap.carriers:
                data = carried.named(data, wrap.carriers)
            self.lines.append(data)
            self.begins.append(begin)
            self.ends.append(end)
            self.stamps.append(line.stamp)
            if line.taken[0]:
                self.forms[line.taken] += 1
            if line.stamp != NO_STAMP:
                self.zones[line.zone] += 1
            if line.clocks:
                self.clocks.append(line.clocks)


def recognise(head: bytes) -> Wrap:
    """The wrap of a content that begins with `head` (its first `HEAD` bytes, or all of it)."""
    wrap = Wrap(coding=encodings.encoding(head))
    if head.startswith(journal.CURSOR):
        wrap = Wrap(form=EXPORT)
    text = _text(head, wrap)
    if b"\r" in text and b"\n" not in text:
        wrap = replace(wrap, bare_cr=True)
        text = _text(head, wrap)
    if wrap.form == PLAIN:
        wrap = replace(_form(text), coding=wrap.coding, bare_cr=wrap.bare_cr)
    if wrap.form == PLAIN:
        return wrap
    got = _gather(_complete(text, wrap, complete=len(head) < HEAD), wrap, as_logged=False, most=SAMPLE)
    return replace(wrap, export=bool(got.forms), offset=moments.distance(got.clocks))


def _text(head: bytes, wrap: Wrap) -> bytes:
    whole = head if wrap.coding == encodings.UTF8 else head[: len(head) // 2 * 2]
    data = np.frombuffer(whole, np.uint8)
    return encodings.text(data, wrap.coding, wrap.bare_cr, first=True, binary=wrap.form == EXPORT).data


def inside(head: bytes, wrap: Wrap) -> bytes:
    """The records of a content's first bytes as plain lines, for recognising their loader."""
    text = _text(head, wrap)
    if wrap.form == PLAIN:
        return b"\n".join(carried.named(line, wrap.carriers) for line in text.split(b"\n")) if wrap.carriers else text
    return b"\n".join(_gather(_complete(text, wrap, complete=len(head) < HEAD), wrap, as_logged=False).lines) + b"\n"


def _form(text: bytes) -> Wrap:
    latin = text.decode("latin-1")
    return (
        journal.recognise(text)
        or jsons.recognise(latin)
        or tables.recognise(latin)
        or prefixes.recognise(text)
        or Wrap()
    )


def _complete(text: bytes, wrap: Wrap, *, complete: bool) -> bytes:
    return text if complete else text[: _split_text(text, wrap)]


def split(data: Bytes, last: bool, wrap: Wrap, plain: Split) -> int:
    """Bytes at the start of `data` that are complete records; 0 asks for more. `plain`: `Loader.split` of what is
    inside, which decides where nothing but the encoding is around it."""
    if last:
        return len(data)
    if wrap.plain:
        return plain(data, False) or _in_nuls(data)
    data = data if wrap.coding == encodings.UTF8 else data[: len(data) // 2 * 2]
    text = encodings.text(data, wrap.coding, wrap.bare_cr, first=False, binary=wrap.form == EXPORT)
    if wrap.form == PLAIN:
        inner, _ = padded(text.data, PADDING)
        taken = plain(inner, False)
    else:
        taken = _split_text(text.data, wrap)
    return int(text.positions(np.array([taken]))[0]) if taken else _in_nuls(data)


def _in_nuls(data: Bytes) -> int:
    """A run of NUL bytes, which may be as long as the log was, can be cut anywhere."""
    return len(data) if len(data) and not data[-(1 << 12) :].any() else 0


def _split_text(text: bytes, wrap: Wrap) -> int:
    if wrap.form == JSON:
        return jsons.elements(text.decode("latin-1"), wrap, False)[1]
    if wrap.form in (EXPORT, VERBOSE):
        return journal.split(text, wrap)
    end = text.rfind(b"\n") + 1
    if wrap.form == CSV:
        lines = text[:end].decode("utf-8", "surrogateescape").split("\n")[:-1]
        stop = 0
        for row in tables.rows(lines, wrap, whole=False):
            stop = row.stop
        return sum(len(one) for one in text.split(b"\n", stop)[:stop]) + stop
    return end


def unwrap(block: Block, wrap: Wrap, *, as_logged: bool = False) -> Block | Unwrapped:
    """The block's records as plain lines, with their addresses; a plain block as it is.

    `as_logged`: stamps inside messages are left as they are, where else they are told year and zone; so equal records
    of two exports are equal lines.
    """
    marked = block.offset == 0 and _marked(block.data)
    if wrap.plain and not marked and (wrap.clean or not encodings.is_wasted(block.data)):
        return block
    first = block.offset == 0
    text = encodings.text(block.data, wrap.coding, wrap.bare_cr, first=first, binary=wrap.form == EXPORT)
    got = _plain(text.data, wrap.carriers) if wrap.form == PLAIN else _gather(text.data, wrap, as_logged=as_logged)
    as_it_is = wrap.form == PLAIN and not wrap.carriers
    data = text.data if as_it_is else b"\n".join(got.lines) + (b"\n" if got.lines else b"")
    if as_it_is:
        starts = np.array(got.begins, np.int64)
    else:
        lengths = np.array([len(line) + 1 for line in got.lines], np.int64)
        starts = np.cumsum(lengths) - lengths
    offsets = text.positions(np.array(got.begins, np.int64))
    lengths = np.maximum(text.positions(np.array(got.ends, np.int64), ends=True) - offsets, 0)
    inner, behind = padded(data, PADDING)
    return Unwrapped(
        data=inner,
        padded=behind,
        offset=block.offset,
        last=block.last,
        cut=bool(getattr(block, "cut", False)),
        outer=block.data,
        starts=starts,
        offsets=offsets + block.offset,
        lengths=lengths,
        reasons=got.reasons,
        stamps=np.array(got.stamps, np.int64) if got.stamps else None,
        taken=Taken(dict(got.forms), dict(got.zones)),
        objects=wrap.form in (JSON, LINES),
        damaged=text.wasted,
    )


def lines_of(block: Block, offset: int) -> bytes:
    """The lines that the record at this offset of the evidence stands for; nothing where they are the record itself."""
    if not isinstance(block, Unwrapped):
        return b""
    first, behind = (int(np.searchsorted(block.offsets, offset, side)) for side in ("left", "right"))
    if first == behind:
        return b""
    stop = int(block.starts[behind]) if behind < len(block.starts) else len(block.data)
    return block.data[int(block.starts[first]) : stop].tobytes()


def _marked(data: Bytes) -> bool:
    return data[:3].tobytes() == encodings.MARK


def _plain(text: bytes, carriers: tuple[str, ...]) -> _Gathered:
    """Lines where they stand; the lines themselves only where some are to be named otherwise."""
    got = _Gathered()
    at = 0
    pieces = text.split(b"\n")
    for piece in pieces[:-1] if not pieces[-1] else pieces:
        got.begins.append(at)
        got.ends.append(at + len(piece) - piece.endswith(b"\r"))
        at += len(piece) + 1
        if carriers:
            got.lines.append(carried.named(piece, carriers))
    return got


def _gather(text: bytes, wrap: Wrap, *, as_logged: bool, most: int | None = None) -> _Gathered:
    got = _Gathered()
    gather = {JSON: _from_json, CSV: _from_csv, LINES: _from_lines}.get(wrap.form, _from_journal)
    gather(got, text, wrap, as_logged, most)
    return got


def _from_lines(got: _Gathered, text: bytes, wrap: Wrap, as_logged: bool, most: int | None) -> None:
    at = 0
    pieces = text.split(b"\n")
    for piece in (pieces[:-1] if not pieces[-1] else pieces)[:most]:
        raw = piece.removesuffix(b"\r")
        got.add(at, at + len(raw), _of_line(raw, wrap, as_logged), wrap)
        at += len(piece) + 1


def _of_line(raw: bytes, wrap: Wrap, as_logged: bool) -> list[Line]:
    before: Mapping[str, Any] = {}
    if wrap.prefix:
        found = prefixes.taken(raw, wrap.prefix)
        if found is None:
            return [Line(raw)]
        raw, before = found
    if raw[:1] != b"{" and raw.lstrip()[:1] != b"{":
        return (
            records.behind(raw, before, wrap, as_logged)
            if "time" in before
            else [Line(raw, taken=(wrap.prefix, "", ""))]
        )
    try:
        value = records.loaded(raw)
    except (ValueError, RecursionError):
        return [Line(raw, records.NO_JSON)]
    if not isinstance(value, dict):
        return [Line(raw, records.NO_JSON)]
    if before:
        value = made_of({**before, **value}, value)
    return records.lines(value, raw, wrap.offset, as_logged=as_logged)


def _from_json(got: _Gathered, text: bytes, wrap: Wrap, as_logged: bool, most: int | None) -> None:
    latin = text.decode("latin-1")
    for element in jsons.elements(latin, wrap, True)[0][:most]:
        raw = text[element.begin : element.end]
        if not element.whole:
            got.add(element.begin, element.end, [Line(records.flat(raw), element.value or records.NO_JSON)], wrap)
            continue
        if not raw.isascii():
            element = element._replace(value=records.loaded(raw))
        entries: list[tuple[jsons.Element, Mapping[str, Any] | None]] = jsons.streams(latin, element) or [
            (element, jsons.rows(element.value, wrap))
        ]
        for one, record in entries:
            inner = text[one.begin : one.end]
            if record is None:
                found = [Line(records.flat(inner), records.NO_MESSAGE)]
            else:
                found = records.lines(record, inner, wrap.offset, as_logged=as_logged)
            got.add(one.begin, one.end, found, wrap)


def _from_csv(got: _Gathered, text: bytes, wrap: Wrap, as_logged: bool, most: int | None) -> None:
    pieces = text.split(b"\n")
    pieces = pieces[:-1] if not pieces[-1] else pieces
    lines = [piece.decode("utf-8", "surrogateescape") for piece in pieces]
    starts = np.cumsum([0] + [len(piece) + 1 for piece in pieces]).tolist()
    for row in tables.rows(lines, wrap):
        if tables.is_structure(row, lines[row.first], wrap):
            continue
        begin, end = starts[row.first], starts[row.stop] - 1
        end -= pieces[row.stop - 1].endswith(b"\r")
        raw = text[begin:end]
        if row.cells is None:
            found = [Line(records.flat(raw), BROKEN_CSV)]
        elif len(row.cells) != len(wrap.columns):
            reason = f"{len(row.cells)} columns, the header names {len(wrap.columns)}"
            found = [Line(records.flat(raw), reason if raw.strip() else "empty line")]
        else:
            record = of_pairs([(k, v) for k, v in zip(wrap.columns, row.cells, strict=True) if v])
            found = records.lines(record, raw, wrap.offset, as_logged=as_logged)
        got.add(begin, end, found, wrap)
        if most is not None and len(got.lines) >= most:
            return


def _from_journal(got: _Gathered, text: bytes, wrap: Wrap, as_logged: bool, most: int | None) -> None:
    for begin, end, fields in journal.entries(text, wrap)[:most]:
        raw = text[begin:end]
        got.add(begin, end, records.lines(fields, raw, wrap.offset, as_logged=as_logged), wrap)
