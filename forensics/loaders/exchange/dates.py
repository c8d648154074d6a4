"""Times of exports: ISO 8601, `/Date(ms)/`, and the local formats that Export-Csv, PowerShell and Excel write.

Message traces are in UTC whatever their format (Microsoft Learn, Get-MessageTrace: "The time stamps on the output are
in UTC time format"): a stamp without zone is read as UTC unless somebody says otherwise, and either is noted. The order
of day and month of a local format is decided for the whole file, by a value above 12, or not at all. Years of other
calendars (Export-Csv writes 2567 for 2024 where Windows counts as Thailand does) are never believed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forensics.errors import AmbiguousTime, UsageError
from forensics.loaders.exchange import date_words
from forensics.native.codes import FIRST_YEAR, LAST_YEAR

DAY_FIRST: Final = "day-month-year"
MONTH_FIRST: Final = "month-day-year"
LONGEST: Final = 80
"""Characters of the longest stamp that is looked at."""
FEW: Final = 10
"""A question is asked only where what raises it is in one of so many stamps at least: else these records are unread."""
CALENDARS: Final = (range(2513, 2743), range(1349, 1579))
"""The years of mail as Buddhists count them, and Persians and Muslims."""
EXPORT_AGAIN: Final = "export it again with ISO 8601 dates (@{n='Received';e={$_.Received.ToString('o')}})"

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?$", re.I)
_EPOCH = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/$")
_LOCAL = re.compile(
    r"(?P<date>[^:]*?\d[^:]*?)[\s,T]+(?P<before>[^\d:]*?)\s*"
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<after>[^\d:+]*?)\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:\d\d)?$"
)
_NUMBERS = re.compile(
    r"(\d{1,4})\s?(?:([/.\-])\s?(\d{1,2})\s?\2\s?(\d{1,4})|[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일])(?:\.|\s?г\.?)?$"
)
_WORD = re.compile(r"[^\W\d_]+\.?")
_SPREADSHEET = re.compile(r"##+|\d{5}(?:[.,]\d+)?")
"""A date in a column that is too narrow; days since 1900."""
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
_ZONED, _UTC, _WALL, _NOBODYS = "zoned", "utc", "wall", "nobody's"
"""Whose time a stamp is: its own zone's; UTC by its column's name; the exporting machine's; it does not say."""
_MARKS = {ord(c): None for c in "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"}


@dataclass(frozen=True)
class Local:
    """A local date: `year`, two numbers of which one is the day and one the month, and the time of day."""

    year: int
    first: int
    second: int
    fixed: bool
    """`first` is the month, whatever the order of the file's dates."""
    time: tuple[int, int, int, int]
    """Hour, minute, second, microsecond."""
    shift: int | None
    """Microseconds that its zone is ahead of UTC; None when it names none."""

    def micros(self, order: str) -> int | None:
        """Microseconds UTC (of the wall clock, where it names no zone) with the order given; None for a date that there
        is not."""
        month, day = (self.second, self.first) if order == DAY_FIRST and not self.fixed else (self.first, self.second)
        value = _build(self.year, month, day, *self.time)
        return None if value is None else value - (self.shift or 0)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH_START) // timedelta(microseconds=1)


def _build(year: int, month: int, day: int, hour: int, minute: int, second: int, micros: int) -> int | None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return _micros(datetime(year, month, day, hour, minute, second, micros, UTC))
    except ValueError:
        return None


def _fraction(digits: str | None) -> int:
    return int((digits or "0").ljust(6, "0")[:6])


def cleaned(text: str) -> str:
    """Without marks of direction, with blanks and digits of ASCII."""
    text = text.strip()
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text.translate(_MARKS)).strip()
    return "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c for c in text)


