"""CSV: record and field positions in one pass.

Grammar: RFC 4180 with `#` comment lines, LF or CR LF, one separator of fields for the whole file (a comma, or what
`loaders.exchange.sniff.form` finds), and a quote that is special only at the start of a field. What breaks it (text
behind a closing quote, a quote never closed) costs the first line alone: the scan goes on behind that line, so that one
torn row does not swallow the file. The rule looks at nothing before the record, so every cut of the file into whole
records reads the same.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Final

import numpy as np

from forensics.native.compiler import entry, inlined, kernel
from forensics.native.exchange.codes import BLANK, BROKEN, COMMENT, DATA
from forensics.native.text import LOW, find_byte, find_far, first_marked, load64

LIMIT: Final = 1 << 20
"""A quoted record longer than this is taken for a quote that was never closed."""

COMMA: Final = 44
_LOW: Final = np.uint64(0x7F7F7F7F7F7F7F7F)

_FULL: Final = -1
_OPEN: Final = -2
_TORN: Final = -3


@kernel
def _separators(word, eight):
    """The highest bit of each byte of eight that is the separator; `eight`: eight separators."""
    w = word ^ eight
    return ~(((w & _LOW) + _LOW) | w | _LOW)


@kernel
def _behind_mark(buf, pos, n):
    """Behind the byte order mark that lies at `pos`, if one does."""
    if n - pos >= 3 and buf[pos] == 0xEF and buf[pos + 1] == 0xBB and buf[pos + 2] == 0xBF:
        return pos + 3
    return pos


@inlined
def _stops(buf, start, line, separator, stops, k):
    """Positions of all separators in [start, line) into `stops` from k on, and leaves room for one more; returns k
    behind them, or _FULL."""
    n = buf.size
    eight = np.uint64(separator) * LOW
    i = start
    while i < line and i + 8 <= n:
        if k + 9 > stops.size:
            return _FULL
        marks = _separators(load64(buf, i), eight)
        if line - i < 8:
            marks &= (np.uint64(1) << np.uint64(8 * (line - i))) - np.uint64(1)
        while marks:
            stops[np.uint64(k)] = i + first_marked(marks)
            k += 1
            marks &= marks - np.uint64(1)
        i += 8
    if k + 9 > stops.size:
        return _FULL
    while i < line:
        if buf[i] == separator:
            stops[k] = i
            k += 1
        i += 1
    return k


@inlined
def _without_return(buf, start, p):
    """The position p of a line end, or that of a carriage return before it."""
    return p - 1 if p > start and buf[p - 1] == 13 else p


@inlined
def _closing(buf, p, n, top, separator):
    """Behind the quote that closes the field whose text begins at p, and the CR of a line end there; _OPEN when none
    does before `top`, _TORN when other text follows."""
    closed = False
    while p < top and not closed:
        p = find_byte(buf, p, top, 34)
        if p < top and p + 1 < n and buf[p + 1] == 34:
            p += 2
        elif p < top:
            p += 1
            closed = True
    if not closed:
        return _OPEN
    if p < n and buf[p] == 13 and (p + 1 >= n or buf[p + 1] == 10):
        p += 1
    if p < n and buf[p] != separator and buf[p] != 10:
        return _TORN
    return p


@kernel
def _opening(buf, p, line, separator):
    """Position of the first quote in [p, line) that begins a field, where one begins at p, or `line`."""
    q = find_far(buf, p, line, 34)
    while q < line and q > p and buf[q - 1] != separator:
        q = find_far(buf, q + 1, line, 34)
    return q


@inlined
def _record(buf, start, line, n, separator, limit, split, stops, k):
    """(end, k) of the record at `start`, the first line feed behind which is at `line`: where the record's own is (or
    n), and k behind its fields in `stops`; the end is _FULL, _OPEN or _TORN when there is none."""
    p = start
    while True:
        q = _opening(buf, p, line, separator)
        if split:
            k = _stops(buf, p, q, separator, stops, k)
            if k < 0:
                return np.int64(_FULL), k
        p = q
        if q < line:
            p = _closing(buf, q + 1, n, min(n, start + limit + 1), separator)
            if p < 0:
                return p, k
        ends = p >= n or buf[p] == 10
        if split:
            stops[k] = _without_return(buf, start, p) if ends else p
            k += 1
        if ends:
            return p, k
        p += 1
        if line < p:
            line = find_far(buf, p, n, 10)


@entry("const uint8[:], int32[:], int32[:], int8[:], int32[:], int32[:], int64, int64, boolean, boolean, int64[:]")
def records(buf, starts, ends, kinds, firsts, stops, separator, limit, last, split, found, result):
    """Positions of all records. `found`: how many records (-1: the arrays are too small), fields, and bytes taken.

    `starts`, `ends`: bytes of a record without its line end; `kinds` (`codes`); `firsts`: index of its first entry in
    `stops`, which holds the position of the `separator` or line end behind each field (one more entry of `firsts`
    closes the last). Without `split` fields are not looked for, `stops` stays as it is. Without `last`, a record that
    the buffer ends in is not taken.
    """
    n = buf.size
    found[0] = -1
    r = 0
    k = 0
    pos = 0
    while pos < n:
        if r + 1 >= starts.size:
            return
        start = _behind_mark(buf, pos, n)
        if start >= n:
            break
        pos = start
        firsts[r] = k
        kind = DATA
        line = find_far(buf, start, n, 10)
        p = line
        if buf[start] == 35:
            kind = COMMENT
        else:
            p, k = _record(buf, start, line, n, separator, limit, split, stops, k)
            if p == _FULL:
                return
            if p == _OPEN and not last and n - start <= limit:
                k = firsts[r]
                break
            if p < 0:
                kind = BROKEN
                k = firsts[r]
                p = line
        if p >= n and not last:
            k = firsts[r]
            break
        end = _without_return(buf, start, p)
        if kind == DATA and end == start:
            kind = BLANK
            k = firsts[r]
        starts[r] = start
        ends[r] = end
        kinds[r] = kind
        r += 1
        pos = p + 1
    firsts[r] = k
    found[0] = r
    found[1] = k
    found[2] = min(pos, n)


@entry("const uint8[:], const int32[:], const int32[:], const int32[:], const int32[:], int32[:,:], int32[:,:]")
def fields(buf, starts, firsts, stops, columns, begin, end, result):
    """Field positions of records by slot: `begin[r, slot]`, `end[r, slot]`, quotes taken off.

    `columns`: the column of each slot, -1 for none. A field that still holds doubled quotes has its end stored as ~end.
    Absent columns are (0, 0).
    """
    for r in range(starts.size):
        first = firsts[r]
        have = firsts[r + 1] - first
        for slot in range(columns.size):
            column = columns[slot]
            if column < 0 or column >= have:
                begin[r, slot] = 0
                end[r, slot] = 0
                continue
            s = starts[r] if column == 0 else stops[first + column - 1] + 1
            e = stops[first + column]
            if e - s >= 2 and buf[s] == 34:
                s += 1
                e -= 1
                if find_byte(buf, s, e, 34) < e:
                    e = ~e
            begin[r, slot] = s
            end[r, slot] = e


@kernel
def field(begin, end, r, slot):
    """(start, end) of a field, whether it holds doubled quotes or not."""
    e = np.int64(end[r, slot])
    return np.int64(begin[r, slot]), e if e >= 0 else ~e


@entry("const uint8[:], const int64[:], int64[:]")
def utf16_units(text, positions, out, result):
    """UTF-16 code units before each of the ascending byte `positions` of UTF-8 `text`."""
    units = 0
    at = 0
    for k in range(positions.size):
        while at < positions[k]:
            c = text[at]
            if c & 0xC0 != 0x80:
                units += 2 if c >= 0xF0 else 1
            at += 1
        out[k] = units
