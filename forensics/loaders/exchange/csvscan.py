"""CSV as kernels: record and field positions in one pass.

Grammar: RFC 4180 with `#` comment lines, LF or CR LF, and a quote that is special only at the start of a field. What
breaks it (text behind a closing quote, a quote never closed) costs the first line alone: the scan goes on behind that
line, so that one torn row does not swallow the file. The rule looks at nothing before the record, so every cut of the
file into whole records reads the same.

Every kernel reads at most a few bytes behind the block; blocks are padded with zeros (`loaders.base.PADDING`).
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any, Final

import numpy as np

from forensics.loaders.exchange.machine import find, kernel
from forensics.machine import load64, trailing_zeros

Array = np.ndarray[Any, np.dtype[Any]]

DATA: Final = 0
COMMENT: Final = 1
BLANK: Final = 2
BROKEN: Final = 3
"""Quoting violated: the record is its first line."""

LIMIT: Final = 1 << 20
"""A quoted record longer than this is taken for a quote that was never closed."""

NO_TIME: Final = -(1 << 62)


@kernel("void(uint8[::1], int64, int64[::1])")
def tally(buf, n, found):
    """`found`: line feeds and commas among the first n bytes."""
    lines = 0
    commas = 0
    for i in range(n):
        c = buf[i]
        lines += c == 10
        commas += c == 44
    found[0] = lines
    found[1] = commas


_LOW: Final = np.uint64(0x7F7F7F7F7F7F7F7F)
_COMMAS: Final = np.uint64(0x2C2C2C2C2C2C2C2C)


@kernel()
def _commas(word):
    """The highest bit of each byte of eight that is a comma."""
    w = word ^ _COMMAS
    return ~(((w & _LOW) + _LOW) | w | _LOW)


@kernel()
def _comma(base, p, end):
    """Position of the first comma in [p, end), or `end`."""
    while p < end:
        found = _commas(load64(base + p))
        if found:
            return min(p + np.int64(trailing_zeros(found) >> np.uint64(3)), end)
        p += 8
    return end


@kernel(
    "void(uint8[::1], int64, int32[::1], int32[::1], int8[::1], int32[::1], int32[::1], int64, boolean, boolean, "
    "int64[::1])"
)
def records(buf, n, starts, ends, kinds, firsts, stops, limit, last, split, found):
    """Positions of all records. `found`: how many records (-1: the arrays are too small), fields, and bytes taken.

    `starts`, `ends`: bytes of a record without its line end; `kinds`; `firsts`: index of its first entry in `stops`,
    which holds the position of the delimiter behind each field (one more entry of `firsts` closes the last). Without
    `split` fields are not looked for, `stops` stays as it is. Without `last`, a record that the buffer ends in is not
    taken.
    """
    base = buf.ctypes.data
    found[0] = -1
    r = 0
    k = 0
    pos = 0
    while pos < n:
        if r + 1 >= starts.shape[0]:
            return
        if n - pos >= 3 and buf[pos] == 0xEF and buf[pos + 1] == 0xBB and buf[pos + 2] == 0xBF:
            if pos + 3 >= n:
                break
            pos += 3
        start = pos
        firsts[r] = k
        kind = DATA
        line = start + find(base + start, 10, n - start)
        p = line
        if buf[start] == 35:
            kind = COMMENT
        elif find(base + start, 34, line - start) == line - start:
            if split:
                i = start
                while i < line:
                    if k + 9 > stops.shape[0]:
                        return
                    marks = _commas(load64(base + i))
                    while marks:
                        stops[k] = i + np.int64(trailing_zeros(marks) >> np.uint64(3))
                        k += 1
                        marks &= marks - np.uint64(1)
                    i += 8
                while k > firsts[r] and stops[k - 1] >= line:
                    k -= 1
                if k + 1 > stops.shape[0]:
                    return
                stops[k] = line - 1 if line > start and buf[line - 1] == 13 else line
                k += 1
        else:
            p = start
            while True:
                if p < n and buf[p] == 34:
                    p += 1
                    closed = False
                    top = min(n, start + limit + 1)
                    while p < top:
                        q = p + find(base + p, 34, top - p)
                        if q < top and q + 1 < n and buf[q + 1] == 34:
                            p = q + 2
                            continue
                        closed = q < top
                        p = q + 1 if closed else top
                        break
                    if not closed:
                        if p >= n and not last and n - start <= limit:
                            found[0] = r
                            found[1] = firsts[r]
                            found[2] = start
                            return
                        kind = BROKEN
                        break
                    if p < n and buf[p] == 13 and (p + 1 >= n or buf[p + 1] == 10):
                        p += 1
                    if p < n and buf[p] != 44 and buf[p] != 10:
                        kind = BROKEN
                        break
                else:
                    if line < p:
                        line = p + find(base + p, 10, n - p)
                    p = _comma(base, p, line)
                if split:
                    if k + 1 > stops.shape[0]:
                        return
                    stops[k] = p - 1 if p > start and buf[p - 1] == 13 and (p >= n or buf[p] == 10) else p
                    k += 1
                if p >= n or buf[p] == 10:
                    break
                p += 1
            if kind == BROKEN:
                k = firsts[r]
                p = start + find(base + start, 10, n - start)
        if p >= n and not last:
            found[0] = r
            found[1] = firsts[r]
            found[2] = start
            return
        end = p
        if end > start and buf[end - 1] == 13:
            end -= 1
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


@kernel("void(uint8[::1], int32[::1], int32[::1], int32[::1], int64, int64, int32[::1], int32[:,::1], int32[:,::1])")
def fields(buf, starts, firsts, stops, low, high, columns, begin, end):
    """Field positions by slot for records low..high: `begin[r, slot]`, `end[r, slot]`, quotes taken off.

    A field that still holds doubled quotes has its end stored as ~end. Absent columns are (0, 0).
    """
    slots = columns.shape[0]
    for r in range(low, high):
        first = firsts[r]
        have = firsts[r + 1] - first
        for slot in range(slots):
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
                doubled = False
                for i in range(s, e):
                    if buf[i] == 34:
                        doubled = True
                        break
                begin[r, slot] = s
                end[r, slot] = ~e if doubled else e
            else:
                begin[r, slot] = s
                end[r, slot] = e


@kernel()
def field_start(begin, r, slot):
    return np.int64(begin[r, slot])


@kernel()
def field_end(end, r, slot):
    """End of a field, whether it holds doubled quotes or not."""
    e = np.int64(end[r, slot])
    return e if e >= 0 else ~e


@kernel()
def _digits(buf, i, count):
    value = np.int64(0)
    for j in range(i, i + count):
        c = buf[j]
        if c < 48 or c > 57:
            return -1
        value = value * 10 + (c - 48)
    return value


@kernel()
def _days(year, month, day):
    """Days since 1970-01-01 of a proleptic Gregorian date (Hinnant, "chrono-compatible low-level date algorithms")."""
    y = year - (month <= 2)
    era = y // 400
    yoe = y - era * 400
    doy = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    doe = yoe * 365 + yoe // 4 - yoe // 100 + doy
    return era * 146097 + doe - 719468


@kernel()
def _month_days(year, month):
    if month == 2:
        return 29 if (year % 4 == 0 and year % 100 != 0) or year % 400 == 0 else 28
    return 30 if month in (4, 6, 9, 11) else 31


@kernel()
def moment(buf, s, e):
    """`YYYY-MM-DD[T ]HH:MM:SS[.f…][Z|±HH:MM]` as microseconds UTC; no zone is UTC; NO_TIME when it is none."""
    if e - s < 19 or buf[s + 4] != 45 or buf[s + 7] != 45 or buf[s + 13] != 58 or buf[s + 16] != 58:
        return NO_TIME
    if buf[s + 10] != 84 and buf[s + 10] != 32:
        return NO_TIME
    year = _digits(buf, s, 4)
    month = _digits(buf, s + 5, 2)
    day = _digits(buf, s + 8, 2)
    hour = _digits(buf, s + 11, 2)
    minute = _digits(buf, s + 14, 2)
    second = _digits(buf, s + 17, 2)
    if year < 1 or month < 1 or month > 12 or day < 1 or hour < 0 or minute < 0 or second < 0:
        return NO_TIME
    if day > _month_days(year, month) or hour > 23 or minute > 59 or second > 59:
        return NO_TIME
    value = ((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
    micros = 0
    p = s + 19
    if p < e and buf[p] == 46:
        p += 1
        scale = 100000
        begin = p
        while p < e and buf[p] >= 48 and buf[p] <= 57:
            micros += (buf[p] - 48) * scale
            scale //= 10
            p += 1
        if p == begin:
            return NO_TIME
    shift = 0
    if p < e and (buf[p] == 90 or buf[p] == 122):
        p += 1
    elif p < e and (buf[p] == 43 or buf[p] == 45):
        if e - p != 6 or buf[p + 3] != 58:
            return NO_TIME
        hours = _digits(buf, p + 1, 2)
        minutes = _digits(buf, p + 4, 2)
        if hours < 0 or hours > 14 or minutes < 0 or minutes > 59:
            return NO_TIME
        shift = (hours * 60 + minutes) * 60
        if buf[p] == 45:
            shift = -shift
        p = e
    if p != e:
        return NO_TIME
    return (value - shift) * 1000000 + micros


@kernel()
def moment_after(buf, s, e, memo):
    """`moment`, faster for stamps such as Exchange's (`2023-06-01T00:00:00.000Z`) of the same minute as the one before.

    `memo`: sixteen bytes of that stamp as two words, and its minute in microseconds; begins as zeros.
    """
    if e - s != 24 or buf[s + 19] != 46 or buf[s + 23] != 90:
        return moment(buf, s, e)
    base = buf.ctypes.data
    first = load64(base + s)
    second = load64(base + s + 8)
    if first == memo[0] and second == memo[1] and buf[s + 16] == 58:
        seconds = _digits(buf, s + 17, 2)
        millis = _digits(buf, s + 20, 3)
        if seconds < 0 or seconds > 59 or millis < 0:
            return NO_TIME
        return np.int64(memo[2]) + seconds * 1000000 + millis * 1000
    value = moment(buf, s, e)
    if value != NO_TIME:
        memo[0] = first
        memo[1] = second
        memo[2] = np.uint64(value - value % 60000000)
    return value


def span(buf: Array, starts: Array, ends: Array, wanted: Array) -> tuple[int, int]:
    """(earliest, latest) time in the first field of the records `wanted`; NO_TIME twice when none has one."""
    out = np.empty(2, np.int64)
    span_within(buf, starts, ends, wanted, np.zeros(3, np.uint64), out)
    return int(out[0]), int(out[1])


@kernel("void(uint8[::1], int32[::1], int32[::1], int64[::1], uint64[::1], int64[::1])")
def span_within(buf, starts, ends, wanted, memo, out):
    """`span` into `out`; `memo` as of `moment_after`."""
    low = NO_TIME
    high = NO_TIME
    for i in range(wanted.shape[0]):
        s = np.int64(starts[wanted[i]])
        e = _comma(buf.ctypes.data, s, np.int64(ends[wanted[i]]))
        if e > s and buf[s] == 34:
            if buf[e - 1] != 34:
                continue
            s += 1
            e -= 1
        value = moment_after(buf, s, e, memo)
        if value != NO_TIME:
            if low == NO_TIME or value < low:
                low = value
            if high == NO_TIME or value > high:
                high = value
    out[0] = low
    out[1] = high


def span_of(buf: Array, begin: Array, end: Array) -> tuple[int, int]:
    """The same of given fields; a negative end stands for a field with doubled quotes."""
    out = np.empty(2, np.int64)
    span_of_within(buf, begin, end, out)
    return int(out[0]), int(out[1])


@kernel("void(uint8[::1], int32[::1], int32[::1], int64[::1])")
def span_of_within(buf, begin, end, out):
    """`span_of` into `out`."""
    low = NO_TIME
    high = NO_TIME
    for i in range(begin.shape[0]):
        if end[i] < 0:
            continue
        value = moment(buf, np.int64(begin[i]), np.int64(end[i]))
        if value != NO_TIME:
            if low == NO_TIME or value < low:
                low = value
            if high == NO_TIME or value > high:
                high = value
    out[0] = low
    out[1] = high


@kernel("void(uint8[::1], int64[::1], int64[::1])")
def utf16_units(text, positions, out):
    """UTF-16 code units before each of the ascending byte `positions` of UTF-8 `text`."""
    units = 0
    at = 0
    for k in range(positions.shape[0]):
        while at < positions[k]:
            c = text[at]
            if c & 0xC0 != 0x80:
                units += 2 if c >= 0xF0 else 1
            at += 1
        out[k] = units
