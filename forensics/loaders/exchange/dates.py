"""Times of Exchange Online exports: ISO 8601, `/Date(ms)/`, and the local formats that Export-Csv writes.

Message traces are in UTC whatever their format (Microsoft Learn, Get-MessageTrace: "The time stamps on the output are
in UTC time format"); a stamp without zone is read as UTC and the manifest says so. The order of day and month of a
local format is decided for the whole file, by a value above 12, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from forensics.errors import AmbiguousTime

DAY_FIRST: Final = "day-month-year"
MONTH_FIRST: Final = "month-day-year"

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?$", re.I)
_EPOCH = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/$")
_LOCAL = re.compile(
    r"(\d{1,4})([/.\-])\s?(\d{1,2})\2\s?(\d{1,4})\.?,?\s+(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?(?:[.,](\d{1,7}))?"
    r"(?:\s*([ap])\.?\s?m\.?)?$",
    re.I,
)
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH_START) // timedelta(microseconds=1)


def _build(year: int, month: int, day: int, hour: int, minute: int, second: int, fraction: str | None) -> int | None:
    try:
        moment = datetime(year, month, day, hour, minute, second, int((fraction or "0").ljust(6, "0")[:6]), UTC)
    except ValueError:
        return None
    return _micros(moment)


def plain(text: str) -> tuple[int | None, bool]:
    """(microseconds UTC, whether the text named a zone) of an unambiguous stamp; None when it is none."""
    match = _ISO.match(text)
    if match:
        year, month, day, hour, minute, second = (int(v) for v in match.groups()[:6])
        value = _build(year, month, day, hour, minute, second, match[7])
        zone = match[8]
        if value is not None and zone and zone not in "zZ":
            hours, minutes = int(zone[1:3]), int(zone[-2:])
            if hours > 14 or minutes > 59:
                return None, True
            value -= (-1 if zone[0] == "-" else 1) * (hours * 60 + minutes) * 60_000_000
        return value, bool(zone)
    match = _EPOCH.match(text)
    return (int(match[1]) * 1000, True) if match else (None, False)


def local(text: str, order: str) -> int | None:
    """Microseconds UTC of a local date in this order; year-first dates have only one."""
    match = _LOCAL.match(text)
    if not match:
        return None
    a, b, c = match[1], match[3], match[4]
    if len(a) == 4:
        year, month, day = int(a), int(b), int(c)
    elif len(c) == 4 and len(a) <= 2:
        year = int(c)
        day, month = (int(a), int(b)) if order == DAY_FIRST else (int(b), int(a))
    else:
        return None
    hour = int(match[5])
    if match[9]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[9].lower() == "p" else 0)
    return _build(year, month, day, hour, int(match[6]), int(match[7] or 0), match[8])


def read(text: str, order: str | None) -> int | None:
    """Microseconds UTC of any stamp, local ones in the order found for the file; None when unreadable."""
    text = text.strip()
    value, _ = plain(text)
    if value is None and order:
        value = local(text, order)
    return value


class Dates:
    """Collects every stamp of one evidence and decides its date order."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._plain: list[int] = []
        self._zoneless = False
        self._spans: dict[str, list[int]] = {DAY_FIRST: [], MONTH_FIRST: []}
        self._first_above = self._second_above = self._same = 0
        self._locals = 0
        self._example = ""

    def add(self, texts: Iterable[str]) -> None:
        for text in texts:
            text = text.strip()
            value, zoned = plain(text)
            if value is not None:
                self._plain = [min([value, *self._plain[:1]]), max([value, *self._plain[1:]])]
                self._zoneless |= not zoned
                continue
            match = _LOCAL.match(text)
            if not match:
                continue
            self._locals += 1
            if len(match[1]) == 4:
                self._same += 1
            else:
                self._first_above += int(match[1]) > 12
                self._second_above += int(match[3]) > 12
                self._same += match[1].lstrip("0") == match[3].lstrip("0")
                self._example = self._example or text
            for order, span in self._spans.items():
                value = local(text, order)
                if value is not None:
                    span[:] = [min([value, *span[:1]]), max([value, *span[1:]])]

    def decide(self) -> tuple[str | None, tuple[int, int] | None, dict[str, Any]]:
        """(date order or None, (first, last) or None, notes). Raises AmbiguousTime."""
        order = None
        notes: dict[str, Any] = {}
        if self._locals:
            if self._first_above and self._second_above:
                raise AmbiguousTime(
                    f"{self._name}: some dates can only be day-month-year and others only month-day-year",
                    expected="one date order in the whole file",
                    remedy="split the file by its origin, or export it again with ISO 8601 dates",
                )
            if self._first_above:
                order = DAY_FIRST
            elif self._second_above:
                order = MONTH_FIRST
            elif self._same == self._locals:
                order = DAY_FIRST  # both readings are equal for every row
            else:
                raise AmbiguousTime(
                    f"{self._name}: is {self._example!r} day-month-year or month-day-year? No date in it decides",
                    expected="at least one date whose day is above 12, or ISO 8601 dates",
                    remedy="export it again with ISO 8601 dates (Received.ToString('o')), or with a longer period",
                )
            notes["date order"] = f"{order}, decided from {self._locals} dates of the file"
        if self._locals or self._zoneless:
            notes["zone"] = "stamps without a zone read as UTC"
        span = list(self._plain) + (self._spans[order] if order else [])
        return order, (min(span), max(span)) if span else None, notes
