"""In which order the stamps of a file stand: where they step back, which days they name, where a year begins.

One stamp after another is followed in two ways. By *host*, because the clocks (and zones) of two hosts that share a
file are not each other's: how often a host's stamps go on and back. By *file*, in days of a year without a number, for
stamps that have none: a step is taken the short way round the year, and where it is more than a day back, or over New
Year, it is written down for `loaders.years` to judge.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.codes import DAY, MONTH_UNIT, NO_TIME, NO_YEAR, SECOND, YEAR_UNIT
from forensics.native.compiler import entry, inlined, kernel

BEFORE_LEAP = np.array([0, 0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335], np.int64)
"""Days of a leap year before each month."""
YEAR_DAYS = 366
"""Every year is counted as one with a 29 February."""
MARCH, LEAP_DAY = 60, 59
"""The days of 1 March and 29 February, counted from 0."""
BACK = 10 * SECOND
"""Steps back of one host's stamps that are written down; daemons that log at once are not so far apart."""
JITTER = 2 * SECOND
"""Steps back that daemons which log at once do not explain."""
QUARTER = 92
"""Days after which a file's date is written down anew."""
NEAR = 31
"""Days that a step may go back over New Year; more are a step forward within the year."""

(LAST, DATE, YEAR, ANCHOR, LEAP_YEAR, UPS, DOWNS, FAR, BACKS, MARKS, LOST, FIRST_PACKED, END_PACKED, FIRST_LOCAL,
 END_LOCAL, FIRST_ABSOLUTE, END_ABSOLUTE, HOSTS_FOUND, START, RECORD) = range(20)  # fmt: skip
"""Columns of `state`: the last time without a year, its day of the year, the year counted from the first record's, day
of the last mark, the year of the last 29 February; steps of hosts' stamps on and back by seconds, and back by more than
JITTER; rows of `backs` and `marks` filled; whether there was no room for one; least and greatest time of each kind
(without a year: packed, with the year); hosts; the first time without a year; number of the last record."""
STATE = 20

(B_RECORD, B_KIND, B_BEFORE, B_AFTER, B_LOW, B_HIGH) = range(6)
"""A step back of a host: record, kind of stamp, times before and after, least and greatest time of that kind in the
file since the step before. (Times without a year are counted on from the first record's year in days, see `even`.)"""
BACK_COLUMNS = 6
(M_RECORD, M_WHAT, M_BEFORE, M_AFTER, M_YEAR) = range(5)
"""A mark: record, what it is, packed times before and after it, year after it as counted."""
MARK_COLUMNS = 5
DATED, STEP, LEAP = 1, 2, 3
"""What a mark is: the file's date, now and then; a step back or over New Year; a 29 February."""
RANGE = 6
"""Least and greatest time of each kind since the last step back of a host, as `even`: two columns a kind."""
SLOTS = 2048
"""Places for hosts; half of them are filled at most."""
DAYS = 13 * 32
NONE = np.int64(-(1 << 62))
FAR_OFF = np.int64(1 << 62)


@kernel
def day_of_year(t):
    """The day of a leap year, from 0, of a packed time."""
    month = t // MONTH_UNIT
    return BEFORE_LEAP[month] + (t - month * MONTH_UNIT) // DAY - 1


@kernel
def even(year, day, t):
    """A packed time as microseconds since the first of the first record's year, all years being leap years."""
    return (year * YEAR_DAYS + day) * DAY + t % DAY


@inlined
def mark(marks, state, number, what, before, after, year):
    """Write a mark down, or that there was no room for it."""
    n = state[MARKS]
    if n < marks.shape[0]:
        marks[n, M_RECORD] = number
        marks[n, M_WHAT] = what
        marks[n, M_BEFORE] = before
        marks[n, M_AFTER] = after
        marks[n, M_YEAR] = year
        state[MARKS] = n + 1
    else:
        state[LOST] = 1


