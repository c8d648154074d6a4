"""Years of stamps that have none: where one begins in a file, and how the files of a set follow each other.

A file is read as it runs: from one stamp to the next within the calendar, and from December to January into the next
year, where it is not silent for much longer than elsewhere. Where it steps back otherwise, it was joined from blocks,
or sorted, and its order says nothing of years. Its days do: a log has no year-long holes, so that the longest time of
the year without a stamp is where it begins and ends. If New Year lies in that time, all is of one year. If the stamps
run over New Year instead, those before the hole are of the year after. Where neither is plain, a person is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from forensics.errors import AmbiguousTime
from forensics.loaders.sequence import Longs, Stamps
from forensics.loaders.years import Years
from forensics.native import sequence as s
from forensics.native.codes import DAY, MONTH_UNIT, YEAR_UNIT

RHYTHM = 4
"""How many times as long as elsewhere a log may be silent from December to January …"""
SILENT = 31
"""… or so many days, whatever its rhythm."""
WEEK = 7
MOST = 0.9
"""Silences of a log, by days, of which its rhythm is the longest: the others may be holes between blocks."""
APART = 120
"""Days to the next January that no log is silent and goes on: a step back is then no new year."""
_NEW_YEAR, _BLOCK, _OPEN = range(3)


@dataclass(frozen=True)
class Cut:
    """A year's days, as some stamps have them. `over`: the stamps run over New Year, and `cut` is the packed time from
    which they are of the earlier year. `plain`: there is no doubt of it."""

    over: bool
    cut: int
    plain: bool


def years(name: str, stamps: Stamps) -> Years | None:
    """Years of a file's stamps, counted from the first one's; None when all have a year. Raises AmbiguousTime."""
    if stamps.packed is None:
        return None
    steps = [m for m in stamps.marks if m[s.M_WHAT] == s.STEP]
    rhythm = _rhythm(stamps.days)
    kinds = {_kind(m, rhythm) for m in steps}
    if not stamps.lost and not kinds & {_BLOCK, _OPEN}:
        return _in_order(stamps)
    if not stamps.lost and _BLOCK not in kinds:
        raise _ask(name, steps, "these could be blocks that were joined, or a new year after a long silence")
    cut = _cut(stamps.days)
    if not cut.plain:
        raise _ask(name, steps, "its blocks cover so much of a year that they could begin with any of them")
    return _by_day(stamps, cut)


def _in_order(stamps: Stamps) -> Years:
    ends = stamps.packed or (0, 0)
    dated = stamps.marks[stamps.marks[:, s.M_WHAT] == s.DATED]
    leaps = stamps.marks[stamps.marks[:, s.M_WHAT] == s.LEAP]
    found = tuple((int(m[s.M_YEAR]), int(m[s.M_RECORD])) for m in leaps)
    if ends[0] // YEAR_UNIT == ends[1] // YEAR_UNIT == 0:
        return Years(ends, leaps=found)
    dates = [int(m[s.M_YEAR]) * s.YEAR_DAYS + _day(int(m[s.M_AFTER])) for m in dated]
    return Years(ends, dated[:, s.M_RECORD].copy(), np.array(dates, np.int64), leaps=found)


def _by_day(stamps: Stamps, cut: Cut) -> Years:
    """Years that a stamp's place in the calendar tells alone."""
    least, greatest = int(stamps.days[:, 0].min()), int(stamps.days[:, 1].max())
    leap = [m for m in stamps.marks if m[s.M_WHAT] == s.LEAP]
    if not cut.over:
        return Years((least, greatest), leaps=tuple((0, int(m[s.M_RECORD])) for m in leap[:1]))
    base = -1 if stamps.start < cut.cut else 0
    earlier = int(stamps.days[stamps.days[:, 0] >= cut.cut, 0].min())
    later = int(stamps.days[stamps.days[:, 0] < cut.cut, 1].max())
    return Years(
        (base * YEAR_UNIT + earlier, (base + 1) * YEAR_UNIT + later), cut=cut.cut, base=base,
        leaps=tuple((base + (m[s.M_AFTER] < cut.cut), int(m[s.M_RECORD])) for m in leap[:1]),
    )  # fmt: skip


def _day(packed: int) -> int:
    month, rest = divmod(packed, MONTH_UNIT)
    return int(s.BEFORE_LEAP[month]) + rest // DAY - 1


def _kind(step: Longs, rhythm: int) -> int:
    """What a step back is, or one over New Year that takes longer than a day."""
    before, after = int(step[s.M_BEFORE]), int(step[s.M_AFTER])
    silence = _day(after) - _day(before) + s.YEAR_DAYS
    if after > before or silence >= APART:
        return _BLOCK
    december_to_january = before // MONTH_UNIT == 12 and after // MONTH_UNIT == 1
    if december_to_january and silence <= max(SILENT, RHYTHM * rhythm):
        return _NEW_YEAR
    return _NEW_YEAR if silence <= 2 * rhythm else _OPEN


def _silences(days: Longs) -> tuple[list[int], Longs]:
    """Days from each day with stamps to the next one, round the year, and those days' rows in order."""
    ordered = days[np.argsort(days[:, 0])]
    numbers = [_day(int(t)) for t in ordered[:, 0]]
    return [b - a for a, b in pairwise(numbers)] + [numbers[0] + s.YEAR_DAYS - numbers[-1]], ordered


