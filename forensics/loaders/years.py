"""From what a stamp says to UTC: the year of stamps without one, local zones and their overlaps.

Decided once for each evidence, by its survey, and recorded in its notes; nothing here is guessed from file times.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from forensics.errors import AmbiguousTime, UsageError
from forensics.native.codes import ABSOLUTE, DAY, LOCAL, MONTH_UNIT, NO_TIME, NO_YEAR, YEAR_UNIT

__all__ = [
    "ABSOLUTE", "DAY", "LOCAL", "MONTH_UNIT", "NO_TIME", "NO_YEAR", "YEAR_UNIT", "Clock", "Years", "Zone", "clock",
    "dated_by_name", "moment", "resolve",
]  # fmt: skip
HOUR = DAY // 24
WEEK, MONTH, YEAR = 7, 31, 366
"""Days. Logs are rotated every month at least (a file that is named by its year alone, every year): the last record is
so much older than that and, where nothing was logged for a while, a week."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NONE: NDArray[np.int64] = np.zeros(0, np.int64)
_DATE = (
    r"(?P<y>(?:19|20)\d\d)(?:(?P<s>[-_.]?)(?P<m>0[1-9]|1[0-2])(?:(?P=s)(?P<d>0[1-9]|[12]\d|3[01]))?)?"
    r"(?:[-_T.]?(?:[01]\d|2[0-3])(?:[-_.]?[0-5]\d){0,2})?"
)
_REST = r"(?:[-_.]\d{1,3})?(?:\.(?:log|txt|csv|json|jsonl|ndjson|old|gz|bz2|xz|zst|lz4|lzma|Z|zip|tgz))*"
_NAMES = (
    re.compile(rf"(?P<base>.*[A-Za-z].*?)[-_.]{_DATE}{_REST}"),
    re.compile(rf"{_DATE}(?P<base>){_REST}"),
    re.compile(rf"{_DATE}[-_.](?P<base>[A-Za-z][^0-9]*?){_REST}"),
)
"""A date behind the name of a log, alone, or in front of it; behind it may stand a time, a number and what packed
it."""
_OF_LOGS = re.compile(r"(?i)(?:log|mail|messages|postfix|exim|smtp|mta|info|warn|err)$")


@dataclass(frozen=True)
class Zone:
    """Offsets of a zone from UTC around its transitions, in microseconds."""

    name: str
    late: NDArray[np.int64]
    """Local time from which the next offset holds when an ambiguous time means its first occurrence."""
    early: NDArray[np.int64]
    """The same for the second occurrence."""
    offsets: NDArray[np.int64]
    """Offset in front of each transition, and behind the last."""
    steps: NDArray[np.int64]
    """For each transition the record number from which an ambiguous time means its second occurrence."""


@dataclass(frozen=True)
class Years:
    """Years of an evidence's stamps without one, counted from its first such stamp (`sequence.years`).

    `marked`, `dates`: see `native.years.with_year`; `cut`: packed time from which the stamps of the earlier year run,
    those before it being of the later one, or -1; `base`: the earlier year (0, or -1 when the first stamp is of the
    later). `ends`: least and greatest time, packed with the year. `leaps`: years that have a 29 February.
    """

    ends: tuple[int, int]
    marked: NDArray[np.int64] = field(default_factory=lambda: _NONE)
    dates: NDArray[np.int64] = field(default_factory=lambda: _NONE)
    cut: int = -1
    base: int = 0
    leaps: tuple[tuple[int, int], ...] = ()
    """(year, record)"""


@dataclass(frozen=True)
class Clock:
    """How one evidence's stamps become UTC. `year`: of its first stamp without one."""

    year: int = 0
    years: Years | None = None
    zone: Zone | None = None


