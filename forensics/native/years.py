"""The year of stamps without one."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from forensics.native.codes import DAY, MONTH_UNIT, NO_YEAR
from forensics.native.compiler import entry
from forensics.native.postfix.stamps import days, is_leap
from forensics.native.sequence import LEAP_DAY, YEAR_DAYS, day_of_year


@entry(
    "const int32[:], const int64[:], const int64[:], const int64[:], const int64[:], int64, int64, int64[:], boolean[:]"
)
def with_year(kinds, times, numbers, marked, dates, cut, year, out, good, result):
    """NO_YEAR times as microseconds since 1970, in the year that is nearest to the file's date at their record.

    `marked`, `dates`: from which record on the file is about at which day (years counted from the first record's times
    366, and the day); none: all is of `year`. `cut`, if not negative, says instead: packed times before it are of the
    year after `year`. 29 February of a year without one is not good.
    """
    k = -1
    for r in range(kinds.size):
        if kinds[r] != NO_YEAR:
            continue
        t = times[r]
        day = day_of_year(t)
        y = year
        if cut >= 0:
            if t < cut:
                y += 1
        elif marked.size > 0:
            if k >= 0 and marked[k] > numbers[r]:
                k = -1
            while k + 1 < marked.size and marked[k + 1] <= numbers[r]:
                k += 1
            date = dates[max(k, 0)]
            y += date // YEAR_DAYS
            gap = day - date % YEAR_DAYS
            if gap > YEAR_DAYS // 2:
                y -= 1
            elif gap < -(YEAR_DAYS // 2):
                y += 1
        month = t // MONTH_UNIT
        out[r] = days(y, month, t % MONTH_UNIT // DAY) * DAY + t % DAY
        if day == LEAP_DAY and not is_leap(y):
            good[r] = False
