"""Time stamps of exports, and how a stamp inside a record is told its year and zone by the one outside.

A syslog stamp has no year and no zone; the export's own has both, or at least the year. The record keeps its own clock
time: the year is the latest that puts it no later than a day behind the export's stamp, and the zone is the distance
between the two clocks, where most records of the file's beginning agree on one (`distance`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

LONGEST = 64
"""Characters of a stamp."""
HALVES = (-34_200, -12_600, -9_000, 12_600, 16_200, 19_800, 20_700, 23_400, 31_500, 34_200, 37_800, 45_900, 49_500)
"""Zones that are no whole hours, in seconds from UTC (tz database, since 1990)."""
NEAR = 120
"""Seconds within which a record is shipped when its two clocks are compared."""
ZONES = frozenset((*range(-12 * 3600, 15 * 3600, 3600), *HALVES))
_NAMES = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_MONTHS = {name: n for n, name in enumerate(_NAMES.split(), 1)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Local times are counted as if they were UTC."""
_ISO = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T \t](\d\d):(\d\d)(?::(\d\d)(?:[.,:](\d{1,9})\d*)?)?"
    r" ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?"
)
_NAMED = re.compile(
    r"(?:[A-Z][a-z]{2},? )?(?:(?P<year>\d{4}) (?P<month>[A-Z][a-z]{2}) (?P<day>\d\d?)"
    r"|(?P<month2>[A-Z][a-z]{2}) (?P<day2>\d\d?), (?P<year2>\d{4})(?: @)?"
    r"|(?P<day3>\d\d?) (?P<month3>[A-Z][a-z]{2}) (?P<year3>\d{4})),? "
    r"(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)? ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?"
)
"""Wazuh's archives, Kibana's `Mar 5, 2024 @ 10:00:00.000`, RFC 5322."""
_NUMBER = re.compile(r"/?(?:Date\()?(\d{9,19})(?:\.(\d{1,9})\d*)?(?:\)/)?")
_UNITS = {9: 1_000_000, 10: 1_000_000, 12: 1_000, 13: 1_000, 15: 1, 16: 1}
"""Digits of a number of seconds, milliseconds, microseconds since 1970 → microseconds in one."""
BSD = re.compile(
    r"(?P<front>(?:<\d{1,3}>)?)(?P<stamp>(?P<month>[A-Z][a-z]{2}) (?P<day>[ \d]?\d) (?P<clock>\d\d:\d\d:\d\d)"
    r"(?P<part>[.,]\d{1,9})?)(?= (?!\d{4} ))"
)
"""A syslog stamp without a year (RFC 3164) at the start of a record."""
ISO = re.compile(
    r"(?:<\d{1,3}>)?(?:1 )?(?:[A-Z][a-z]{2} )?(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"
    r"|\d{4} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
    r"|[A-Z][a-z]{2} [ \d]?\d (?:\d{4} \d\d:\d\d:\d\d|\d\d:\d\d:\d\d \d{4})(?= ))"
)
"""A stamp with a year at the start of a record."""


class Moment(NamedTuple):
    """`micros`: since 1970 in UTC, or in the unknown local time where `offset` is None; `offset`: seconds of the zone
    that the stamp names."""

    micros: int
    offset: int | None

    def iso(self) -> str:
        """As a stamp that every loader reads; without a zone where none is known."""
        shown = _EPOCH + timedelta(microseconds=self.micros)
        if self.offset is None:
            return _clock(shown, "microseconds")
        return _clock(shown + timedelta(seconds=self.offset), "microseconds") + zone(self.offset)


def _clock(shown: datetime, precision: str) -> str:
    return shown.replace(tzinfo=None).isoformat(timespec=precision)