def plain(text: str) -> tuple[int | None, bool]:
    """(microseconds UTC, whether the text named a zone) of an unambiguous stamp; None when it is none."""
    match = _ISO.match(text)
    if match:
        year, month, day, hour, minute, second = (int(v) for v in match.groups()[:6])
        value = _build(year, month, day, hour, minute, second, _fraction(match[7]))
        zone = match[8]
        if value is None or not zone:
            return value, bool(zone)
        shift = _shift(zone)
        return (None if shift is None else value - shift), True
    match = _EPOCH.match(text)
    if match:
        value = int(match[1]) * 1000
        return (value if _LEAST <= value < _MOST else None), True
    return None, False


def _shift(zone: str) -> int | None:
    """Microseconds that `Z`, `UTC`, `GMT` or `±HH:MM` is ahead of UTC; None for what no zone is."""
    if zone[0] not in "+-":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 14 or minutes > 59:
        return None
    return (-1 if zone[0] == "-" else 1) * (hours * 60 + minutes) * 60_000_000


_MINUTE: Final = 60_000_000
_LEAST: Final = _micros(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC))
_MOST: Final = _micros(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC))


def local(text: str) -> Local | None:
    """A date and time of day as people write them; None when it is none that is read: without a year of four digits, or
    with words that are none of a date."""
    match = _LOCAL.match(text) if len(text) <= LONGEST else None
    if not match:
        return None
    hour = _hour(int(match["hour"]), match["before"], match["after"])
    if hour is None:
        return None
    shift = _shift(match["zone"]) if match["zone"] else None
    if match["zone"] and shift is None:
        return None
    found = _date(match["date"])
    time = (hour, int(match["minute"]), int(match["second"] or 0), _fraction(match["fraction"]))
    return Local(*found, time, shift) if found else None


def _date(text: str) -> tuple[int, int, int, bool] | None:
    """(year, first, second, fixed) as in `Local`."""
    numbers = _NUMBERS.match(text)
    if not numbers:
        return _with_month(text)
    a, b, c = numbers[1], numbers[3] or numbers[5], numbers[4] or numbers[6]
    if len(a) == 4:
        return int(a), int(b), int(c), True
    return (int(c), int(a), int(b), False) if len(c) == 4 and len(a) <= 2 else None


def _hour(hour: int, before: str, after: str) -> int | None:
    """The hour of 24; None where the words around the time are neither none nor one half of the day."""
    words = [word for word in (before, after) if date_words.bare(word) not in date_words.NEUTRAL]
    if not words:
        return hour
    half = date_words.half(words[0]) if len(words) == 1 else None
    return None if half is None or not 1 <= hour <= 12 else hour % 12 + half


def _with_month(date: str) -> tuple[int, int, int, bool] | None:
    numbers = re.findall(r"\d+", date)
    months = {m for m in map(date_words.month, _WORD.findall(date)) if m is not None}
    years = [n for n in numbers if len(n) == 4]
    days = [n for n in numbers if len(n) <= 2]
    if len(months) != 1 or len(numbers) != 2 or len(years) != 1 or len(days) != 1:
        return None
    return int(years[0]), months.pop(), int(days[0]), True


def read(text: str, order: str | None, zone: str | None = None) -> int | None:
    """Microseconds UTC of any stamp, local ones in the order found for the file; None when unreadable.

    `zone`: IANA name of the zone of stamps that name none (default UTC).
    """
    text = cleaned(text)
    value, zoned = plain(text)
    if value is None and order and (found := local(text)):
        value, zoned = found.micros(order), found.shift is not None
    return value if value is None or zoned or zone is None else _from_zone(value, zone)


def unreadable(text: str) -> str:
    """Why `read` gives None.

    >>> print(unreadable("yesterday"), unreadable("45356.41667"), unreadable("########"), sep="\\n")
    no time that could be read in 'yesterday'
    what a spreadsheet wrote in place of a time: '45356.41667'
    what a spreadsheet wrote in place of a time: '########'
    """
    if _SPREADSHEET.fullmatch(text.strip()):
        return f"what a spreadsheet wrote in place of a time: {text[:64]!r}"
    return f"no time that could be read in {text[:64]!r}"


