"""From what a stamp says to UTC: the year of stamps without one, roll-overs, local zones and their overlaps.

Decided once for each evidence, by its survey, and recorded in its notes; nothing here is guessed from file times.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from forensics.errors import AmbiguousTime, UsageError
from forensics.native.codes import ABSOLUTE, DAY, LOCAL, MONTH_UNIT, NO_TIME, NO_YEAR, YEAR_UNIT

__all__ = [
    "ABSOLUTE", "DAY", "LOCAL", "MONTH_UNIT", "NO_TIME", "NO_YEAR", "YEAR_UNIT", "Clock", "Zone", "clock", "resolve",
]  # fmt: skip
HOUR = DAY // 24
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)(?:(?P<s>[-_.]?)(?P<m>0[1-9]|1[0-2])(?:(?P=s)(?P<d>0[1-9]|[12]\d|3[01]))?)?(?!\d)"
)


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
class Clock:
    """How one evidence's stamps become UTC."""

    year: int
    rolls: NDArray[np.int64]
    """Record numbers at which the year changes."""
    deltas: NDArray[np.int64]
    """+1 or -1 for each."""
    zone: Zone | None


def clock(
    name: str,
    year: int | None,
    timezone: str | None,
    *,
    packed: tuple[int, int] | None,
    local: tuple[int, int] | None,
    rolls: Sequence[tuple[int, int]],
    steps: Sequence[tuple[int, int, int, int]],
) -> tuple[Clock, dict[str, Any]]:
    """The evidence's clock and what was inferred.

    `packed`: least and greatest NO_YEAR time with relative year; `local`: of stamps with year and without offset;
    `rolls`: (record number, ±1); `steps`: (record number, time before, time after, relative year) of backward clock
    steps.
    Raises AmbiguousTime when stamps lack the year and neither a setting nor the file's name gives it.
    """
    notes: dict[str, Any] = {}
    first = 0
    if packed is not None:
        first, reason = _first_year(name, year, packed)
        notes["year"] = {"first": first, "by": reason}
        if rolls:
            notes["year"]["rollovers"] = [{"record": n, "change": d} for n, d in rolls]
    zone = None
    if packed is not None or local is not None:
        zone_name = timezone or "UTC"
        notes["timezone"] = {"name": zone_name, "by": "setting" if timezone else "default"}
        zone = _zone(zone_name, first, packed, local, steps, notes["timezone"])
    if steps:
        notes["clock_steps"] = [
            {"record": n, "seconds": (after - before) // 1_000_000} for n, before, after, _ in steps[:100]
        ]
    numbers = np.array([n for n, _ in rolls], np.int64)
    return Clock(first, numbers, np.array([d for _, d in rolls], np.int64), zone), notes


def _first_year(name: str, year: int | None, packed: tuple[int, int]) -> tuple[int, str]:
    if year is not None:
        return year, "setting"
    limit = _date_in(name)
    if limit is None:
        raise AmbiguousTime(
            f"{name}: its time stamps have no year",
            expected="a date in the file's name, or the year of its first record",
            remedy="give --year YYYY, or name the file under [[sources]] in case.toml with its year",
        )
    last = packed[1]
    candidate = limit.year + 1
    for candidate in range(limit.year + 1, limit.year - 3, -1):
        relative, rest = divmod(last, YEAR_UNIT)
        if _in_year(candidate + relative, rest) <= _micros(limit + timedelta(days=2)) - 1:
            break
    return candidate, f"date in the file's name ({limit:%Y-%m-%d})"


def _date_in(name: str) -> datetime | None:
    """The last date in the name's right-most part that has one; a month or year alone counts to its end."""
    for part in reversed(re.split(r"[/\\!]+", name)):
        found = list(_NAMES.finditer(part))
        for m in sorted(found, key=lambda m: (bool(m["d"]), bool(m["m"]), m.start()), reverse=True):
            try:
                if m["d"]:
                    return datetime(int(m["y"]), int(m["m"]), int(m["d"]), tzinfo=UTC)
                if m["m"]:
                    y, month = int(m["y"]), int(m["m"])
                    following = datetime(y + month // 12, month % 12 + 1, 1, tzinfo=UTC)
                    return following - timedelta(days=1)
                return datetime(int(m["y"]), 12, 31, tzinfo=UTC)
            except ValueError:
                continue
    return None


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _in_year(year: int, packed: int) -> int:
    """Local microseconds of a packed time in a year; 29 February of a common year counts as 1 March."""
    month, rest = divmod(packed, MONTH_UNIT)
    day, us = divmod(rest, DAY)
    return _micros(datetime(year, month, 1, tzinfo=UTC) + timedelta(days=day - 1)) + us


def _zone(
    name: str,
    first: int,
    packed: tuple[int, int] | None,
    local: tuple[int, int] | None,
    steps: Sequence[tuple[int, int, int, int]],
    notes: dict[str, Any],
) -> Zone | None:
    if name == "UTC":
        return None
    try:
        info = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"time zone {name!r} is not known", expected="an IANA name such as Europe/London", remedy="mend --timezone"
        ) from None
    ends = []
    if packed is not None:
        ends += [_in_year(first + p // YEAR_UNIT, p % YEAR_UNIT) for p in packed]
    if local is not None:
        ends += list(local)
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
        for n, old, new, relative in steps:
            if old < 16 * MONTH_UNIT:  # NO_YEAR: packed
                old, new = _in_year(first + relative, old), _in_year(first + relative, new)
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
        from forensics.native.postfix.stamps import with_year  # compiled: only where it is needed

        with_year(kinds, times, numbers, clock.rolls, clock.deltas, clock.year, out, good)
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