def clock(
    name: str,
    year: tuple[int, str] | None,
    timezone: str | None,
    *,
    years: Years | None,
    local: tuple[int, int] | None,
    steps: Sequence[tuple[int, int, int]] = (),
) -> tuple[Clock, dict[str, Any]]:
    """The evidence's clock and what was inferred.

    `year`: that of its first stamp without one, and how it is known. `local`: least and greatest time of stamps with
    year and without offset; `steps`: (record number, local microseconds before, after) of backward clock steps. Raises
    AmbiguousTime for a 29 February in a year that has none.
    """
    notes: dict[str, Any] = {}
    first = 0
    ends = list(local) if local is not None else []
    if years is not None and year is not None:
        first, reason = year
        if contradiction := leap_day(name, years, first, reason):
            raise contradiction
        notes["year"] = {"first": first, "by": reason}
        own = [moment(first, end) for end in years.ends]
        ends += own
        last = first + years.ends[1] // YEAR_UNIT
        if last > first + years.ends[0] // YEAR_UNIT:
            notes["year"]["years"] = [first + years.ends[0] // YEAR_UNIT, last]
    zone = None
    if ends:
        zone_name = timezone or "UTC"
        notes["timezone"] = {"name": zone_name, "by": "setting" if timezone else "default"}
        zone = _zone(zone_name, ends, steps, notes["timezone"])
    if steps:
        notes["clock_steps"] = [{"record": n, "seconds": (new - old) // 1_000_000} for n, old, new in steps[:100]]
    return Clock(first, years, zone), notes


def leap_day(name: str, years: Years, first: int, reason: str) -> AmbiguousTime | None:
    """What is wrong when the file has a 29 February in a year that has none."""
    for relative, record in years.leaps:
        year = first + relative
        if year % 4 or (year % 100 == 0 and year % 400):
            return AmbiguousTime(
                f"{name}: record {record:,} is of 29 February, but {year} is no leap year (by {reason})",
                expected="a leap year",
                remedy="give the right year with --year YYYY, or under [[sources]] in case.toml",
            )
    return None


def dated_by_name(name: str, years: Years) -> tuple[int, str]:
    """The latest first year that puts no stamp later than the day after the date in the file's name. Raises
    AmbiguousTime when the name has none, or one that is not of its rotation: that of a copy, mostly."""
    found = _named(name)
    expected = "a date in the file's name as log rotation gives it (mail.log-20240107), or the year of its first record"
    remedy = "give --year YYYY, or name the file under [[sources]] in case.toml with its year"
    if found is None:
        raise AmbiguousTime(f"{name}: its time stamps have no year", expected=expected, remedy=remedy)
    limit, period = found
    candidate = _latest(limit, years)
    silent = (_micros(limit) - moment(candidate, years.ends[1])) // DAY
    if silent > period + WEEK:
        raise AmbiguousTime(
            f"{name}: its time stamps have no year, and the last of them would be {silent:,} days older than the date "
            f"in its name ({limit:%Y-%m-%d}), which is then not that of its rotation",
            expected=expected,
            remedy=remedy,
        )
    return candidate, f"date in the file's name ({limit:%Y-%m-%d})"


def _latest(limit: datetime, years: Years) -> int:
    candidate = limit.year + 1
    for candidate in range(limit.year + 1, limit.year - 3, -1):
        if moment(candidate, years.ends[1]) <= _micros(limit + timedelta(days=2)) - 1:
            break
    return candidate


def contradicted_by_name(name: str, years: Years, first: int) -> AmbiguousTime | None:
    """What is wrong when one year was said of many files and the date of this one's rotation tells another."""
    found = _named(name)
    if found is None:
        return None
    limit, period = found
    candidate = _latest(limit, years)
    if candidate == first or (_micros(limit) - moment(candidate, years.ends[1])) // DAY > period + WEEK:
        return None
    return AmbiguousTime(
        f"{name}: by --year its first record would be of {first}, by the date in its name ({limit:%Y-%m-%d}) of "
        f"{candidate}",
        expected="one year for each file",
        remedy="give the year of each file under [[sources]] in case.toml; files whose names have a date need none",
    )


def date_in(name: str) -> datetime | None:
    """The date that log rotation put into a file's name, last day of a month or year that has no more; None for
    numbers that stand anywhere else.

    >>> date_in("mail.log-20240107.gz"), date_in("logs/mail-2023-06.log")
    (datetime.datetime(2024, 1, 7, 0, 0, tzinfo=datetime.timezone.utc), \
datetime.datetime(2023, 6, 30, 0, 0, tzinfo=datetime.timezone.utc))
    >>> date_in("mx2019.example.org-mail.log")
    """
    found = _named(name)
    return found[0] if found else None


def _named(name: str) -> tuple[datetime, int] | None:
    """(date, days that a file of such a name may cover) as `date_in` finds them."""
    last = re.split(r"[/\\!]+", name)[-1]
    for pattern in _NAMES:
        found = pattern.fullmatch(last)
        if not found:
            continue
        year, month, day = found["y"], found["m"], found["d"]
        plain = month is None or (day is None and not found["s"])
        if plain and not _OF_LOGS.search(found["base"]):
            continue  # four or six digits alone may be the number of anything
        try:
            if day:
                return datetime(int(year), int(month), int(day), tzinfo=UTC), MONTH
        except ValueError:
            continue
        after = int(year) * 12 + int(month or 12)
        limit = datetime(after // 12, after % 12 + 1, 1, tzinfo=UTC) - timedelta(days=1)
        return limit, 2 * MONTH if month else YEAR
    return None


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(first: int, packed: int) -> int:
    """Local microseconds since 1970 of a time that is packed with a year counted from `first`; 29 February of a common
    year counts as 1 March."""
    relative, packed = divmod(packed, YEAR_UNIT)
    month, rest = divmod(packed, MONTH_UNIT)
    day, us = divmod(rest, DAY)
    return _micros(datetime(first + relative, month, 1, tzinfo=UTC) + timedelta(days=day - 1)) + us


def _zone(name: str, ends: Sequence[int], steps: Sequence[tuple[int, int, int]], notes: dict[str, Any]) -> Zone | None:
    if name == "UTC":
        return None
    try:
        info = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"time zone {name!r} is not known", expected="an IANA name such as Europe/London", remedy="mend --timezone"
        ) from None
    transitions = _transitions(info, min(ends) - 2 * DAY, max(ends) + 2 * DAY)
    late = np.array([u + max(a, b) for u, a, b in transitions], np.int64)
    early = np.array([u + min(a, b) for u, a, b in transitions], np.int64)
    offsets = np.array(
        [a for _, a, _ in transitions] + [transitions[-1][2] if transitions else _offset(info, min(ends))], np.int64
    )
    numbers = np.full(len(transitions), np.iinfo(np.int64).max, np.int64)
    for k, (utc, before, after) in enumerate(transitions):
        if after >= before:
            continue
        for n, old, new in steps:
            if early[k] - HOUR <= new < late[k] and old >= early[k]:
                numbers[k] = n
                break
        moment = (_EPOCH + timedelta(microseconds=utc)).isoformat()
        known = int(numbers[k]) if numbers[k] < np.iinfo(np.int64).max else None
        notes.setdefault("overlaps", []).append({"utc": moment, "second_pass_from_record": known})
    return Zone(name, late, early, offsets, numbers)


def _offset(info: ZoneInfo, utc: int) -> int:
    moment = (_EPOCH + timedelta(microseconds=utc)).astimezone(info)
    return (moment.utcoffset() or timedelta(0)) // timedelta(microseconds=1)


def _transitions(info: ZoneInfo, start: int, end: int) -> list[tuple[int, int, int]]:
    """(UTC microseconds, offset before, offset after) of each change of offset in [start, end], to the second."""
    found = []
    t, offset = start, _offset(info, start)
    while t < end:
        following = t + 7 * DAY
        later = _offset(info, following)
        if later != offset:
            low, high = t, following
            while high - low > 1_000_000:
                middle = (low + high) // 2
                if _offset(info, middle) == offset:
                    low = middle
                else:
                    high = middle
            found.append((high // 1_000_000 * 1_000_000, offset, later))
        t, offset = following, later
    return found


def resolve(
    kinds: NDArray[np.int32], times: NDArray[np.int64], numbers: NDArray[np.int64], clock: Clock
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(microseconds UTC, readable?) of stamps of these kinds in these records."""
    out = times.copy()
    good = kinds != NO_TIME
    if (kinds == NO_YEAR).any():
        from forensics.native.years import with_year  # compiled: only where it is needed

        years = clock.years or Years((0, 0))
        base = clock.year + years.base
        with_year(kinds, times, numbers, years.marked, years.dates, years.cut, base, out, good)
    if clock.zone is not None:
        zone = clock.zone
        rows = np.flatnonzero((kinds == LOCAL) | (kinds == NO_YEAR))
        if len(rows):
            t = out[rows]
            first = np.searchsorted(zone.late, t, side="right")
            second = np.searchsorted(zone.early, t, side="right")
            twice = (second > first) & (zone.offsets[np.minimum(second, len(zone.offsets) - 1)] < zone.offsets[first])
            later = (
                twice & (numbers[rows] >= zone.steps[np.minimum(first, len(zone.steps) - 1)])
                if len(zone.steps)
                else twice
            )
            out[rows] = t - zone.offsets[np.where(later, second, first)]
    return out, good