def _from_zone(value: int, zone: str) -> int:
    """UTC of a wall clock; of an hour that the clock shows twice, its first."""
    wall = (_EPOCH_START + timedelta(microseconds=value)).replace(tzinfo=ZoneInfo(zone))
    return _micros(wall.astimezone(UTC))


class Dates:
    """Collects every stamp of one evidence and decides its date order and zone.

    `order`: what people say (`dmy`, `mdy`), for files that leave it open. `zone`: IANA name that people say for stamps
    without one.
    """

    def __init__(self, name: str, order: str | None = None, zone: str | None = None) -> None:
        self._name = name
        self._stated = {"dmy": DAY_FIRST, "mdy": MONTH_FIRST}.get(order or "")
        self._zone = zone
        self._count = 0
        self._spans: dict[tuple[str, str], list[int]] = {}
        """(date order or "" for ISO 8601, whose time it is) → least and greatest time."""
        self._first_above = self._second_above = self._same = 0
        self._locals = 0
        self._foreign = 0
        self._examples: dict[str, str] = {}
        self._seconds = False

    @property
    def to_minute(self) -> bool:
        """All times of messages end with a whole minute, as a spreadsheet shows them."""
        return self._count > 0 and not self._seconds

    def add(self, texts: Iterable[str], *, wall: bool = False, utc: bool = False, bounds: bool = False) -> None:
        """`wall`: stamps without a zone are local times of the machine that wrote the file; `utc`: they are UTC, their
        column says so; `bounds`: they are no times of messages and help to decide the order alone."""
        for text in texts:
            text = cleaned(text)
            value, zoned = plain(text)
            self._count += not bounds
            whose = _UTC if utc else _WALL if wall else _NOBODYS
            if value is not None:
                self._seconds |= not bounds and value % _MINUTE != 0
                self._widen("", _ZONED if zoned else whose, value, bounds)
                continue
            found = local(text)
            if not found:
                match = _ISO.match(text)
                self._strange(int(match[1]) if match else FIRST_YEAR, text, bounds)
                continue
            if self._strange(found.year, text, bounds):
                continue
            self._seconds |= not bounds and found.time[2:] != (0, 0)
            self._locals += 1
            self._examples.setdefault("open", text)
            if found.fixed:
                self._same += 1
            else:
                self._first_above += found.first > 12
                self._second_above += found.second > 12
                self._same += found.first == found.second
            for order in (DAY_FIRST, MONTH_FIRST):
                value = found.micros(order)
                if value is not None:
                    self._widen(order, whose if found.shift is None else _ZONED, value, bounds)

    def _strange(self, year: int, text: str, bounds: bool) -> bool:
        """Is the year none that mail is of? Counts those of other calendars."""
        strange = not FIRST_YEAR <= year <= LAST_YEAR
        if strange and not bounds and any(year in one for one in CALENDARS):
            self._foreign += 1
            self._examples.setdefault("foreign", text)
        return strange

    def _widen(self, order: str, whose: str, value: int, bounds: bool) -> None:
        if not bounds:
            span = self._spans.setdefault((order, whose), [])
            span[:] = [min([value, *span[:1]]), max([value, *span[1:]])]

    def decide(self) -> tuple[str | None, str | None, tuple[int, int] | None, dict[str, Any]]:
        """(date order or None, zone of stamps without one or None for UTC, (first, last) or None, notes).

        Raises AmbiguousTime, and UsageError for a zone that there is not.
        """
        notes: dict[str, Any] = {}
        noted: list[str] = []
        if self._foreign * 2 > self._count:
            raise AmbiguousTime(
                f"{self._name}: {self._examples['foreign']!r} is of no year of mail: is it of another calendar?",
                expected="years of the Gregorian calendar (the Buddhist 2567 and the Persian 1403 are 2024)",
                remedy=f"{EXPORT_AGAIN}; until then leave the file out",
            )
        order = self._order(notes, noted) if self._locals else None
        found: dict[str, list[int]] = {}
        for (of, whose), span in self._spans.items():
            if of in ("", order):
                found.setdefault(whose, []).extend(span)
        zone = self._zone_of(found, notes, noted)
        zoneless = found.pop(_WALL, []) + found.pop(_NOBODYS, [])
        ends = [value for span in found.values() for value in span]
        ends += [_from_zone(value, zone) for value in zoneless] if zone else zoneless
        if noted:
            notes["noted"] = noted
        return order, zone, (min(ends), max(ends)) if ends else None, notes

    def _zone_of(self, found: dict[str, list[int]], notes: dict[str, Any], noted: list[str]) -> str | None:
        """The zone of stamps that name none; None for UTC."""
        if self._zone is not None:
            try:
                ZoneInfo(self._zone)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise UsageError(
                    f"{self._name}: time zone {self._zone!r} is not known",
                    expected="an IANA name such as Europe/London",
                    remedy="mend --timezone, or its timezone under [[sources]] in case.toml",
                ) from None
            if _UTC in found:
                noted.append(f"its column of times says UTC: the time zone {self._zone} was not applied to it")
        if _WALL not in found and _NOBODYS not in found:
            if _UTC in found:
                notes["zone"] = "stamps without a zone read as UTC"
            return None
        if self._zone is None and _WALL in found:
            raise AmbiguousTime(
                f"{self._name}: its times are local times of the machine that exported it, and name no zone",
                expected="the time zone of that machine",
                remedy="give --timezone, or name the file under [[sources]] in case.toml with its timezone "
                '(timezone = "Europe/London")',
            )
        if self._zone is None:
            notes["zone"] = "stamps without a zone read as UTC"
            noted.append(
                "its times name no zone and are read as UTC, which traces are in; if it was exported in local time, "
                "say --timezone, or its timezone under [[sources]] in case.toml"
            )
            return None
        notes["timezone"] = {"name": self._zone, "by": "setting"}
        noted.append(f"its times name no zone and are read as {self._zone}, as --timezone or case.toml says")
        return self._zone

    def _order(self, notes: dict[str, Any], noted: list[str]) -> str | None:
        if self._first_above and self._second_above:
            raise AmbiguousTime(
                f"{self._name}: some dates can only be day-month-year and others only month-day-year",
                expected="one date order in the whole file",
                remedy="split the file by its origin, or export it again with ISO 8601 dates",
            )
        shown = DAY_FIRST if self._first_above else MONTH_FIRST if self._second_above else None
        if shown and self._stated and shown != self._stated:
            raise AmbiguousTime(
                f"{self._name}: case.toml says that its dates are {self._stated}, but some can only be {shown}",
                expected="the date order that the file has",
                remedy="mend or remove its date_order under [[sources]] in case.toml",
            )
        if shown:
            notes["date order"] = f"{shown}, decided from {self._locals} dates of the file"
            return shown
        if self._same == self._locals:
            notes["date order"] = f"{DAY_FIRST}, decided from {self._locals} dates of the file"
            return DAY_FIRST  # both readings are equal for every row
        if self._stated:
            notes["date order"] = f"{self._stated}, as case.toml says"
            return self._stated
        if self._locals * FEW < self._count:
            noted.append(
                f"{self._locals} of its {self._count} times are dates of which nothing says whether the day or the "
                "month comes first: unread"
            )
            return None
        raise AmbiguousTime(
            f"{self._name}: is {self._examples['open']!r} day-month-year or month-day-year? No date in it decides",
            expected="at least one date whose day is above 12, ISO 8601 dates, or your word for it",
            remedy='name the file under [[sources]] in case.toml with date_order = "dmy" or "mdy", or export it again '
            "with ISO 8601 dates (Received.ToString('o'))",
        )
