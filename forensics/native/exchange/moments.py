"""Times of records: ISO 8601 stamps as microseconds."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any, Final

import numpy as np

from forensics.native.codes import FIRST_YEAR, LAST_YEAR
from forensics.native.compiler import entry, kernel
from forensics.native.text import find_byte, is_digit, load64

Array = np.ndarray[Any, np.dtype[Any]]

NO_TIME: Final = -(1 << 62)


@kernel
def _digits(buf, i, count):
    value = np.int64(0)
    for j in range(i, i + count):
        c = buf[j]
        if not is_digit(c):
            return -1
        value = value * 10 + (c - 48)
    return value


@kernel
def _days(year, month, day):
    """Days since 1970-01-01 of a proleptic Gregorian date (Hinnant, "chrono-compatible low-level date algorithms")."""
    y = year - (month <= 2)
    era = y // 400
    yoe = y - era * 400
    doy = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    doe = yoe * 365 + yoe // 4 - yoe // 100 + doy
    return era * 146097 + doe - 719468


@kernel
def _month_days(year, month):
    if month == 2:
        return 29 if (year % 4 == 0 and year % 100 != 0) or year % 400 == 0 else 28
    return 30 if month in (4, 6, 9, 11) else 31


@kernel
def _second(buf, s):
    """Seconds since 1970 of `YYYY-MM-DD[T ]HH:MM:SS`, nineteen bytes; NO_TIME when it is none."""
    if buf[s + 4] != 45 or buf[s + 7] != 45 or buf[s + 13] != 58 or buf[s + 16] != 58:
        return NO_TIME
    if buf[s + 10] != 84 and buf[s + 10] != 32:
        return NO_TIME
    year = _digits(buf, s, 4)
    month = _digits(buf, s + 5, 2)
    day = _digits(buf, s + 8, 2)
    hour = _digits(buf, s + 11, 2)
    minute = _digits(buf, s + 14, 2)
    second = _digits(buf, s + 17, 2)
    if (
        year < FIRST_YEAR
        or year > LAST_YEAR
        or month < 1
        or month > 12
        or day < 1
        or hour < 0
        or minute < 0
        or second < 0
    ):
        return NO_TIME
    if day > _month_days(year, month) or hour > 23 or minute > 59 or second > 59:
        return NO_TIME
    return ((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second


@kernel
def _zone(buf, p, e):
    """Seconds that `Z`, `±HH:MM`, or nothing at all stands for; NO_TIME when [p, e) is none of them."""
    if p == e or (p + 1 == e and (buf[p] == 90 or buf[p] == 122)):
        return 0
    if e - p != 6 or (buf[p] != 43 and buf[p] != 45) or buf[p + 3] != 58:
        return NO_TIME
    hours = _digits(buf, p + 1, 2)
    minutes = _digits(buf, p + 4, 2)
    if hours < 0 or hours > 14 or minutes < 0 or minutes > 59:
        return NO_TIME
    shift = (hours * 60 + minutes) * 60
    return -shift if buf[p] == 45 else shift


@kernel
def moment(buf, s, e):
    """`YYYY-MM-DD[T ]HH:MM:SS[.f…][Z|±HH:MM]` as microseconds UTC; no zone is UTC; NO_TIME when it is none."""
    if e - s < 19:
        return NO_TIME
    value = _second(buf, s)
    if value == NO_TIME:
        return NO_TIME
    micros = np.int64(0)
    p = s + 19
    if p < e and buf[p] == 46:
        p += 1
        scale = 100000
        begin = p
        while p < e and is_digit(buf[p]):
            micros += (np.int64(buf[p]) - 48) * scale
            scale //= 10
            p += 1
        if p == begin:
            return NO_TIME
    shift = _zone(buf, p, e)
    if shift == NO_TIME:
        return NO_TIME
    return (value - shift) * 1000000 + micros


@kernel
def is_zoned(buf, s, e):
    """Does the stamp [s, e), which `moment` reads, name its zone?"""
    return buf[e - 1] == 90 or buf[e - 1] == 122 or buf[e - 6] == 43 or buf[e - 6] == 45


@kernel
def moment_after(buf, s, e, memo):
    """`moment`, faster for stamps such as Exchange's (`2023-06-01T00:00:00.000Z`) of the same minute as the one before.

    `memo`: sixteen bytes of that stamp as two words, and its minute in microseconds; begins as zeros.
    """
    if e - s != 24 or buf[s + 19] != 46 or buf[s + 23] != 90:
        return moment(buf, s, e)
    first = load64(buf, s)
    second = load64(buf, s + 8)
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


@kernel
def _time_field(buf, s, e, whole):
    """The time field [s, e) of a record, or, of a whole record, its first field without quotes; an end below zero when
    that holds no time that is read: doubled quotes, or a quote that the first comma is behind."""
    if not whole or e < 0:
        return s, e
    e = find_byte(buf, s, e, 44)
    if e > s and buf[s] == 34:
        return (s + 1, e - 1) if buf[e - 1] == 34 else (s, np.int64(-1))
    return s, e


@entry("const uint8[:], const int32[:], const int32[:], const int64[:], boolean, uint64[:], int64[:]")
def extent(buf, begin, end, wanted, whole, memo, out, result):
    """Of the records `wanted`, in `out`: earliest and latest time, NO_TIME twice when there is none; and the last
    record whose time names no zone and the last whose time cannot be read, -1 for none. `begin`, `end` are `whole`
    records, the first field of which is the time, or the time fields (a negative end: doubled quotes). `memo`: as of
    `moment_after`."""
    low = NO_TIME
    high = NO_TIME
    out[2] = -1
    out[3] = -1
    for r in wanted:
        s, e = _time_field(buf, np.int64(begin[r]), np.int64(end[r]), whole)
        value = moment_after(buf, s, e, memo) if e >= 0 else NO_TIME
        if value == NO_TIME:
            out[3] = r
            continue
        if not is_zoned(buf, s, e):
            out[2] = r
        if low == NO_TIME or value < low:
            low = value
        if high == NO_TIME or value > high:
            high = value
    out[0] = low
    out[1] = high


def span(buf: Array, begin: Array, end: Array, wanted: Array, *, whole: bool) -> tuple[int, int, bool, bool]:
    """(earliest, latest, does one name no zone, is one unreadable) of records in any order, as `extent`."""
    out = np.empty(4, np.int64)
    extent(buf, begin, end, wanted, whole, np.zeros(3, np.uint64), out)
    return int(out[0]), int(out[1]), bool(out[2] >= 0), bool(out[3] >= 0)