def zone(offset: int) -> str:
    """`+01:00` for 3600 seconds."""
    hours, minutes = divmod(abs(offset) // 60, 60)
    return f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"


def moment(value: str) -> Moment | None:
    """The moment that an export's stamp names; None where it names none, or could be two days (`03/05/2024`).

    >>> moment("1709632800.25"), moment("2024-03-05 11:00:00,250 +0100")
    (Moment(micros=1709632800250000, offset=0), Moment(micros=1709632800250000, offset=3600))
    >>> moment("Mar 5, 2024 @ 10:00:00.250")
    Moment(micros=1709632800250000, offset=None)
    """
    return _moment(value.strip()) if len(value) <= LONGEST else None


@lru_cache(maxsize=4096)
def _moment(value: str) -> Moment | None:
    if found := _ISO.fullmatch(value):
        year, month, day, hour, minute, second, part, name = found.groups()
        return _made((int(year), int(month), int(day)), (hour, minute, second or "00"), part, name)
    if found := _NUMBER.fullmatch(value):
        return _counted(found[1], found[2] or "")
    if found := _NAMED.fullmatch(value):
        date = [found[k] or found[k + "2"] or found[k + "3"] for k in ("year", "month", "day")]
        if date[1] in _MONTHS:
            *clock, part, name = found.groups()[-5:]
            return _made((int(date[0]), _MONTHS[date[1]], int(date[2])), tuple(clock), part, name)
    return None


def _made(
    date: tuple[int, int, int], clock: tuple[str | None, ...], part: str | None, name: str | None
) -> Moment | None:
    hour, minute, second = (int(one or 0) for one in clock)
    try:
        shown = datetime(*date, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    micros = int((shown - _EPOCH).total_seconds()) * 1_000_000 + int((part or "0")[:6].ljust(6, "0"))
    if name is None:
        return Moment(micros, None)
    offset = 0
    if name[0] in "+-":
        digits = name[1:].replace(":", "").ljust(4, "0")
        offset = (int(digits[:2]) * 3600 + int(digits[2:]) * 60) * (-1 if name[0] == "-" else 1)
    return Moment(micros - offset * 1_000_000, offset)


def _counted(whole: str, part: str) -> Moment | None:
    if len(whole) in (18, 19):
        return Moment(int(whole) // 1000, 0)
    unit = _UNITS.get(len(whole))
    if unit is None:
        return None
    return Moment(int(whole) * unit + int((part or "0").ljust(6, "0")[:6]) * unit // 1_000_000, 0)


def local(stamp: re.Match[str], outside: Moment) -> int | None:
    """Seconds since 1970, by its own clock, of a stamp without a year (`BSD`); None where it is none of any year near.

    The year is the latest in which the stamp is no later than a day behind the export's.
    """
    shown = _EPOCH + timedelta(microseconds=outside.micros)
    month = _MONTHS.get(stamp["month"])
    if month is None:
        return None
    hour, minute, second = (int(part) for part in stamp["clock"].split(":"))
    if hour > 23 or minute > 59 or second > 60:
        return None
    for year in range(shown.year + 1, shown.year - 9, -1):  # a 29 February may be eight years back
        try:
            own = datetime(year, month, int(stamp["day"]), hour, minute, min(second, 59), tzinfo=UTC)
        except ValueError:
            continue
        if own <= shown + timedelta(days=1):
            return int((own - _EPOCH).total_seconds())
    return None


def distance(pairs: Iterable[tuple[int, int]]) -> int | None:
    """Seconds by which clocks inside are ahead of those outside, where six in ten of the pairs (inside, outside;
    seconds) agree on the zone; else None."""
    found: Counter[int] = Counter()
    count = 0
    for inside, outside in pairs:
        count += 1
        apart = inside - outside
        near = min(ZONES, key=lambda one: (abs(one - apart), one))
        if abs(apart - near) <= NEAR:
            found[near] += 1
    if not found:
        return None
    best, often = min(found.items(), key=lambda item: (-item[1], abs(item[0]), item[0]))
    return best if often * 10 >= count * 6 else None


def told(stamp: re.Match[str], outside: Moment, offset: int | None) -> str | None:
    """A stamp without a year as one that has its year and, where `offset` (`distance`) is known, its zone.

    An hour to either side of `offset` is summer time that began or ended since.
    """
    own = local(stamp, outside)
    if own is None:
        return None
    zone_of = offset
    if offset is not None and outside.offset is not None:
        shift = own - outside.micros // 1_000_000
        zone_of = next((one for one in (offset, offset + 3600, offset - 3600) if abs(shift - one) <= NEAR), offset)
    elif outside.offset is None:
        zone_of = None
    shown = _clock(_EPOCH + timedelta(seconds=own), "seconds")
    return shown + (stamp["part"] or "").replace(",", ".") + ("" if zone_of is None else zone(zone_of))
