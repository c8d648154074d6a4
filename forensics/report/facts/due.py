"""The clocks of the regimes that a case says apply: what each asks, from which event it runs, when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from forensics.report.facts.base import Raw

STATES = (
    "not-dated",
    "not-started",
    "no-limit",
    "deadline",
    "running",
    "passed",
    "met",
    "late",
    "unclear",
    "done",
    "impossible",
)
"""not-dated: the event it runs from has no date in the case · not-started: that event lies after as_of · no-limit: runs
without a limit in hours or days (`without undue delay`) · deadline: no as_of to read it at · running, passed: at as_of,
not done · met, late: done before or after the deadline · unclear: done on the day of
a deadline in hours · done: done, where no limit is set · impossible: dated as done
before the event it runs from."""


@dataclass(frozen=True)
class Moment:
    """An event that the case dates, or does not."""

    says: str
    """What happened, in the regime's words."""
    at: datetime | None
    """None: not dated, or dated by a day."""
    day: date | None
    """The day, where no time is given."""

    @property
    def dated(self) -> bool:
        return self.at is not None or self.day is not None


@dataclass(frozen=True)
class Limit:
    """One limit of a step: `72 hours from …`."""

    unit: str
    """hours, days, business-days, months, or `none` (without undue delay)."""
    number: int
    start: Moment
    deadline: datetime | None
    given: bool = False
    """The case gives the period, from a direction in force."""


@dataclass(frozen=True)
class Step:
    """One thing that a regime asks to be sent."""

    key: str
    title: str
    provision: str
    condition: str
    """When it is owed at all; the report does not decide whether that is so."""
    limits: tuple[Limit, ...]
    """The earliest deadline among them is the step's."""
    deadline: datetime | None
    by_day: bool
    """The deadline is the end of a day."""
    longer: datetime | None
    """A later end by another reading of the counting rule; never the deadline."""
    longer_basis: str
    """`1182-hour` (Regulation 1182/71, Art. 3(1)), `1182-two-days` (Art. 3(5)), `1182-weekend` (Art. 3(4)), or none."""
    done: Moment
    state: str
    remaining_seconds: int | None
    """Until the deadline at as_of; negative when it has passed."""


@dataclass(frozen=True)
class Regime:
    """One set of rules that the case says applies."""

    key: str
    name: str
    short: str
    """As single provisions are cited under it."""
    applies_to: str
    authority: str
    named_authority: Annotated[str | None, Raw("text")]
    """The authority as the case names it."""
    source: str
    given_source: Annotated[str | None, Raw("text")]
    """The direction that the case takes periods from."""
    url: str
    checked: date | None
    """When the periods were checked against the source; None: to be checked."""
    note: str
    sheet: str
    zone: str
    """In which days and business days of it end."""
    steps: tuple[Step, ...]
