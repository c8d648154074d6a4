"""Time stamps of syslog lines as bytes: RFC 3164 (with and without year), ISO 8601, RFC 5424, seconds since 1970.

`stamp` gives what the bytes say; `forensics.loaders.years` turns that into UTC. A zone's name behind the time is
understood where it stands for one zone only (`ZONES`); else the stamp is local, as its file's zone says.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.codes import FIRST_YEAR, LAST_YEAR
from forensics.native.compiler import inlined, kernel
from forensics.native.postfix import words as w
from forensics.native.text import between, is_digit, lit, same_bytes

MONTHS, BEFORE, LENGTHS = w.MONTHS, w.BEFORE, w.MONTH_LENGTHS
DAY, MONTH_UNIT = w.DAY, w.MONTH_UNIT
SEVERAL = 9999
"""Of a zone's name: it stands for several zones."""
ZONES = {
    "UTC": 0, "GMT": 0, "UT": 0, "Z": 0, "WET": 0, "WEST": 60, "CET": 60, "MET": 60, "CEST": 120, "MEST": 120,
    "EET": 120, "EEST": 180, "MSK": 180, "JST": 540, "KST": 540, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
    "NST": -210, "EDT": -240, "EST": -300, "CDT": -300, "MDT": -360, "PDT": -420, "PST": -480, "AKDT": -480,
    "AKST": -540, "HST": -600,
    **dict.fromkeys(("AST", "BST", "CST", "IST", "MST", "SAST", "SST", "HKT", "SGT", "PKT", "WIB"), SEVERAL),
}  # fmt: skip
"""Minutes east of UTC of the zone names that date(1) and loggers write (IANA tz database)."""
ZONE_NAMES = lit("".join(ZONES))
ZONE_ENDS = np.cumsum([0, *map(len, ZONES)])
ZONE_MINUTES = np.array(list(ZONES.values()), np.int64)
NO_ZONE = -9999


@kernel
def is_leap(year):
    """Whether the year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


@kernel
def digits(buf, i, n):
    """The number in n digits at i, or -1."""
    value = 0
    for k in range(i, i + n):
        c = buf[k]
        if c < 48 or c > 57:
            return -1
        value = value * 10 + (int(c) - 48)
    return value


@kernel
def days(year, month, day):
    """Days since 1970-01-01 of a date of the proleptic Gregorian calendar."""
    y = year - 1
    n = y * 365 + y // 4 - y // 100 + y // 400 + BEFORE[month] + day - 1 - 719162
    if month > 2 and is_leap(year):
        n += 1
    return n


@kernel
def clock(buf, i):
    """(microseconds of the day, end) of HH:MM:SS[.fraction] at i; (-1, i) when it is none. A leap second counts as
    :59.999999."""
    h = digits(buf, i, 2)
    m = digits(buf, i + 3, 2)
    s = digits(buf, i + 6, 2)
    if h < 0 or m < 0 or s < 0 or h > 23 or m > 59 or s > 60 or buf[i + 2] != 58 or buf[i + 5] != 58:
        return -1, i
    k = i + 8
    fraction = 0
    if (buf[k] == 46 or buf[k] == 44) and is_digit(buf[k + 1]):
        k += 1
        scale = 100_000
        while is_digit(buf[k]):
            fraction += (int(buf[k]) - 48) * scale
            scale //= 10
            k += 1
    if s == 60:
        s = 59
        fraction = 999_999
    return ((h * 60 + m) * 60 + s) * 1_000_000 + fraction, k


@kernel
def month_at(buf, i):
    """1-12 for `Jan` … `Dec` at i, or 0."""
    for m in range(12):
        if buf[i] == MONTHS[3 * m] and buf[i + 1] == MONTHS[3 * m + 1] and buf[i + 2] == MONTHS[3 * m + 2]:
            return m + 1
    return 0


@kernel
def zone_at(buf, k):
    """(minutes east of UTC, end) of the zone's name at k, behind which a blank stands; NO_ZONE when it is none."""
    e = k
    while e < k + 5 and between(buf[e], 65, 90):
        e += 1
    if e == k or buf[e] != 32:
        return NO_ZONE, k
    for n in range(ZONE_MINUTES.size):
        start = ZONE_ENDS[n]
        if ZONE_ENDS[n + 1] - start == e - k and same_name(buf, k, e, start):
            return ZONE_MINUTES[n], e
    return NO_ZONE, k


@kernel
def same_name(buf, k, e, start):
    """Are the bytes [k, e) those of ZONE_NAMES from `start`?"""
    for j in range(e - k):  # noqa: SIM110
        if buf[k + j] != ZONE_NAMES[start + j]:
            return False
    return True


@kernel
def host_follows(buf, k):
    """True when the word at k, behind a blank, can be a host or a year: no tag, and something follows it."""
    e = k
    while buf[e] > 32:
        if buf[e] == 91:
            return False
        e += 1
    return e > k and buf[e] == 32 and buf[e - 1] != 58


