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
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forensics.errors import AmbiguousTime, UsageError

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


def read(text: str, order: str | None, zone: str | None = None) -> int | None:
    """Microseconds UTC of any stamp, local ones in the order found for the file; None when unreadable.

    `zone`: IANA name of the zone of stamps that name none (default UTC).
    """
    text = text.strip()
    value, zoned = plain(text)
    if value is None and order:
        value = local(text, order)
    return value if value is None or zoned or zone is None else _from_zone(value, zone)


def _from_zone(value: int, zone: str) -> int:
    """UTC of a wall clock; of an hour that the clock shows twice, its first."""
    wall = (_EPOCH_START + timedelta(microseconds=value)).replace(tzinfo=ZoneInfo(zone))
    return _micros(wall.astimezone(UTC))


class Dates:
    """Collects every stamp of one evidence and decides its date order.

    `order`: what people say (`dmy`, `mdy`), for files that leave it open. `zone`: IANA name, for stamps that are local
    times (`wall`); others without a zone are UTC.
    """

    def __init__(self, name: str, order: str | None = None, zone: str | None = None) -> None:
        self._name = name
        self._stated = {"dmy": DAY_FIRST, "mdy": MONTH_FIRST}.get(order or "")
        self._zone = zone
        self._wall = False
        self._plain: list[int] = []
        self._zoneless: list[int] = []
        self._spans: dict[str, list[int]] = {DAY_FIRST: [], MONTH_FIRST: []}
        self._first_above = self._second_above = self._same = 0
        self._locals = 0
        self._example = ""

    def add(self, texts: Iterable[str], *, wall: bool = False) -> None:
        """`wall`: stamps without a zone are local times of the machine that wrote the file."""
        self._wall |= wall
        for text in texts:
            text = text.strip()
            value, zoned = plain(text)
            if value is not None:
                _widen(self._plain if zoned else self._zoneless, value)
                continue
            match = _LOCAL.match(text)
            if not match:
                continue
            self._locals += 1
            self._example = self._example or text
            if len(match[1]) == 4:
                self._same += 1
            else:
                self._first_above += int(match[1]) > 12
                self._second_above += int(match[3]) > 12
                self._same += match[1].lstrip("0") == match[3].lstrip("0")
            for order, span in self._spans.items():
                value = local(text, order)
                if value is not None:
                    _widen(span, value)

    def decide(self) -> tuple[str | None, str | None, tuple[int, int] | None, dict[str, Any]]:
        """(date order or None, zone of stamps without one or None for UTC, (first, last) or None, notes).

        Raises AmbiguousTime.
        """
        notes: dict[str, Any] = {}
        order = self._order(notes) if self._locals else None
        zoneless = self._zoneless + (self._spans[order] if order else [])
        zone = None
        if zoneless and self._wall:
            if self._zone is None:
                raise AmbiguousTime(
                    f"{self._name}: its times are local times of the machine that exported it, and name no zone",
                    expected="the time zone of that machine",
                    remedy="give --timezone, or name the file under [[sources]] in case.toml with its timezone "
                    '(timezone = "Europe/London")',
                )
            zone = self._zone
            try:
                ZoneInfo(zone)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise UsageError(
                    f"{self._name}: time zone {zone!r} is not known",
                    expected="an IANA name such as Europe/London",
                    remedy="mend --timezone, or its timezone under [[sources]] in case.toml",
                ) from None
            zoneless = [_from_zone(value, zone) for value in zoneless]
            notes["timezone"] = {"name": zone, "by": "setting"}
        elif zoneless:
            notes["zone"] = "stamps without a zone read as UTC"
        span = self._plain + zoneless
        return order, zone, (min(span), max(span)) if span else None, notes

    def _order(self, notes: dict[str, Any]) -> str:
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
        raise AmbiguousTime(
            f"{self._name}: is {self._example!r} day-month-year or month-day-year? No date in it decides",
            expected="at least one date whose day is above 12, ISO 8601 dates, or your word for it",
            remedy='name the file under [[sources]] in case.toml with date_order = "dmy" or "mdy", or export it again '
            "with ISO 8601 dates (Received.ToString('o'))",
        )


def _widen(span: list[int], value: int) -> None:
    span[:] = [min([value, *span[:1]]), max([value, *span[1:]])]
