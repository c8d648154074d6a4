"""Regimes as data, and their clocks.

A regime is one file of `templates/regimes`: the events it knows, its steps, the periods of each and where they are
written. A case says which apply (`[[questionnaire.regimes]]`) and dates their events; an event is never derived from
another. What was not checked against its source carries no date and is reported as to be checked.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from forensics import tomlread
from forensics.case import argument
from forensics.errors import CaseError, UsageError
from forensics.report.facts import periods
from forensics.report.facts.due import Limit, Moment, Regime, Step
from forensics.report.facts.periods import Calendar
from forensics.report.facts.questionnaire import Questionnaire, RegimeAnswers, moment

TEMPLATES = Path(__file__).parent.parent / "templates" / "regimes"

_UNITS = {"hours": "hours", "days": "days", "business_days": "business-days", "months": "months"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EventData(_Strict):
    says: str
    item: str | None = None
    """Question of the questionnaire that dates it, where the case gives it no date of its own."""


class LimitData(_Strict):
    """At most one of the four; none: without undue delay."""

    start: str = Field(alias="from")
    hours: int | None = Field(default=None, gt=0)
    days: int | None = Field(default=None, gt=0)
    business_days: int | None = Field(default=None, gt=0)
    months: int | None = Field(default=None, gt=0)
    unless_later: str | None = None
    """The limit does not hold where this event came after it had ended."""

    @model_validator(mode="after")
    def _one(self) -> LimitData:
        if sum(getattr(self, name) is not None for name in _UNITS) > 1:
            raise ValueError("a limit has one period")
        return self

    @property
    def period(self) -> tuple[str, int]:
        """(unit, number)."""
        return next(((u, n) for name, u in _UNITS.items() if (n := getattr(self, name)) is not None), ("none", 0))


def _many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class StepData(_Strict):
    key: str
    title: str
    provision: str
    condition: str = ""
    done: Annotated[tuple[str, ...], BeforeValidator(_many)]
    """Events by which it is done; the first of them counts."""
    limits: tuple[LimitData, ...]
    counting: Literal["elapsed", "regulation-1182-71"] = "elapsed"
    calendar: str | None = None
    zone: str | None = None
    closes: time | None = None


class RegimeData(_Strict):
    """One regime file."""

    name: str
    short: str
    applies_to: str
    authority: str
    source: str
    url: str = ""
    checked: date | None = None
    note: str = ""
    sheet: str
    events: dict[str, EventData]
    steps: tuple[StepData, ...]

    @model_validator(mode="after")
    def _known(self) -> RegimeData:
        for step in self.steps:
            named = [*step.done, *(limit.start for limit in step.limits)]
            named += [limit.unless_later for limit in step.limits if limit.unless_later]
            if unknown := [name for name in named if name not in self.events]:
                raise ValueError(f"step {step.key} names no event of the regime: {', '.join(unknown)}")
        return self


def load(folder: Path | None = None) -> Mapping[str, RegimeData]:
    """Every regime by name; files in `regimes` of the user's own template `folder` come before ours.

    Raises UsageError for a file of the user's that is wrong.
    """
    found = {path.stem: _read(path) for path in sorted(TEMPLATES.glob("*.toml"))}
    if folder is not None:
        found |= {path.stem: _read(path) for path in sorted((folder / "regimes").glob("*.toml"))}
    return found


@cache
def _read(path: Path) -> RegimeData:
    try:
        return RegimeData.model_validate(tomlread.read(path.read_bytes(), path, argument(path), UsageError))
    except ValidationError as error:
        raise UsageError(f"{path}: {tomlread.wrong(error, RegimeData)}", remedy="mend that entry") from None


def calendar(name: str | None, more: tuple[date, ...] = ()) -> Calendar:
    """A calendar by name; without one, Saturdays and Sundays. `more`: days that the case names."""
    if name is None:
        return Calendar(more=frozenset(more))
    data = tomllib.loads((TEMPLATES / "calendars" / f"{name}.toml").read_text("utf-8"))
    return Calendar(data["name"], tuple(data["holidays"]), data.get("observed", ""), data.get("since", {}), more)


def gather(
    answers: Questionnaire, home: ZoneInfo, as_of: datetime | None, folder: Path | None = None
) -> tuple[Regime, ...]:
    """The regimes that the case says apply, with their clocks read at `as_of`, in the order of the case.

    Raises CaseError for a regime or an event that there is none of, and for a day where a time is needed.
    """
    if not answers.regimes:
        return ()
    known = load(folder)
    out = []
    for own in answers.regimes:
        if own.regime not in known:
            raise CaseError(
                f"case.toml: questionnaire.regimes: no regime named {own.regime!r}",
                expected="one of " + ", ".join(known),
                remedy="name one of these, or add a file to the folder regimes of your own templates",
            )
        out.append(_regime(own, known[own.regime], answers, home, as_of))
    return tuple(out)


def _regime(
    own: RegimeAnswers, data: RegimeData, answers: Questionnaire, home: ZoneInfo, as_of: datetime | None
) -> Regime:
    if unknown := [name for name in own.events if name not in data.events]:
        raise CaseError(
            f"case.toml: questionnaire.regimes: {own.regime} knows no event {', '.join(unknown)}",
            expected="; ".join(f"{name} ({event.says})" for name, event in data.events.items()),
        )

    if unknown := [key for key in own.hours if key not in [step.key for step in data.steps]]:
        raise CaseError(
            f"case.toml: questionnaire.regimes: {own.regime} has no step {', '.join(unknown)}",
            expected="one of " + ", ".join(step.key for step in data.steps),
        )
    if own.hours and not own.source:
        raise CaseError(
            f"case.toml: questionnaire.regimes: {own.regime}: hours without a source",
            expected="source: the direction that sets them, with its date",
        )

    def dated(name: str) -> Moment:
        event = data.events[name]
        value: Any = own.events.get(name)
        if value is None and event.item:
            section, _, item = event.item.partition(".")
            value = getattr(getattr(answers, section), item)
        if isinstance(value, datetime):
            return Moment(event.says, moment(value, home), None)
        return Moment(event.says, None, value)

    return Regime(
        key=own.regime,
        name=data.name,
        short=data.short,
        applies_to=data.applies_to,
        authority=data.authority,
        named_authority=own.authority,
        source=data.source,
        given_source=own.source,
        url=data.url,
        checked=data.checked,
        note=data.note,
        sheet=data.sheet,
        zone=next((step.zone for step in data.steps if step.zone), str(home)),
        steps=tuple(_step(own, step, dated, home, as_of) for step in data.steps),
    )


def _step(
    own: RegimeAnswers, data: StepData, dated: Callable[[str], Moment], home: ZoneInfo, as_of: datetime | None
) -> Step:
    zone = ZoneInfo(data.zone) if data.zone else home
    days = calendar(data.calendar, own.holidays)
    limits = []
    for one in data.limits:
        unit, number = one.period
        given = unit == "none" and data.key in own.hours
        if given:
            unit, number = "hours", own.hours[data.key]
        start = dated(one.start)
        if unit == "hours" and start.day is not None:
            raise CaseError(
                f"case.toml: questionnaire.regimes: {own.regime}: {one.start} is a day; its period is one of hours",
                expected="a time, such as 2024-01-04T09:15:00Z",
                remedy="give the time at which it happened",
            )
        limits.append(Limit(unit, number, start, _end(unit, number, start, zone, days, data.closes), given))
    ends = [
        (limit.deadline, limit)
        for limit, one in zip(limits, data.limits, strict=True)
        if limit.deadline is not None and _binds(limit, one, dated, zone)
    ]
    # The first limit is the step's own; the others only cut it short. Without its event nothing runs.
    chosen = min(ends, key=lambda end: end[0])[1] if limits[0].deadline is not None else None
    deadline = chosen.deadline if chosen else None
    longer, basis = _longer(chosen, zone, days, data) if chosen else (None, "")
    done = _first([dated(name) for name in data.done], zone)
    start, by_day = limits[0].start, chosen is not None and chosen.unit != "hours"
    return Step(
        key=data.key,
        title=data.title,
        provision=data.provision,
        condition=data.condition,
        limits=tuple(limits),
        deadline=deadline,
        by_day=by_day,
        longer=longer,
        longer_basis=basis,
        done=done,
        state=_state(start, done, deadline, by_day, as_of, zone),
        remaining_seconds=int((deadline - as_of).total_seconds()) if deadline and as_of and start.dated else None,
    )


def _binds(limit: Limit, data: LimitData, dated: Callable[[str], Moment], zone: ZoneInfo) -> bool:
    if data.unless_later is None or limit.deadline is None:
        return True
    later = dated(data.unless_later)
    return not later.dated or _earliest(later, zone) <= limit.deadline


def _end(unit: str, number: int, start: Moment, zone: ZoneInfo, days: Calendar, closes: time | None) -> datetime | None:
    if not start.dated or unit == "none":
        return None
    if unit == "hours":
        return None if start.at is None else periods.hours(start.at, number)
    day = _day(start, zone)
    if unit == "days":
        last = periods.days(day, number)
    elif unit == "months":
        last = periods.months(day, number)
    else:
        last = periods.business_days(day, number, days.working)
    return periods.end_of(last, zone, closes)


def _longer(chosen: Limit, zone: ZoneInfo, days: Calendar, data: StepData) -> tuple[datetime | None, str]:
    """(a later end by Regulation 1182/71, by which rule)."""
    if data.counting != "regulation-1182-71" or chosen.deadline is None:
        return None, ""
    if chosen.unit == "hours" and chosen.start.at is not None:
        by_hour = periods.hours_1182(chosen.start.at, chosen.number, zone)
        if chosen.number < periods.TWO_DAYS:
            return by_hour, "1182-hour"
        widest = periods.two_working_days(chosen.start.at, by_hour, zone, days.working)
        return widest, "1182-two-days" if widest > by_hour else "1182-hour"
    last = periods.months(_day(chosen.start, zone), chosen.number)
    moved = periods.next_working(last, days.working)
    return (periods.end_of(moved, zone), "1182-weekend") if moved > last else (None, "")


def _day(at: Moment, zone: ZoneInfo) -> date:
    """The day of a dated event in a zone."""
    return at.day or _earliest(at, zone).astimezone(zone).date()


def _earliest(at: Moment, zone: ZoneInfo) -> datetime:
    """The moment of a dated event, or when its day began."""
    return at.at or datetime.combine(at.day or date.max, time(), zone).astimezone(UTC)


def _latest(at: Moment, zone: ZoneInfo) -> datetime:
    """The moment, or when its day ended."""
    return at.at or periods.end_of(at.day or date.min, zone)


def _first(events: list[Moment], zone: ZoneInfo) -> Moment:
    dated = [event for event in events if event.dated]
    return min(dated, key=lambda event: _earliest(event, zone)) if dated else events[0]


def _state(
    start: Moment, done: Moment, deadline: datetime | None, by_day: bool, as_of: datetime | None, zone: ZoneInfo
) -> str:
    if not start.dated:
        return "not-dated"
    if done.dated and _latest(done, zone) < _earliest(start, zone):
        return "impossible"
    if done.dated:
        return "done" if deadline is None else _in_time(done, deadline, by_day, zone)
    if as_of is not None and _earliest(start, zone) > as_of:
        return "not-started"
    if deadline is None:
        return "no-limit"
    if as_of is None:
        return "deadline"
    return "running" if as_of <= deadline else "passed"


def _in_time(done: Moment, deadline: datetime, by_day: bool, zone: ZoneInfo) -> str:
    if done.at is not None:
        return "met" if done.at <= deadline else "late"
    if by_day:
        # The last moment of the last day is midnight, which is the next day's first.
        last = (deadline - timedelta(microseconds=1)).astimezone(zone).date()
        return "met" if _earliest(done, zone).astimezone(zone).date() <= last else "late"
    if _latest(done, zone) <= deadline:
        return "met"
    return "late" if _earliest(done, zone) > deadline else "unclear"
