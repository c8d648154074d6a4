"""How long a period is, by the rule that its law gives: hours, calendar days, business days, months.

Hours are elapsed hours: 72 hours are 72 hours across a change to summer time. A period in days or months ends with
its last day. Regulation (EEC, Euratom) No 1182/71, which counts periods of acts of the Union, allows later ends; they
are computed as what they are, another reading, and never take the place of the strict one.
"""

from __future__ import annotations

import calendar as months_of
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ORDER = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}

TWO_DAYS = 48
"""Hours from which on a period is one of two days or more (Art. 3(5))."""


@dataclass(frozen=True)
class Calendar:
    """Which days are no working days. The plain one knows Saturdays and Sundays only."""

    name: str = ""
    holidays: Sequence[str] = ()
    """`7-4` (month and day), or `11 fourth thursday`."""
    observed: str = ""
    """`nearest`: a holiday on a Saturday is kept on the Friday before, one on a Sunday on the Monday after."""
    since: dict[str, int] = field(default_factory=dict)
    """Holiday → first year of it."""
    more: Collection[date] = frozenset()
    """Further days that the case names."""

    def working(self, day: date) -> bool:
        """Whether it is a working day."""
        return day.weekday() < 5 and day not in self.more and day not in self._kept(day.year)

    def _kept(self, year: int) -> frozenset[date]:
        # 1 January on a Saturday is kept on the last day of the year before.
        return frozenset(self._observed(day) for y in (year, year + 1) for day in self._of(y))

    def _of(self, year: int) -> list[date]:
        return [holiday(rule, year) for rule in self.holidays if year >= self.since.get(rule, 0)]

    def _observed(self, day: date) -> date:
        if self.observed != "nearest" or day.weekday() < 5:
            return day
        return day + timedelta(days=-1 if day.weekday() == 5 else 1)


def holiday(rule: str, year: int) -> date:
    """The day of a rule in a year. Raises ValueError for a rule that is none.

    >>> holiday("11 fourth thursday", 2024)
    datetime.date(2024, 11, 28)
    >>> holiday("5 last monday", 2024)
    datetime.date(2024, 5, 27)
    """
    parts = rule.split()
    if len(parts) == 1:
        month, _, number = rule.partition("-")
        return date(year, int(month), int(number))
    month_number, which, weekday = int(parts[0]), parts[1], parts[2]
    if which not in _ORDER or weekday not in WEEKDAYS:
        raise ValueError(f"no holiday: {rule}")
    last = months_of.monthrange(year, month_number)[1]
    days = [date(year, month_number, n) for n in range(1, last + 1)]
    return [day for day in days if day.weekday() == WEEKDAYS.index(weekday)][_ORDER[which]]


def hours(event: datetime, n: int) -> datetime:
    """`n` elapsed hours after an event, to the second."""
    return event.astimezone(UTC) + timedelta(hours=n)


def hours_1182(event: datetime, n: int, zone: ZoneInfo) -> datetime:
    """The end of `n` hours by Regulation 1182/71, Art. 3(1) and 3(2)(a): the hour of the event is not counted, the
    period ends with its last hour.

    >>> hours_1182(datetime(2024, 1, 4, 9, 15, tzinfo=UTC), 72, ZoneInfo("UTC")).isoformat()
    '2024-01-07T10:00:00+00:00'
    """
    local = event.astimezone(zone)
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return event.astimezone(UTC) - into + timedelta(hours=n + 1)


def two_working_days(event: datetime, end: datetime, zone: ZoneInfo, working: Callable[[date], bool]) -> datetime:
    """`end`, or the end of the second whole working day after the event where the period would hold fewer than two
    (Regulation 1182/71, Art. 3(5), in its widest reading; whether it applies to 72 hours is disputed).
    """
    day, found = event.astimezone(zone).date(), 0
    while found < 2:
        day += timedelta(days=1)
        found += working(day)
    return max(end, end_of(day, zone))


def days(event: date, n: int) -> date:
    """The last of `n` calendar days; the day of the event is not counted."""
    return event + timedelta(days=n)


def business_days(event: date, n: int, working: Callable[[date], bool]) -> date:
    """The `n`th business day after an event.

    The day of the event is not counted. After an event on another day the period begins with, and includes, the first
    business day that follows (Form 8-K, General Instruction B.1), which comes to the same.
    """
    day, found = event, 0
    while found < n:
        day += timedelta(days=1)
        found += working(day)
    return day


def months(event: date, n: int) -> date:
    """The same day `n` months later; the last day of that month where it has no such day (Art. 3(2)(c)).

    >>> months(date(2024, 1, 31), 1)
    datetime.date(2024, 2, 29)
    """
    number = event.year * 12 + event.month - 1 + n
    year, month = divmod(number, 12)
    return date(year, month + 1, min(event.day, months_of.monthrange(year, month + 1)[1]))


def next_working(day: date, working: Callable[[date], bool]) -> date:
    """The day, or the first working day after it (Art. 3(4), for periods not expressed in hours)."""
    while not working(day):
        day += timedelta(days=1)
    return day


def end_of(day: date, zone: ZoneInfo, closes: time | None = None) -> datetime:
    """When a day ends in a zone: at midnight, or when the office closes."""
    if closes is not None:
        return datetime.combine(day, closes, zone).astimezone(UTC)
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