@kernel
def dated(t, number, state, marks, days):
    """A time without a year that is another than the one before: the same as `even`; `state` and `marks` follow the
    calendar."""
    last = state[LAST]
    day = day_of_year(t)
    year = state[YEAR]
    gap = day - state[DATE]
    stepped = False
    if last >= 0:
        if gap < 0 and gap + YEAR_DAYS <= YEAR_DAYS // 2:
            gap += YEAR_DAYS
            year += 1
            stepped = gap > 1
        elif gap >= YEAR_DAYS - NEAR:
            gap -= YEAR_DAYS
            year -= 1
            stepped = gap < -1
        elif gap < -1:
            # without a 29 February the day before 1 March is the 28th
            stepped = gap < -2 or state[DATE] < MARCH or day >= LEAP_DAY or days[2 * 32 + 29, 1] >= 0
        if stepped:
            mark(marks, state, number, STEP, last, t, year)
    else:
        state[START] = t
        state[ANCHOR] = day - YEAR_DAYS
    state[LAST] = t
    state[DATE] = day
    state[YEAR] = year
    away = abs(day - state[ANCHOR])
    if stepped or min(away, abs(YEAR_DAYS - away)) > QUARTER or last < 0:
        mark(marks, state, number, DATED, last, t, year)
        state[ANCHOR] = day
    if day == LEAP_DAY and state[LEAP_YEAR] != year:
        mark(marks, state, number, LEAP, last, t, year)
        state[LEAP_YEAR] = year
    place = t // DAY - (t // MONTH_UNIT) * (MONTH_UNIT // DAY) + (t // MONTH_UNIT) * 32
    if days[place, 1] < 0:
        days[place, 0] = t
        days[place, 1] = t
    days[place, 0] = min(days[place, 0], t)
    days[place, 1] = max(days[place, 1], t)
    packed = year * YEAR_UNIT + t
    state[FIRST_PACKED] = min(state[FIRST_PACKED], packed)
    state[END_PACKED] = max(state[END_PACKED], packed)
    return even(year, day, t)


@kernel
def slot_of(host, hosts, state):
    """The place of a host; behind all places where there are too many: their order is not followed."""
    mask = np.uint64(hosts.size - 1)
    slot = host & mask
    while hosts[slot] != 0 and hosts[slot] != host:
        slot = (slot + np.uint64(1)) & mask
    if hosts[slot] == 0:
        if state[HOSTS_FOUND] >= hosts.size // 2:
            return np.int64(hosts.size)
        hosts[slot] = host
        state[HOSTS_FOUND] += 1
    return np.int64(slot)


@inlined
def follow(kind, t, host, number, state, hosts, lasts, ranges, backs, marks, days):
    """The stamp of one record: its kind (not NO_TIME) and time, the hash of its host (not 0)."""
    if kind == NO_YEAR:
        t = even(state[YEAR], state[DATE], t) if t == state[LAST] else dated(t, number, state, marks, days)
    else:
        least = FIRST_LOCAL if kind == 2 else FIRST_ABSOLUTE
        state[least] = min(state[least], t)
        state[least + 1] = max(state[least + 1], t)
    state[RECORD] = number
    low = 2 * (kind - 1)
    slot = slot_of(host, hosts, state)
    before = NONE
    if slot < hosts.size:
        before = lasts[slot, kind]
        if before == t:
            return
        lasts[slot, kind] = t
    if before != NONE:
        if t > before:
            if t // SECOND > before // SECOND:
                state[UPS] += 1
        else:
            step_back(kind, before, t, number, state, ranges, backs, days)
    ranges[low] = min(ranges[low], t)
    ranges[low + 1] = max(ranges[low + 1], t)


@kernel
def step_back(kind, before, t, number, state, ranges, backs, days):
    """A host's stamp is less than the one before it."""
    back = before - t
    if kind == NO_YEAR and back > DAY and days[2 * 32 + 29, 1] < 0:
        day, day_before = t // DAY % YEAR_DAYS, before // DAY % YEAR_DAYS
        if day < LEAP_DAY and day_before >= MARCH:
            back -= DAY
    if t // SECOND == before // SECOND:
        return
    state[DOWNS] += 1
    if back >= JITTER:
        state[FAR] += 1
    if back < BACK:
        return
    low = 2 * (kind - 1)
    n = state[BACKS]
    if n < backs.shape[0]:
        backs[n, B_RECORD] = number
        backs[n, B_KIND] = kind
        backs[n, B_BEFORE] = before
        backs[n, B_AFTER] = t
        backs[n, B_LOW] = ranges[low]
        backs[n, B_HIGH] = ranges[low + 1]
        state[BACKS] = n + 1
    for k in range(RANGE // 2):
        ranges[2 * k] = FAR_OFF
        ranges[2 * k + 1] = NONE


@entry(
    "const int32[:], const int64[:], const uint64[:], const int64[:], int64[:], uint64[:], int64[:,:], int64[:], "
    "int64[:,:], int64[:,:], int64[:,:]"
)
def follow_all(kinds, times, host, numbers, state, hosts, lasts, ranges, backs, marks, days, result):
    """`follow` over records that were taken apart already."""
    for r in range(kinds.size):
        if kinds[r] != NO_TIME:
            follow(kinds[r], times[r], host[r], numbers[r], state, hosts, lasts, ranges, backs, marks, days)
