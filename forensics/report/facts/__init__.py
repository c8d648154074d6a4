"""The one fact base of a report: every number, name and time that any format shows.

`gather` (in `forensics.report.facts.gather`) computes a `Facts` once; every format lays it out and computes nothing.
A `Number` carries the deliveries behind it, or, for totals over a whole table, the query that gives it again.

Fields whose value comes from the logs or names a person are marked `Annotated[…, Raw(kind)]`; the redacted
edition replaces exactly those, by kind (`forensics.report.redaction`). A field without a mark is shown in both
editions, so a new field that can hold an address, a name, a host or free text must be marked.

Times are aware datetimes in UTC. `None` always means "the evidence (or the investigator) does not say".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from forensics.report.facts.asked import Looked
from forensics.report.facts.base import (
    EDITIONS,
    FORMAT_VERSION,
    RAW_KINDS,
    STATES,
    Groups,
    Number,
    Raw,
    Tally,
)
from forensics.report.facts.beside import Beside, Contested, Impersonation, NoSuchDomain
from forensics.report.facts.due import Limit, Moment, Regime, Step
from forensics.report.facts.found import (
    Day,
    Finding,
    Flow,
    Holder,
    Incident,
    Person,
    Place,
    Reason,
    Record,
    Relay,
    Ruling,
    Segment,
    Slip,
    Story,
)
from forensics.report.facts.kept import Attested, Custody, HandedOver, Said
from forensics.report.facts.searched import (
    Bin,
    Coverage,
    Evidence,
    Gateway,
    Level,
    Loss,
    LossTotal,
    Method,
    OtherLines,
    Rate,
    Sensitivity,
    Signal,
    Skipped,
    UnreadKind,
)
from forensics.report.facts.shown import Content, Contrast, Held, Mention
from forensics.report.facts.since import Changes, Count, Moved, Restated
from forensics.report.facts.stated import Action, Clock, Containment, Header, Item, Questionnaire, Statement

__all__ = [
    "EDITIONS",
    "FORMAT_VERSION",
    "RAW_KINDS",
    "STATES",
    "Action",
    "Attested",
    "Beside",
    "Bin",
    "Changes",
    "Clock",
    "Containment",
    "Content",
    "Contested",
    "Contrast",
    "Count",
    "Coverage",
    "Custody",
    "Day",
    "Evidence",
    "Facts",
    "Finding",
    "Flow",
    "Gateway",
    "Groups",
    "HandedOver",
    "Header",
    "Held",
    "Holder",
    "Impersonation",
    "Incident",
    "Item",
    "Level",
    "Limit",
    "Looked",
    "Loss",
    "LossTotal",
    "Mention",
    "Method",
    "Moment",
    "Moved",
    "NoSuchDomain",
    "Number",
    "OtherLines",
    "Person",
    "Place",
    "Questionnaire",
    "Rate",
    "Raw",
    "Reason",
    "Record",
    "Regime",
    "Relay",
    "Restated",
    "Ruling",
    "Said",
    "Segment",
    "Sensitivity",
    "Signal",
    "Skipped",
    "Slip",
    "Statement",
    "Step",
    "Story",
    "Tally",
    "UnreadKind",
]


@dataclass(frozen=True)
class Facts:
    """Everything a report says. Formats lay it out; none computes."""

    header: Header
    groups: Groups
    clock: Clock
    regimes: tuple[Regime, ...]
    """Rules that the case says apply, in its order, each with its clocks."""
    containment: Containment
    stories: tuple[Story, ...]
    """Worst first: exposed deliveries, then deliveries."""
    incidents: tuple[Incident, ...]
    findings: tuple[Finding, ...]
    """All of them, in order of time; look at `state`."""
    repeat_senders: tuple[Person, ...]
    """Senders with more than one headline delivery, most first."""
    content: Content
    places: tuple[Place, ...]
    holders: tuple[Holder, ...]
    days: tuple[Day, ...]
    flows: tuple[Flow, ...]
    statements: tuple[Statement, ...]
    questionnaire: Questionnaire
    coverage: Coverage
    evidence: tuple[Evidence, ...]
    method: Method
    custody: Custody = field(default_factory=Custody)
    orphaned: tuple[Ruling, ...] = ()
    """Verdicts whose finding no longer exists."""
    changes: Changes | None = None
    """Since an earlier report, where one was named."""
    beside: Beside = field(default_factory=Beside)
    """What is in no number."""
    looked: tuple[Looked, ...] = ()
    """What an investigator was answered about the domains that mail went to."""