def _rhythm(days: Longs) -> int:
    """Days that a log is silent, most times."""
    silences = sorted(_silences(days)[0])
    return silences[int(MOST * (len(silences) - 1))]


def _cut(days: Longs) -> Cut:
    """Where the time that these days cover begins."""
    (*holes, over), ordered = _silences(days)
    longest = max(holes, default=0)
    if over >= longest or over > min(SILENT, max(WEEK, 2 * _rhythm(days))):
        return Cut(over=False, cut=-1, plain=True)
    begins = int(ordered[holes.index(longest) + 1, 0])
    return Cut(over=True, cut=begins, plain=longest >= RHYTHM * over + SILENT)


def _shown(packed: int) -> str:
    month, rest = divmod(packed, MONTH_UNIT)
    seconds = rest % DAY // 1_000_000
    names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"{rest // DAY} {names[month - 1]} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _ask(name: str, steps: Sequence[Longs], why: str) -> AmbiguousTime:
    where = ""
    if steps:
        step = steps[0]
        at = f"record {int(step[s.M_RECORD]):,}"
        where = f", first at {at}, from {_shown(int(step[s.M_BEFORE]))} to {_shown(int(step[s.M_AFTER]))}"
    return AmbiguousTime(
        f"{name}: its stamps have no year and step back{where}: {why}",
        expected="records in the order in which they were logged, or blocks whose years their days tell",
        remedy="give the joined files as they were, each with its year (--year, or [[sources]] in case.toml)",
    )


def joined(stamps: Stamps) -> int:
    """How often the file's stamps step back by days, other than into a new year."""
    if stamps.packed is None:
        return 0
    rhythm = _rhythm(stamps.days)
    return sum(_kind(m, rhythm) == _BLOCK for m in stamps.marks if m[s.M_WHAT] == s.STEP)


@dataclass(frozen=True)
class Undated:
    """A file of whose stamps only `--year` says the year. `asked` is that year (`over`: of files before New Year),
    `years` counts from the first stamp's, which is the packed time `start`; `days` as in `Stamps`."""

    name: str
    asked: int
    over: bool
    years: Years
    start: int
    days: Longs


def place(files: Sequence[Undated], dated: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The year of the first stamp of each file, for files that were given one `--year` together: that year, unless the
    files follow each other over New Year. Then it is the year of those before, or of those after: as the files demand
    whose times (`dated`: first and last, microseconds UTC) are known, or a 29 February; else AmbiguousTime is raised.
    Where two years were given, files that begin after New Year (if it is not plain which: by June) are of the second.
    """
    asked = tuple(one.asked for one in files)
    if not files or len(set(asked)) > 1:
        return asked
    cut = _cut(_together([one.days for one in files]))
    follow = cut.over and cut.plain
    later = [one.start < (cut.cut if follow else JULY) for one in files]
    if files[0].over:
        return tuple(year + after for year, after in zip(asked, later, strict=True))
    if not follow or len(files) < 2:
        return asked
    ways = [tuple(year + shift + after for year, after in zip(asked, later, strict=True)) for shift in (0, -1)]
    ways = [way for way in ways if any(year == one for year, one in zip(way, asked, strict=True))]
    fitting = [way for way in ways if not any(_contradicts(one, y) for one, y in zip(files, way, strict=True))]
    ways = fitting or ways
    if len(ways) > 1 and dated:
        ways = _nearest(files, ways, dated)
    if len(ways) > 1:
        raise _two_ways(files[0].asked, ways)
    return ways[0]


JULY = 7 * MONTH_UNIT


def _together(days: Sequence[Longs]) -> Longs:
    """The days of several files, each once."""
    found: dict[int, tuple[int, int]] = {}
    for least, greatest in np.concatenate(days).tolist():
        a, b = found.get(least // DAY, (least, greatest))
        found[least // DAY] = min(a, least), max(b, greatest)
    return np.array(list(found.values()), np.int64)


def _contradicts(one: Undated, year: int) -> bool:
    return any((year + n) % 4 or ((year + n) % 100 == 0 and (year + n) % 400) for n, _ in one.years.leaps)


def _nearest(files: Sequence[Undated], ways: list[Any], dated: Sequence[tuple[int, int]]) -> list[Any]:
    """The way whose times lie at those of files with a known year, if the other lies a good part of a year away."""
    from forensics.loaders.years import moment

    def away(way: tuple[int, ...]) -> int:
        least = min(moment(y, one.years.ends[0]) for y, one in zip(way, files, strict=True))
        greatest = max(moment(y, one.years.ends[1]) for y, one in zip(way, files, strict=True))
        return min(max(first - greatest, least - last, 0) for first, last in dated)

    distances = [away(way) // DAY for way in ways]
    if min(distances) <= SILENT and max(distances) >= APART:
        return [ways[distances.index(min(distances))]]
    return ways


def _two_ways(asked: int, ways: Sequence[Sequence[int]]) -> AmbiguousTime:
    spans = [f"{year}/{year + 1}" for year in sorted(min(way) for way in ways)]
    return AmbiguousTime(
        f"--year {asked}: these files follow each other over New Year, which can be {' or '.join(spans)}",
        expected="the years before and after",
        remedy=f"give --year {spans[0]} or --year {spans[1]}, or each file's year under [[sources]] in case.toml",
    )