@kernel
def iso(buf, i):
    """(kind, time, end) of an ISO 8601 stamp at i: ABSOLUTE with an offset, LOCAL without, NO_TIME when it is none."""
    year = digits(buf, i, 4)
    month = digits(buf, i + 5, 2)
    day = digits(buf, i + 8, 2)
    if not between(year, FIRST_YEAR, LAST_YEAR) or month < 1 or month > 12 or day < 1 or day > LENGTHS[month]:
        return w.NO_TIME, 0, i
    if buf[i + 4] != 45 or buf[i + 7] != 45 or (buf[i + 10] != 84 and buf[i + 10] != 32):
        return w.NO_TIME, 0, i
    if month == 2 and day == 29 and not is_leap(year):
        return w.NO_TIME, 0, i
    us, k = clock(buf, i + 11)
    if us < 0:
        return w.NO_TIME, 0, i
    t = days(year, month, day) * DAY + us
    c = buf[k]
    if c == 32 and (buf[k + 1] == 43 or buf[k + 1] == 45) and digits(buf, k + 2, 2) >= 0:
        k += 1
        c = buf[k]
    elif c == 32 and between(buf[k + 1], 65, 90):
        minutes, e = zone_at(buf, k + 1)
        if minutes != NO_ZONE and host_follows(buf, e + 1):
            if minutes == SEVERAL:
                return w.LOCAL, t, e
            return w.ABSOLUTE, t - minutes * 60_000_000, e
    if c == 90 or c == 122:
        return w.ABSOLUTE, t, k + 1
    if (c == 43 or c == 45) and is_digit(buf[k + 1]):
        hours = digits(buf, k + 1, 2)
        if hours < 0 or hours > 23:
            return w.NO_TIME, 0, i
        minutes = 0
        e = k + 3
        if buf[e] == 58 and digits(buf, e + 1, 2) >= 0:
            minutes = digits(buf, e + 1, 2)
            e += 3
        elif digits(buf, e, 2) >= 0:
            minutes = digits(buf, e, 2)
            e += 2
        offset = (hours * 60 + minutes) * 60_000_000
        return w.ABSOLUTE, t + offset if c == 45 else t - offset, e
    return w.LOCAL, t, k


@kernel
def bsd(buf, i):
    """(kind, time, end) of `Mmm dd HH:MM:SS`, with the year before the month, behind the day or behind the time, or
    none."""
    year = 0
    k = i
    if is_digit(buf[k]):
        year = digits(buf, k, 4)
        if not between(year, FIRST_YEAR, LAST_YEAR) or buf[k + 4] != 32:
            return w.NO_TIME, 0, i
        k += 5
    month = month_at(buf, k)
    if month == 0:
        if buf[k + 3] == 32 and month_at(buf, k + 4) > 0:  # a weekday before the month
            k += 4
            month = month_at(buf, k)
        else:
            return w.NO_TIME, 0, i
    k += 3
    if buf[k] != 32:
        return w.NO_TIME, 0, i
    k += 1
    if buf[k] == 32:
        k += 1
    day = digits(buf, k, 2)
    if day >= 0:
        k += 2
    else:
        day = digits(buf, k, 1)
        k += 1
    if day < 1 or day > LENGTHS[month] or buf[k] != 32:
        return w.NO_TIME, 0, i
    k += 1
    if year == 0 and between(digits(buf, k, 4), FIRST_YEAR, LAST_YEAR) and buf[k + 4] == 32:
        year = digits(buf, k, 4)
        k += 5
    us, k = clock(buf, k)
    if us < 0:
        return w.NO_TIME, 0, i
    minutes = NO_ZONE
    if buf[k] == 32 and between(buf[k + 1], 65, 90):
        minutes, e = zone_at(buf, k + 1)
        if minutes != NO_ZONE:
            if host_follows(buf, e + 1):
                k = e
            else:
                minutes = NO_ZONE
    if year == 0 and buf[k] == 32 and between(digits(buf, k + 1, 4), FIRST_YEAR, LAST_YEAR) and buf[k + 5] == 32:
        year = digits(buf, k + 1, 4)
        k += 5
    if year > 0:
        if month == 2 and day == 29 and not is_leap(year):
            return w.NO_TIME, 0, i
        t = days(year, month, day) * DAY + us
        if minutes in (NO_ZONE, SEVERAL):
            return w.LOCAL, t, k
        return w.ABSOLUTE, t - minutes * 60_000_000, k
    kind = w.NO_YEAR_UTC if minutes == 0 else w.NO_YEAR
    return kind, month * MONTH_UNIT + day * DAY + us, k


