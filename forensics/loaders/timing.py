"""The times of a log of lines, as its survey knows them: the clock, the order, and what is noted of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forensics.loaders import newyear, sequence, years
from forensics.loaders.base import Survey
from forensics.loaders.sequence import AS_RECORDED, Order, Stamps
from forensics.loaders.settings import Settings
from forensics.native.codes import DAY, LOCAL, NO_YEAR
from forensics.native.sequence import BEFORE_LEAP, YEAR_DAYS

SETTING = "setting"


@dataclass(frozen=True)
class Plan:
    """What reading a block needs. `host`: the server that wrote the file, if its records do not name one and anybody
    says."""

    clock: years.Clock
    order: Order = AS_RECORDED
    host: str | None = None


@dataclass(frozen=True)
class Undated:
    """A survey whose first year only `--year` says, with the year that it was made with."""

    name: str
    asked: int
    over: bool
    timezone: str | None
    stamps: Stamps
    years: years.Years

    def file(self) -> newyear.Undated:
        return newyear.Undated(self.name, self.asked, self.over, self.years, self.stamps.start, self.stamps.days)


def surveyed(name: str, settings: Settings, stamps: Stamps, rest: Survey, host: str | None = None) -> Survey:
    """`rest`, which has no times, with first and last time, plan and notes. Raises AmbiguousTime."""
    year, timezone = settings.for_source(name)
    found = newyear.years(name, stamps)
    first: tuple[int, str] | None = None
    if found is not None:
        first = (year, SETTING) if year is not None else years.dated_by_name(name, found)
    undated = None
    if found is not None and year is not None and settings.for_many(name):
        undated = Undated(name, year, settings.over, timezone, stamps, found)
        first = (year, "")  # a 29 February is judged when the year is known
    return _timed(
        rest, Plan(years.Clock(), sequence.order(stamps), host), name, stamps, found, first, timezone, undated
    )


def dated(survey: Survey, year: int, *, alone: bool) -> Survey:
    """A survey that was undated, its first stamp being of this year. Where its name tells another, that is noted if the
    year was said of it `alone`; else AmbiguousTime is raised."""
    one = survey.undated
    if not isinstance(one, Undated):
        raise TypeError("this survey knows its years")
    contradiction = years.contradicted_by_name(one.name, one.years, year)
    if contradiction and not alone:
        raise contradiction
    made = _timed(
        replace(survey, undated=None), survey.plan, one.name, one.stamps, one.years, (year, SETTING), one.timezone, None
    )
    if one.over or year != one.asked:
        asked = f"{one.asked}/{one.asked + 1}" if one.over else one.asked
        made = replace(made, notes={**made.notes, "year": {**made.notes["year"], "asked": asked}})
    return (
        noted(made, f"--year says {year} of its first record, the date in its name another") if contradiction else made
    )


def _timed(
    rest: Survey,
    plan: Plan,
    name: str,
    stamps: Stamps,
    found: years.Years | None,
    first: tuple[int, str] | None,
    timezone: str | None,
    undated: Undated | None,
) -> Survey:
    start = first[0] if first else 0
    steps = [
        (n, _local(start, kind, before), _local(start, kind, after))
        for n, kind, before, after in sequence.clock_steps(stamps)
    ]
    checked = found if found is None or first is None or first[1] else replace(found, leaps=())
    clock, notes = years.clock(name, first, timezone, years=checked, local=stamps.local, steps=steps)
    ends = list(stamps.absolute) if stamps.absolute else []
    if stamps.local:
        ends += _utc(LOCAL, stamps.local, clock)
    if found is not None:
        for packed in found.ends:
            year, packed = divmod(packed, years.YEAR_UNIT)
            ends += _utc(NO_YEAR, (packed,), years.Clock(clock.year + year, None, clock.zone))
    noted = [*rest.notes.get("noted", ()), *_noted(plan.order, newyear.joined(stamps))]
    return replace(
        rest,
        first=min(ends, default=None),
        last=max(ends, default=None),
        plan=replace(plan, clock=clock),
        notes={**_without(rest.notes), **notes, **_order_note(plan.order), **({"noted": noted} if noted else {})},
        undated=undated,
    )


def noted(survey: Survey, *sentences: str) -> Survey:
    """The survey with more to tell people."""
    return replace(survey, notes={**survey.notes, "noted": [*survey.notes.get("noted", ()), *sentences]})


def _without(notes: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in notes.items() if k != "noted"}


def _order_note(order: Order) -> dict[str, Any]:
    if order.plain:
        return {}
    return {"order": {"records": order.how, "blocks": list(order.blocks[:100]), "by": "stamps"}}


def _noted(order: Order, joined: int) -> list[str]:
    said = []
    if order.how == sequence.NEWEST_FIRST:
        said.append("its records run newest first: they were put in order by their stamps")
    elif order.how == sequence.NONE:
        said.append("its records stand in no order of time: they were put in order by their stamps")
    elif order.blocks:
        many = len(order.blocks) + 1
        said.append(
            f"it holds {many:,} blocks whose times do not follow each other (the second begins at record "
            f"{order.blocks[0]:,}): they were put in order by their stamps"
        )
    if joined:
        said.append(
            "its stamps have no year and step back by days: years were told from the days that they cover, as of "
            "blocks of one period"
        )
    return said


def _local(first: int, kind: int, time: int) -> int:
    """A time of `sequence.clock_steps` as local microseconds since 1970."""
    if kind != NO_YEAR:
        return time
    day, us = divmod(time, DAY)
    year, day = divmod(day, YEAR_DAYS)
    month = int(np.searchsorted(BEFORE_LEAP[1:], day, side="right"))
    packed = month * years.MONTH_UNIT + (day - int(BEFORE_LEAP[month]) + 1) * DAY + us
    return years.moment(first, year * years.YEAR_UNIT + packed)


def _utc(kind: int, times: tuple[int, ...], clock: years.Clock) -> list[int]:
    count = len(times)
    plain = years.Clock(clock.year, None, clock.zone)
    out, _ = years.resolve(np.full(count, kind, np.int32), np.array(times, np.int64), np.zeros(count, np.int64), plain)
    return [int(v) for v in out]