@kernel
def epoch(buf, i):
    """(kind, time, end) of seconds since 1970 with a fraction (journalctl -o short-unix), nine to eleven digits."""
    seconds = 0
    k = i
    while k < i + 12 and is_digit(buf[k]):
        seconds = seconds * 10 + (int(buf[k]) - 48)
        k += 1
    if not between(k - i, 9, 11) or buf[k] != 46 or not is_digit(buf[k + 1]):
        return w.NO_TIME, 0, i
    k += 1
    t = seconds * 1_000_000
    scale = 100_000
    while is_digit(buf[k]):
        t += (int(buf[k]) - 48) * scale
        scale //= 10
        k += 1
    return w.ABSOLUTE, t, k


@kernel
def any_stamp(buf, i):
    """(kind, time, end) of whichever kind of stamp is at i; a weekday may stand before a date."""
    if is_digit(buf[i]):
        if buf[i + 4] == 45:
            return iso(buf, i)
        if is_digit(buf[i + 4]):
            return epoch(buf, i)
    elif buf[i + 3] == 32 and is_digit(buf[i + 4]) and between(buf[i], 65, 90) and month_at(buf, i) == 0:
        return iso(buf, i + 4)
    return bsd(buf, i)


@kernel
def stamp(buf, i, end):
    """(kind, time, start of the rest, flavour) of one record [i, end).

    flavour: 0 `host tag: text`, 1 RFC 5424 (`host app procid msgid data text`), 2 a part of a record that the container
    runtime split. A container's own stamp before the line wins over the stamp in the line: it has year and zone.
    """
    k = i
    if buf[k] == 60:  # <PRI>
        e = k + 1
        while e < k + 5 and is_digit(buf[e]):
            e += 1
        if buf[e] != 62:
            return w.NO_TIME, 0, i, 0
        k = e + 1
    flavour = 0
    if buf[k] == 49 and buf[k + 1] == 32 and is_digit(buf[k + 2]):
        k += 2
        flavour = 1
    kind, t, e = any_stamp(buf, k)
    if kind == w.NO_TIME and flavour == 0:
        # `name  | line` of docker compose
        stop = min(end, i + 64)
        e = k
        while e < stop and buf[e] != 124 and buf[e] != 10:
            e += 1
        if e < stop and buf[e] == 124 and e > k and buf[e - 1] == 32 and buf[e + 1] == 32:
            k = e + 2
            kind, t, e = any_stamp(buf, k)
    if kind == w.NO_TIME or buf[e] != 32 or e >= end:
        return w.NO_TIME, 0, i, 0
    if flavour == 1:
        return kind, t, e + 1, 1
    k = e + 1
    if stream_at(buf, k):
        k += 7
        if buf[k] == 80 and buf[k + 1] == 32:
            return kind, t, k + 2, 2
        if buf[k] == 70 and buf[k + 1] == 32:
            k += 2
    # a second stamp: the record's own, behind the one the container runtime put before it
    c = buf[k]
    if c == 60 or is_digit(c) or between(c, 65, 90):
        if c == 60:
            e = k + 1
            while e < k + 5 and is_digit(buf[e]):
                e += 1
            if buf[e] == 62:
                k = e + 1
        inner, t2, e = any_stamp(buf, k)
        if inner != w.NO_TIME and buf[e] == 32 and e < end:
            if kind != w.ABSOLUTE:
                kind, t = inner, t2
            k = e + 1
    return kind, t, k, 0


START, SIZE, MEMO_KIND, MEMO_TIME, MEMO_FLAVOUR = range(5)
"""What `stamp_after` remembers of the record before: where it started, bytes before its rest, what `stamp` said."""
MEMO = 5


@inlined
def stamp_after(buf, i, end, memo):
    """`stamp`, sooner where the record before began with the same bytes: most of a busy log is several lines a second.

    What follows the stamp could belong to it (a year, a zone, a second stamp, `stdout`) unless it is a small letter
    other than s.
    """
    size = memo[SIZE]
    if size > 0 and i + size < end and same_bytes(buf, memo[START], i, size):
        c = buf[i + size]
        if memo[MEMO_FLAVOUR] == 1 or (between(c, 97, 122) and c != 115):
            return memo[MEMO_KIND], memo[MEMO_TIME], i + size, memo[MEMO_FLAVOUR]
    kind, t, k, flavour = stamp(buf, i, end)
    memo[SIZE] = 0
    if kind != w.NO_TIME and flavour != 2:
        memo[START] = i
        memo[SIZE] = k - i
        memo[MEMO_KIND] = kind
        memo[MEMO_TIME] = t
        memo[MEMO_FLAVOUR] = flavour
    return kind, t, k, flavour


@kernel
def stream_at(buf, k):
    """True when `stdout ` or `stderr ` stands at k."""
    if buf[k] != 115 or buf[k + 1] != 116 or buf[k + 2] != 100 or buf[k + 6] != 32:
        return False
    return (buf[k + 3] == 111 and buf[k + 4] == 117 and buf[k + 5] == 116) or (
        buf[k + 3] == 101 and buf[k + 4] == 114 and buf[k + 5] == 114
    )
